import { once } from "node:events";
import { createServer, type Server } from "node:http";
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
} from "node:net";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { describe, expect, it, onTestFinished } from "vitest";
import { answerPortForwards } from "../../../test/support/kubernetes/port-forward-server.ts";
import { createPortForwarder } from "./port-forward.ts";

const TARGET = { namespace: "team", pod: "gateway-1", port: 8080 };
const { signal } = new AbortController();

async function listening(server: Server | TcpServer): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function aCluster(open: Parameters<typeof answerPortForwards>[1]) {
  const asked: (string | undefined)[] = [];
  const server = createServer();
  server.on("upgrade", ({ headers }) => asked.push(headers.authorization));
  answerPortForwards(server, open);
  const port = await listening(server);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({
    clusters: [{ name: "c", server: `http://127.0.0.1:${port}`, skipTLSVerify: true }],
    users: [{ name: "anna", token: "token-of-anna" }],
    contexts: [{ name: "c", cluster: "c", user: "anna" }],
    currentContext: "c",
  });
  return { asked, forward: createPortForwarder(kubeConfig) };
}

/** A pod that answers with what it was sent, and then ends. */
async function anEcho(): Promise<number> {
  return await listening(
    createTcpServer((socket) => socket.once("data", (data) => socket.end(data))),
  );
}

describe("a port forward", () => {
  it("carries bytes both ways, as the user of the kubeconfig", async () => {
    const port = await anEcho();
    const seen: unknown[] = [];
    const { asked, forward } = await aCluster((target) => {
      seen.push(target);
      return { port };
    });
    const stream = await forward(TARGET, signal);
    const sent = Buffer.from([0, 1, 2, 255, 0]);
    stream.write(sent);
    expect(await buffer(stream)).toEqual(sent);
    expect(seen).toEqual([TARGET]);
    expect(asked).toEqual(["Bearer token-of-anna"]);
  });

  it("loses nothing of a large answer that is read slowly", async () => {
    const whole = Buffer.alloc(3_000_000, "omnia ");
    const port = await listening(createTcpServer((socket) => void socket.end(whole)));
    const { forward } = await aCluster(() => ({ port }));
    const stream = await forward(TARGET, signal);
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(Buffer.concat(chunks).equals(whole)).toBe(true);
  });

  it("is refused in the words of the API server", async () => {
    const { forward } = await aCluster(() => ({ status: 403, message: "pods is forbidden" }));
    await expect(forward(TARGET, signal)).rejects.toMatchObject({
      name: "ApiError",
      status: 403,
      message: "pods is forbidden",
    });
  });

  it("fails with what the node says where nothing listens in the pod", async () => {
    const server = createTcpServer();
    const port = await listening(server);
    server.close();
    const { forward } = await aCluster(() => ({ port }));
    const stream: Duplex = await forward(TARGET, signal);
    const [error] = (await once(stream, "error")) as [Error];
    expect(error).toMatchObject({ name: "ConnectionError" });
    expect(error.message).toContain("ECONNREFUSED");
  });

  it("is given up when nobody waits for it any longer", async () => {
    const silent = await listening(createTcpServer((socket) => void socket.on("error", () => {})));
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromClusterAndUser(
      { name: "c", server: `http://127.0.0.1:${silent}`, skipTLSVerify: true },
      { name: "anna" },
    );
    const aborted = new AbortController();
    const waiting = createPortForwarder(kubeConfig)(TARGET, aborted.signal);
    aborted.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });
});
