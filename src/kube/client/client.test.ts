import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { ApiError, ConnectionError } from "./api-error.ts";
import { KubeClient, type RequestOutcome } from "./client.ts";
import type { KubernetesObject, ResourceType } from "./object.ts";
import { RateLimiter } from "./rate-limiter.ts";
import { MAX_REPEATS } from "./repeat-delay.ts";
import { createTransport } from "./transport.ts";

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const PODS: ResourceType = {
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  namespaced: true,
};
const AT = { namespace: "default", name: "a" };
const A_POD: KubernetesObject = { metadata: AT };
const { signal } = new AbortController();

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Counts the waits between two tries, apart from the time limits of requests. */
class ClockOfWaits extends ManualClock {
  waits = 0;

  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.waits += 1;
    try {
      await super.sleep(ms, signal);
    } finally {
      this.waits -= 1;
    }
  }
}

/** A server that gives these answers, one a request, and the last one for ever; and a client for it. */
async function aClientFor(answers: Answer[], options: { isRepeating?: boolean } = {}) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url?.split("?")[0]}`);
    (answers.length > 1 ? answers.shift() : answers[0])?.(response, request);
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({
    clusters: [{ name: "c", server: `http://127.0.0.1:${port}`, skipTLSVerify: true }],
    users: [{ name: "u" }],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  const clock = new ClockOfWaits();
  const outcomes: RequestOutcome["status"][] = [];
  const client = new KubeClient({
    transport: createTransport(kubeConfig),
    rateLimiter: new RateLimiter({ clock, perSecond: 1_000, burst: 1_000 }),
    fieldManager: "test",
    onResponse: ({ status }) => outcomes.push(status),
    clock,
    repeating: options.isRepeating === false ? undefined : { random: () => 0.5 },
  });
  /** Lets time go by between the tries until the request has come to its end. */
  const settled = async <T>(request: Promise<T>): Promise<T> => {
    let isSettled = false;
    const end = (): boolean => (isSettled = true);
    void request.then(end, end);
    await vi.waitFor(
      async () => {
        if (clock.waits > 0) await clock.advance(100);
        expect(isSettled).toBe(true);
      },
      { timeout: 5_000, interval: 1 },
    );
    return await request;
  };
  return { client, clock, requests, outcomes, settled, server, port };
}

const found: Answer = (response) => response.end(JSON.stringify(A_POD));
const cut: Answer = (response) => response.socket?.destroy();
const failure =
  (status: number, retryAfter?: number): Answer =>
  (response) =>
    response
      .writeHead(status, retryAfter === undefined ? {} : { "retry-after": String(retryAfter) })
      .end(JSON.stringify({ kind: "Status", reason: "", message: `answered ${status}` }));

