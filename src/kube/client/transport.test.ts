import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import { type AddressInfo, createServer as createSilentServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { KubeConfig } from "@kubernetes/client-node";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import { textOf } from "./read-answer.ts";
import {
  CONNECT_TIMEOUT_MS,
  createTransport,
  MAX_CONNECTIONS,
  RESPONSE_TIMEOUT_MS,
} from "./transport.ts";

const { signal } = new AbortController();
const SUBJECT = "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1";

async function aCertificate(): Promise<{ cert: string; key: string }> {
  const folder = await mkdtemp(join(tmpdir(), "omnia-transport-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [cert, key] = [join(folder, "server.crt"), join(folder, "server.key")];
  const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
  const files = ["-keyout", key, "-out", cert];
  await promisify(execFile)("openssl", [...request.split(" "), ...SUBJECT.split(" "), ...files]);
  return { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
}

/** A server that answers a request when the test says so, and a transport to it. */
async function aServer() {
  const certificate = await aCertificate();
  const waiting: ServerResponse[] = [];
  const clock = new ManualClock();
  const rig = { connections: 0, waiting, clock };
  const server = createServer(certificate, (_, response) => waiting.push(response));
  server.on("secureConnection", () => (rig.connections += 1)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const kubeConfig = new KubeConfig();
  const caData = Buffer.from(certificate.cert).toString("base64");
  kubeConfig.loadFromOptions({
    clusters: [{ name: "c", server: `https://127.0.0.1:${port}`, caData }],
    users: [{ name: "u" }],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  const transport = createTransport(kubeConfig, clock);
  onTestFinished(() => {
    transport.close();
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(rig, { transport });
}

describe("a transport", () => {
  it("sends so many requests at a time, and the others when it is their turn, however long that takes", async () => {
    const { transport, waiting, clock } = await aServer();
    const count = 3 * MAX_CONNECTIONS;
    const answers = Array.from({ length: count }, async (_, index) => {
      const response = await transport.send({ method: "GET", path: `/${index}`, signal });
      response.resume();
      return response.statusCode;
    });
    for (let answered = 0; answered < count; answered += MAX_CONNECTIONS) {
      await vi.waitFor(() => expect(waiting).toHaveLength(MAX_CONNECTIONS), 5_000);
      // It is not taken for a connection that cannot be made.
      await clock.advance(CONNECT_TIMEOUT_MS + 1);
      for (const response of waiting.splice(0)) response.end();
    }
    expect(new Set(await Promise.all(answers))).toEqual(new Set([200]));
  });

  it("has a watch wait for no other request, and no other request for a watch", async () => {
    const rig = await aServer();
    const { transport, waiting } = rig;
    const send = (isWatch: boolean) =>
      transport.send({ method: "GET", path: "/", isWatch, signal }).then((response) => {
        response.resume();
      });
    const watches = Array.from({ length: 2 * MAX_CONNECTIONS }, () => send(true));
    await vi.waitFor(() => expect(waiting).toHaveLength(2 * MAX_CONNECTIONS), 5_000);
    const others = Array.from({ length: 2 * MAX_CONNECTIONS }, () => send(false));
    await vi.waitFor(() => expect(waiting).toHaveLength(3 * MAX_CONNECTIONS), 5_000);
    const another = send(true);
    await vi.waitFor(() => expect(waiting).toHaveLength(3 * MAX_CONNECTIONS + 1), 5_000);
    expect(rig.connections).toBe(3 * MAX_CONNECTIONS + 1);
    for (const response of waiting.splice(0)) response.end();
    await vi.waitFor(() => expect(waiting).toHaveLength(MAX_CONNECTIONS), 5_000);
    for (const response of waiting) response.end();
    await Promise.all([...watches, ...others, another]);
  });

  it("gives up a request that gets no answer, and says that it may have been carried out", async () => {
    const { transport, waiting, clock } = await aServer();
    const sent = transport.send({ method: "POST", path: "/", body: "{}", signal });
    await vi.waitFor(() => expect(waiting).toHaveLength(1), 5_000);
    const [failure] = await Promise.all([rejectionOf(sent), clock.advance(RESPONSE_TIMEOUT_MS)]);
    expect(failure).toMatchObject({ name: "ConnectionError", wasSent: true });
    expect(String(failure)).toContain("no answer within 30 s");
    expect(clock.pendingTimers).toBe(0);
  });

  it("leaves an answer that has begun to its reader, until the signal says otherwise", async () => {
    const { transport, waiting, clock } = await aServer();
    const ending = new AbortController();
    const sent = transport.send({ method: "GET", path: "/", signal: ending.signal });
    await vi.waitFor(() => expect(waiting).toHaveLength(1), 5_000);
    waiting[0]?.write("begun");
    const response = await sent;
    expect(clock.pendingTimers).toBe(0);
    const read = rejectionOf(textOf(response));
    await clock.advance(10 * RESPONSE_TIMEOUT_MS);
    ending.abort();
    expect(await read).toBeInstanceOf(Error);
    expect(response.destroyed).toBe(true);
  });

  it("sends nothing for a signal that was aborted before", async () => {
    const { transport, waiting } = await aServer();
    const aborted = AbortSignal.abort(new Error("too late"));
    const sent = transport.send({ method: "GET", path: "/", signal: aborted });
    await expect(sent).rejects.toThrow("too late");
    expect(waiting).toEqual([]);
  });

  it("gives up a server that takes a connection and says nothing on it, which carried nothing out", async () => {
    const connections: Socket[] = [];
    const server = createSilentServer((socket) => connections.push(socket)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromOptions({
      clusters: [{ name: "c", server: `https://127.0.0.1:${port}`, skipTLSVerify: true }],
      users: [{ name: "u" }],
      contexts: [{ name: "x", cluster: "c", user: "u" }],
      currentContext: "x",
    });
    const clock = new ManualClock();
    const transport = createTransport(kubeConfig, clock);
    onTestFinished(() => {
      transport.close();
      for (const socket of connections) socket.destroy();
      server.close();
    });
    const sent = transport.send({ method: "POST", path: "/", body: "{}", signal });
    await vi.waitFor(() => expect(connections).toHaveLength(1), 5_000);
    const [failure] = await Promise.all([rejectionOf(sent), clock.advance(CONNECT_TIMEOUT_MS)]);
    expect(failure).toMatchObject({ name: "ConnectionError", wasSent: false });
    expect(String(failure)).toContain("no connection within 10 s");
  });

  it("gives up a request that waits for its turn when its signal says so", async () => {
    const { transport, waiting } = await aServer();
    const busy = Array.from({ length: MAX_CONNECTIONS }, () =>
      transport.send({ method: "GET", path: "/", signal }).then((response) => response.resume()),
    );
    await vi.waitFor(() => expect(waiting).toHaveLength(MAX_CONNECTIONS), 5_000);
    const giving = new AbortController();
    const queued = transport.send({ method: "POST", path: "/", signal: giving.signal });
    giving.abort(new Error("enough"));
    await expect(queued).rejects.toThrow("enough");
    for (const response of waiting.splice(0)) response.end();
    await Promise.all(busy);
    expect(waiting).toEqual([]);
  });
});
