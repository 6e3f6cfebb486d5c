import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  nextMessage,
  open,
  refusalOf,
  replicaOf,
  startBareReplica,
  startGateway,
  startReplica,
} from "../../test/support/gateway/gateway-in-process.ts";

describe("a session that the address of a client names", () => {
  it("leads to its replica where replicas have sessions of their own, and to no other than before where it is nowhere", async () => {
    const [one, two] = [await startReplica("one"), await startReplica("two")];
    const endpoints = [one.endpoint, two.endpoint];
    const asked: string[] = [];
    const { port } = await startGateway(
      {
        "default/memory": { endpoints, affinity: "client" },
        "default/redis": { endpoints, affinity: "none" },
        "default/single": { endpoints: [one.endpoint], affinity: "client" },
      },
      {
        locateSession: async ({ name }, among, sessionId) => {
          asked.push(`${name} ${sessionId}`);
          return among.find(({ id }) => id === sessionId);
        },
      },
    );
    const at = (query: string): Promise<string> => replicaOf(port, `/ws?${query}`);
    expect(await at("agent=memory&session_id=one")).toBe("one");
    expect(await at("agent=memory&session_id=two")).toBe("two");
    const usual = await at("agent=memory");
    expect(await at("agent=memory&session_id=none")).toBe(usual);
    expect(await at("agent=memory&session_id=no%20id")).toBe(usual);
    await at("agent=redis&session_id=one");
    await at("agent=single&session_id=one");
    expect(asked).toEqual(["memory one", "memory two", "memory none"]);
  });
});

describe("a connection", () => {
  it("carries messages larger than any buffer on the way, in both directions and unchanged", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway({ "default/one": { endpoints: [one.endpoint] } });
    const webSocket = open(port, "/ws?agent=one");
    await nextMessage(webSocket);
    const large = Buffer.alloc(8 * 1024 * 1024, "0123456789abcdef");
    webSocket.send(large);
    const [data] = (await once(webSocket, "message")) as [Buffer];
    expect(data.equals(large)).toBe(true);
  });

  it("delivers what a client sent together with its handshake", async () => {
    const received: Buffer[] = [];
    let resolveAll: (text: string) => void;
    const all = new Promise<string>((resolve) => (resolveAll = resolve));
    const endpoint = await startBareReplica((socket) => {
      socket.on("data", (data: Buffer) => {
        received.push(data);
        const text = Buffer.concat(received).toString("latin1");
        if (text.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
        if (text.endsWith("early bytes")) resolveAll(text);
      });
    });
    const { port } = await startGateway({ "default/one": { endpoints: [endpoint] } });
    const client = connect(port, "127.0.0.1");
    onTestFinished(() => void client.destroy());
    client.write(
      `GET /ws?agent=one HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly bytes`,
    );
    expect(await all).toMatch(/^GET \/ws\?agent=one HTTP\/1\.1\r\n[^]*\r\n\r\nearly bytes$/);
  });

  it("ends with the close code that the agent gave", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway({ "default/one": { endpoints: [one.endpoint] } });
    const webSocket = open(port, "/ws?agent=one");
    await nextMessage(webSocket);
    for (const socket of one.sockets) socket.close(1001, "going away");
    const [code] = (await once(webSocket, "close")) as [number];
    expect(code).toBe(1001);
  });

  it("ends at the client when the replica is killed, and at the replica when the client is", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway({ "default/one": { endpoints: [one.endpoint] } });
    const first = open(port, "/ws?agent=one");
    await nextMessage(first);
    const ended = once(first, "close");
    for (const socket of one.sockets) socket.terminate();
    expect(((await ended) as [number])[0]).toBe(1006);

    const second = open(port, "/ws?agent=one");
    await nextMessage(second);
    const [atReplica] = one.sockets;
    const gone = once(atReplica as unknown as WebSocket, "close");
    second.terminate();
    await gone;
  });

  it("does not outlive its end in one direction for long", async () => {
    const endpoint = await startBareReplica((socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
      socket.end();
    });
    const { port } = await startGateway(
      { "default/one": { endpoints: [endpoint] } },
      { limits: { halfClosedMs: 20 } },
    );
    const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    client.resume().on("error", () => {});
    client.write(
      `GET /ws?agent=one HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    await once(client, "end");
    // The client never ends its side: writing into the socket that the gateway gave up fails at some point.
    const writing = setInterval(() => client.write("x"), 5);
    await new Promise((resolve) => client.once("close", resolve));
    clearInterval(writing);
  });

  it("hears 502 from a replica that hangs up without an answer", async () => {
    const endpoint = await startBareReplica((socket) => socket.end());
    const { port } = await startGateway({ "default/one": { endpoints: [endpoint] } });
    expect(await refusalOf(port, "/ws?agent=one")).toMatchObject({
      status: 502,
      error: { code: "ReplicaFailed" },
    });
  });

  it("hears 504 from a replica that never answers", async () => {
    const endpoint = await startBareReplica(() => {});
    const { port } = await startGateway(
      { "default/one": { endpoints: [endpoint] } },
      { limits: { handshakeTimeoutMs: 20 } },
    );
    expect(await refusalOf(port, "/ws?agent=one")).toMatchObject({
      status: 504,
      error: { code: "ReplicaTimeout" },
    });
  });

  it("past the limit is refused, and taken again when another has ended", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway(
      { "default/one": { endpoints: [one.endpoint] } },
      { limits: { maxConnections: 1 } },
    );
    const first = open(port, "/ws?agent=one");
    await nextMessage(first);
    expect(await refusalOf(port, "/ws?agent=one")).toMatchObject({
      status: 503,
      error: { code: "TooManyConnections" },
    });
    first.close();
    await once(first, "close");
    await expect.poll(() => replicaOf(port, "/ws?agent=one")).toBe("one");
  });
});

describe("closing", () => {
  it("waits for open connections, and takes no new one", async () => {
    const one = await startReplica("one");
    const { port, gateway } = await startGateway({ "default/one": { endpoints: [one.endpoint] } });
    const webSocket = open(port, "/ws?agent=one");
    await nextMessage(webSocket);
    let closed = false;
    const closing = gateway.close(new AbortController().signal).then(() => (closed = true));
    const late = open(port, "/ws?agent=one");
    const [error] = (await once(late, "error")) as [Error & { code: string }];
    expect(error.code).toBe("ECONNREFUSED");
    webSocket.send("still there");
    expect(await nextMessage(webSocket)).toBe("still there");
    expect(closed).toBe(false);
    for (const socket of one.sockets) socket.close(1001);
    await closing;
  });

  it("cuts what is open once it may not wait any longer", async () => {
    const one = await startReplica("one");
    const { port, gateway } = await startGateway({ "default/one": { endpoints: [one.endpoint] } });
    const webSocket = open(port, "/ws?agent=one");
    await nextMessage(webSocket);
    const hurry = new AbortController();
    const closing = gateway.close(hurry.signal);
    hurry.abort();
    await closing;
    await once(webSocket, "close");
  });
});
