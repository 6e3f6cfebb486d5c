/** A connection that checks every frame, and that can send what a correct client never would. */
import { WebSocket } from "ws";
import type { ErrorCode, ServerFrame, TurnFrame } from "../../protocol/frames.ts";
import { parseServerFrame } from "../../protocol/server-frame.ts";
import { CheckFailed, ensure } from "./check-failed.ts";

const MAX_SERVER_FRAME_BYTES = 64 * 1024 * 1024;
const SHOWN_CHARACTERS = 120;

type FrameOf<Type extends ServerFrame["type"]> = Extract<ServerFrame, { type: Type }>;
export type DoneFrame = FrameOf<"done">;
export type ConnectedFrame = FrameOf<"connected">;

export interface ProbeOptions {
  readonly url: URL;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
  readonly hide?: ((text: string) => string) | undefined;
}

/** The server answered the handshake with a status other than 101. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly status: number;

  constructor(status: number) {
    super(`the connection was refused with ${status}`);
    this.status = status;
  }
}

export class ProbeConnection {
  readonly #socket: WebSocket;
  readonly #signal: AbortSignal;
  readonly #texts: string[] = [];
  #pongs = 0;
  #closeCode: number | undefined;
  #wake: (() => void) | undefined;

  private constructor(socket: WebSocket, { signal, hide = (text) => text }: ProbeOptions) {
    this.#socket = socket;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake?.(), { once: true });
    socket.on("message", (data, isBinary) => {
      this.#texts.push(isBinary ? "(a binary frame)" : hide((data as Buffer).toString()));
      this.#wake?.();
    });
    socket.on("pong", () => {
      this.#pongs += 1;
      this.#wake?.();
    });
    socket.on("close", (code) => {
      this.#closeCode = code;
      this.#wake?.();
    });
  }

  /** Rejects with a RefusedError, with the error of the socket, or with the reason of the signal. */
  static open(options: ProbeOptions): Promise<ProbeConnection> {
    const { url, token, signal } = options;
    return new Promise((resolve, reject) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const socket = new WebSocket(url, {
        headers,
        perMessageDeflate: false,
        maxPayload: MAX_SERVER_FRAME_BYTES,
      });
      const onAbort = (): void => {
        reject(signal.reason);
        socket.terminate();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      const probe = new ProbeConnection(socket, options);
      socket.on("error", reject);
      socket.on("unexpected-response", (_request, response) => {
        reject(new RefusedError(response.statusCode ?? 0));
        response.destroy();
        socket.terminate();
      });
      socket.once("open", () => {
        signal.removeEventListener("abort", onAbort);
        resolve(probe);
      });
    });
  }

  send(frame: object | string | Buffer): void {
    const data =
      Buffer.isBuffer(frame) || typeof frame === "string" ? frame : JSON.stringify(frame);
    // The close of the socket tells of a failure.
    this.#socket.send(data, () => {});
  }

  say(content: string, more: object = {}): void {
    this.send({ type: "message", content, ...more });
  }

  /** Reads the next frame, of whatever type. */
  async next(awaited = "a frame"): Promise<ServerFrame> {
    const text = await this.#nextText(awaited);
    const parsed = parseServerFrame(text);
    if (!parsed.ok) {
      throw new CheckFailed(`a frame is none of the protocol: ${parsed.problem}: ${shorten(text)}`);
    }
    return parsed.frame;
  }

  async nextConnected(): Promise<ConnectedFrame> {
    const frame = await this.next("connected");
    ensure(frame.type === "connected", `expected connected, and got ${nameOf(frame)}`);
    return frame;
  }

  async nextError(code: ErrorCode, about: string): Promise<FrameOf<"error">> {
    const frame = await this.next(`an error about ${about}`);
    ensure(
      frame.type === "error" && frame.error.code === code,
      `expected error ${code} about ${about}, and got ${nameOf(frame)}`,
    );
    return frame;
  }

  /** Reads the next frame, which must belong to a turn. */
  async nextOfTurn(): Promise<TurnFrame> {
    const frame = await this.next("a frame of a turn");
    ensure(
      frame.type !== "connected" && "seq" in frame && frame.seq !== undefined,
      `expected a frame of a turn, and got ${nameOf(frame)}`,
    );
    return frame;
  }

  /** Reads the frames of a turn to its end, which must be `done`. */
  async turn(): Promise<{ frames: TurnFrame[]; done: DoneFrame }> {
    const frames: TurnFrame[] = [];
    for (;;) {
      const frame = await this.nextOfTurn();
      frames.push(frame);
      if (frame.type === "done") return { frames, done: frame };
      ensure(frame.type !== "error", `the turn ended in ${nameOf(frame)}`);
    }
  }

  /** Sends a message and reads to the end of its turn. */
  ask(content: string, more: object = {}): Promise<{ frames: TurnFrame[]; done: DoneFrame }> {
    this.say(content, more);
    return this.turn();
  }

  /** Settles with the code of the close. Frames that come before it are ignored. */
  async closed(): Promise<number> {
    for (;;) {
      if (this.#closeCode !== undefined) return this.#closeCode;
      await this.#change("the end of the connection");
    }
  }

  /** Sends a ping, and settles when it is answered. */
  async pong(): Promise<void> {
    const before = this.#pongs;
    this.#socket.ping();
    while (this.#pongs === before) {
      this.#failWhenClosed("a pong");
      await this.#change("a pong");
    }
  }

  /** Whether every frame that came has been read. */
  get isQuiet(): boolean {
    return this.#texts.length === 0;
  }

  close(): void {
    this.#socket.terminate();
  }

  async #nextText(awaited: string): Promise<string> {
    for (;;) {
      const text = this.#texts.shift();
      if (text !== undefined) return text;
      this.#failWhenClosed(awaited);
      await this.#change(awaited);
    }
  }

  #failWhenClosed(awaited: string): void {
    ensure(
      this.#closeCode === undefined,
      `the connection was closed with ${this.#closeCode}, where ${awaited} was to come`,
    );
  }

  async #change(awaited: string): Promise<void> {
    if (!this.#signal.aborted) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#signal.aborted) throw new CheckFailed(`${awaited} did not come in time`);
  }
}

/** Names the frame for people. */
export function nameOf(frame: ServerFrame): string {
  if (frame.type !== "error") return frame.type;
  return `error ${frame.error.code} (${shorten(frame.error.message)})`;
}

function shorten(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
