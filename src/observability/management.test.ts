import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { Management, type ManagementOptions, MAX_CONNECTIONS } from "./management.ts";
import { createMetrics } from "./metrics.ts";
import type { NotReadyReason } from "./readiness-answer.ts";

/** These are short enough for a test. */
const TIMEOUTS = { requestMs: 300, keepAliveMs: 300, unreadMs: 300, checkMs: 50 };
/** The kubelet waits for the answer to a probe of an operator or an agent for this long. */
const PROBE_TIMEOUT_MS = 5_000;
const PROBES = 13;
/** So many answers are more than the buffers of both ends hold. */
const ANSWERS = 100;

async function aManagement(options: Partial<ManagementOptions> = {}): Promise<number> {
  const management = new Management({
    host: "127.0.0.1",
    metrics: createMetrics({ processMetrics: false }),
    reasons: async () => [],
    ...options,
  });
  onTestFinished(() => management.close());
  return await management.listen(0);
}

async function aConnection(port: number, first = ""): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  // The server may cut it at any time.
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  socket.write(first);
  return socket;
}

/** The kubelet makes a new connection for each probe. */
function probe(port: number, path = "/healthz", localAddress = "127.0.0.1"): Promise<number> {
  const answer = Promise.withResolvers<number>();
  const options = { host: "127.0.0.1", port, path, localAddress, agent: false };
  const sent = request({ ...options, timeout: PROBE_TIMEOUT_MS }, (response) => {
    response.resume();
    answer.resolve(response.statusCode ?? 0);
  });
  sent.on("timeout", () => sent.destroy(new Error("no answer")));
  sent.on("error", answer.reject);
  sent.end();
  return answer.promise;
}

async function probeOften(port: number): Promise<number[]> {
  const answers: number[] = [];
  for (let count = 0; count < PROBES; count++) answers.push(await probe(port));
  return answers;
}

const ALL_WELL = Array.from({ length: PROBES }, () => 200);
const manyOf = <T>(make: () => T, count = MAX_CONNECTIONS): T[] =>
  Array.from({ length: count }, make);

describe("the management port answers every probe", () => {
  it.each([
    ["say nothing", ""],
    ["have sent half of a request", "GET /healthz HTTP/1.1\r\nhost: a"],
    [
      "have not sent the body that they announced",
      "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n",
    ],
    ["stay after their answer", "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"],
    ["send what is not HTTP", "\u0016\u0003\u0001"],
  ])("while twice as many connections as it holds %s", async (_, first) => {
    const port = await aManagement();
    await Promise.all(manyOf(() => aConnection(port, first), 2 * MAX_CONNECTIONS));
    expect(await probeOften(port)).toEqual(ALL_WELL);
  });

  it("while connections that it closes come back at once", async () => {
    const port = await aManagement();
    const ending = new AbortController();
    let came = 0;
    const comeBack = async (): Promise<void> => {
      while (!ending.signal.aborted) {
        const socket = await aConnection(port);
        came += 1;
        if (!socket.destroyed)
          await once(socket, "close", { signal: ending.signal }).catch(() => {});
      }
    };
    const coming = manyOf(comeBack);
    expect(await probeOften(port)).toEqual(ALL_WELL);
    ending.abort();
    await Promise.all(coming);
    expect(came).toBeGreaterThan(MAX_CONNECTIONS);
  });

  it("while every connection waits for an answer", async () => {
    const never = new Promise<never>(() => {});
    const port = await aManagement({ reasons: () => never });
    const waiting = "GET /readyz HTTP/1.1\r\nhost: a\r\n\r\n";
    await Promise.all(manyOf(() => aConnection(port, waiting)));
    expect(await probeOften(port)).toEqual(ALL_WELL);
  });
});

describe("a connection to the management port", () => {
  it("goes on while others come from another address", async () => {
    const { promise: ready, resolve } = Promise.withResolvers<readonly NotReadyReason[]>();
    const port = await aManagement({ reasons: () => ready });
    const quiet = connect({ host: "127.0.0.1", port, localAddress: "127.0.0.2" });
    await once(quiet, "connect");
    onTestFinished(() => void quiet.destroy());
    const waiting = probe(port, "/readyz", "127.0.0.3");
    await Promise.all(manyOf(() => aConnection(port), 3 * MAX_CONNECTIONS));
    resolve([]);
    expect(await waiting).toBe(200);
    quiet.write("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n");
    const [answer] = (await once(quiet, "data")) as [Buffer];
    expect(answer.toString()).toContain("200 OK");
  });

  it.each([
    ["says nothing", ""],
    ["sends its request too slowly", "GET /healthz HTTP/1.1\r\nx: "],
    ["sends nothing after its answer", "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"],
  ])("is closed when it %s", async (_, first) => {
    const port = await aManagement({ timeouts: TIMEOUTS });
    const socket = await aConnection(port, first);
    const trickle = setInterval(() => first.endsWith(": ") && socket.write("x"), 50);
    onTestFinished(() => clearInterval(trickle));
    socket.resume();
    await once(socket, "close", { signal: AbortSignal.timeout(5_000) });
  });

  it("is closed when its client reads nothing of an answer for too long", async () => {
    const metrics = createMetrics({ processMetrics: false });
    metrics.counter({ name: "large_total", help: "x".repeat(1024 * 1024) });
    const port = await aManagement({ metrics, timeouts: TIMEOUTS });
    const socket = await aConnection(port);
    socket.pause();
    socket.write("GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n".repeat(ANSWERS));
    await delay(4 * TIMEOUTS.unreadMs);
    let read = 0;
    socket.on("data", (chunk: Buffer) => (read += chunk.length)).resume();
    await once(socket, "close", { signal: AbortSignal.timeout(5_000) });
    expect(read).toBeLessThan((ANSWERS / 2) * 1024 * 1024);
  });
});

describe("the management port", () => {
  it("makes the metrics once for all who ask for them at a time", async () => {
    const metrics = createMetrics({ processMetrics: false });
    let made = 0;
    const port = await aManagement({
      metrics: {
        ...metrics,
        text: async () => {
          made += 1;
          return await metrics.text();
        },
      },
    });
    const socket = await aConnection(port);
    const answers = countOf(socket, "HTTP/1.1 200 OK");
    socket.write("GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n".repeat(200));
    await expect.poll(answers).toBe(200);
    expect(made).toBeLessThan(20);
  });
});

function countOf(socket: Socket, text: string): () => number {
  let read = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (read += chunk));
  return () => read.split(text).length - 1;
}
