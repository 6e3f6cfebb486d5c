/** Servers before which a gRPC client must not fall: what answers at the port is no gRPC server, or one that breaks off. */
import { createServer as createHttp2Server, constants, type ServerHttp2Stream } from "node:http2";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { systemClock } from "../../../src/time/clock.ts";

/** A text of these servers that nobody may be shown. */
export const HIDDEN_TEXT = "internal-7f3a.example and 10.9.8.7";

const MEGABYTE = 1024 * 1024;
const HTML = `<html><body>${HIDDEN_TEXT}</body></html>`;

/** Faults of what answers below HTTP/2. */
export const PORT_FAULTS = {
  "an HTTP/1 server that answers 404": (socket: Socket) =>
    socket.end(`HTTP/1.1 404 Not Found\r\ncontent-length: ${HTML.length}\r\n\r\n${HTML}`),
  garbage: (socket: Socket) => socket.write(Buffer.from(HIDDEN_TEXT.repeat(100))),
  silence: () => {},
  "a reset": (socket: Socket) => socket.resetAndDestroy(),
  "an end at once": (socket: Socket) => socket.end(),
  "10 MB": (socket: Socket) => socket.write(Buffer.alloc(10 * MEGABYTE, "x")),
} as const satisfies Record<string, (socket: Socket) => void>;

const GRPC = { ":status": 200, "content-type": "application/grpc" };
const frameHead = (bytes: number): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes, 1);
  return head;
};

/** Faults of an HTTP/2 server. */
export const STREAM_FAULTS = {
  "HTTP 404": (stream: ServerHttp2Stream) => {
    stream.respond({ ":status": 404, "content-type": "text/html" });
    stream.end(HTML);
  },
  "HTTP 503": (stream: ServerHttp2Stream) => {
    stream.respond({ ":status": 503, "content-type": "text/html" });
    stream.end(HTML);
  },
  HTML: (stream: ServerHttp2Stream) => {
    stream.respond({ ":status": 200, "content-type": "text/html" });
    stream.end(HTML);
  },
  garbage: (stream: ServerHttp2Stream) => {
    stream.respond(GRPC);
    stream.end(HIDDEN_TEXT);
  },
  "a message that does not fit": (stream: ServerHttp2Stream) => {
    const body = Buffer.from(HIDDEN_TEXT);
    stream.respond(GRPC);
    stream.end(Buffer.concat([frameHead(body.length), body]));
  },
  "half a message": (stream: ServerHttp2Stream) => {
    stream.respond(GRPC);
    stream.end(Buffer.concat([frameHead(100), Buffer.from("x")]));
  },
  "no status": (stream: ServerHttp2Stream) => {
    stream.respond(GRPC);
    stream.end(Buffer.concat([frameHead(0)]));
  },
  silence: () => {},
  "silence after the head": (stream: ServerHttp2Stream) => stream.respond(GRPC),
  "a cancelled stream": (stream: ServerHttp2Stream) => stream.close(constants.NGHTTP2_CANCEL),
  "an internal error": (stream: ServerHttp2Stream) =>
    stream.close(constants.NGHTTP2_INTERNAL_ERROR),
  "a broken connection": (stream: ServerHttp2Stream) => stream.session?.destroy(),
  "10 MB": (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    stream.respond(GRPC);
    stream.end(Buffer.concat([frameHead(10 * MEGABYTE), Buffer.alloc(10 * MEGABYTE, "x")]));
  },
  "a refused stream": (stream: ServerHttp2Stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM),
} as const satisfies Record<string, (stream: ServerHttp2Stream) => void>;

export interface FaultyServer extends AsyncDisposable {
  readonly port: number;
  /** Connections, or calls, that came. */
  readonly taken: number;
}

export async function startFaultyPort(fault: (socket: Socket) => void): Promise<FaultyServer> {
  let taken = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    taken += 1;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    socket.resume();
    fault(socket);
  });
  return await listening(server, () => taken, sockets);
}

export async function startFaultyStreams(
  fault: (stream: ServerHttp2Stream) => void,
): Promise<FaultyServer> {
  let taken = 0;
  const sockets = new Set<Socket>();
  const server = createHttp2Server();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("sessionError", () => {});
  server.on("stream", (stream: ServerHttp2Stream) => {
    taken += 1;
    stream.on("error", () => {});
    stream.resume();
    fault(stream);
  });
  return await listening(server, () => taken, sockets);
}

/** Passes everything on, so much later. */
export async function startLatePort(target: number, ms: number): Promise<FaultyServer> {
  return await startFaultyPort((near) => {
    near.pause();
    systemClock.setTimer(ms, () => passTo(target)(near));
  });
}

export interface FaultyProxy extends AsyncDisposable {
  readonly port: number;
  /** Breaks every connection. What comes from now on meets this. */
  play(next: (socket: Socket) => void): void;
}

/** A proxy before a server, which plays one thing after the other. */
export async function startFaultyProxy(): Promise<FaultyProxy> {
  let current: (socket: Socket) => void = (socket) => socket.end();
  const sockets = new Set<Socket>();
  const server = await startFaultyPort((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    current(socket);
  });
  return {
    port: server.port,
    play(next) {
      current = next;
      for (const socket of sockets) socket.destroy();
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Passes everything on. */
export function passTo(target: number): (socket: Socket) => void {
  return (near) => {
    const far = connect(target, "127.0.0.1");
    far.on("error", () => near.destroy());
    near.once("close", () => far.destroy());
    near.pipe(far).pipe(near);
  };
}

async function listening(
  server: Server,
  taken: () => number,
  sockets: ReadonlySet<Socket>,
): Promise<FaultyServer> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    get taken() {
      return taken();
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