describe("KubeClient", () => {
  it("a read comes through whatever happens to its first tries, and each of them is told", async () => {
    const { client, outcomes, settled } = await aClientFor([
      failure(500),
      failure(429, 1),
      cut,
      (response) => {
        response.writeHead(200, { "content-length": 100 }).write("{");
        setImmediate(() => response.socket?.destroy());
      },
      found,
    ]);
    expect(await settled(client.get(PODS, AT, signal))).toEqual(A_POD);
    expect(outcomes).toEqual([500, 429, "error", 200, 200]);
  });

  it("a write that the server turned away is sent again, and not before it asked for", async () => {
    const { client, clock, requests, settled } = await aClientFor([failure(429, 2), found]);
    const created = client.create(PODS, A_POD, signal);
    await vi.waitFor(() => expect(clock.waits).toBe(1));
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1_999);
    expect(requests).toHaveLength(1);
    expect(await settled(created)).toEqual(A_POD);
    expect(requests).toHaveLength(2);
  });

  it.each([
    ["a 500", failure(500), ApiError],
    ["a cut connection", cut, ConnectionError],
  ])("a write that may have been carried out is not sent again: %s", async (_, answer, error) => {
    const { client, requests } = await aClientFor([answer, found]);
    await expect(client.create(PODS, A_POD, signal)).rejects.toBeInstanceOf(error);
    expect(requests).toHaveLength(1);
  });

  it("a write that found no server is sent once there is one", async () => {
    const { client, clock, server, port, requests, settled } = await aClientFor([found]);
    server.close();
    await once(server, "close");
    const created = client.create(PODS, A_POD, signal);
    await vi.waitFor(() => expect(clock.waits).toBe(1));
    expect(clock.pendingTimers).toBe(1);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    expect(await settled(created)).toEqual(A_POD);
    expect(requests).toHaveLength(1);
  });

  it("asks for no more than the metadata of what it does not read, and notices all the same that an answer is cut", async () => {
    const accepted: (string | undefined)[] = [];
    const told =
      (answer: Answer): Answer =>
      (response, request) => {
        accepted.push(request.headers.accept);
        answer(response, request);
      };
    const half: Answer = (response) => {
      response.writeHead(201, { "content-length": 100 }).write("{");
      setImmediate(() => response.socket?.destroy());
    };
    const { client } = await aClientFor([told(found), told(found), told(found), told(half)]);
    await client.createUnread(PODS, A_POD, signal);
    await client.applyUnread(PODS, A_POD, { signal });
    expect(await client.applyForMetadata(PODS, A_POD, { signal })).toEqual(A_POD);
    const cutShort = client.createUnread(PODS, A_POD, signal);
    await expect(cutShort).rejects.toThrow("the answer of the API server broke off");
    expect(accepted).toHaveLength(4);
    for (const accept of accepted) expect(accept).toContain("as=PartialObjectMetadata;");
  });

  it("a write whose answer it does not read fails with what the server says", async () => {
    const { client } = await aClientFor([failure(422)]);
    const refused = client.applyUnread(PODS, A_POD, { signal });
    await expect(refused).rejects.toMatchObject({ status: 422, message: "answered 422" });
  });

  it("ends a watch with the error of the one who takes its events", async () => {
    const event = `${JSON.stringify({ type: "ADDED", object: A_POD })}\n`;
    const { client } = await aClientFor([(response) => response.write(event + event)]);
    const options = { resourceVersion: "1", timeoutSeconds: 60, signal };
    let taken = 0;
    const watching = client.watch(PODS, options, () => {
      taken += 1;
      throw new Error("not wanted");
    });
    await expect(watching).rejects.toThrow("not wanted");
    expect(taken).toBe(1);
  });

  it("gives up in the end, with what the server said last", async () => {
    const { client, requests, settled } = await aClientFor([failure(503)]);
    await expect(settled(client.get(PODS, AT, signal))).rejects.toMatchObject({ status: 503 });
    expect(requests).toHaveLength(1 + MAX_REPEATS);
  });

  it("repeats nothing unless it is told to, nor for those who repeat by themselves", async () => {
    const plain = await aClientFor([failure(503)], { isRepeating: false });
    await expect(plain.client.get(PODS, AT, signal)).rejects.toMatchObject({ status: 503 });
    const repeating = await aClientFor([failure(503)]);
    const listed = repeating.client.list(PODS, { once: true, signal });
    await expect(listed).rejects.toMatchObject({ status: 503 });
    expect([plain.requests.length, repeating.requests.length]).toEqual([1, 1]);
  });

  it("a wait for another try ends with the caller's patience", async () => {
    const { client, clock } = await aClientFor([failure(503)]);
    const impatient = new AbortController();
    const got = client.get(PODS, AT, impatient.signal);
    await vi.waitFor(() => expect(clock.waits).toBe(1));
    expect(clock.pendingTimers).toBe(1);
    impatient.abort(new Error("enough"));
    await expect(got).rejects.toThrow("enough");
  });

  it("a fenced client sends no byte of a write that its check forbids, and reads all the same", async () => {
    const { client, requests } = await aClientFor([found]);
    let mayWrite = true;
    const fenced = client.fencedBy(() => {
      if (!mayWrite) throw new Error("leads no more");
    });
    await fenced.create(PODS, A_POD, signal);
    mayWrite = false;
    const writes = [
      fenced.create(PODS, A_POD, signal),
      fenced.replace(PODS, A_POD, signal),
      fenced.apply(PODS, A_POD, { signal }),
      fenced.mergePatch(PODS, AT, {}, signal),
      fenced.delete(PODS, AT, signal),
    ];
    for (const write of writes) await expect(write).rejects.toThrow("leads no more");
    await fenced.get(PODS, AT, signal);
    expect(requests).toEqual([
      "POST /api/v1/namespaces/default/pods",
      "GET /api/v1/namespaces/default/pods/a",
    ]);
  });
});
