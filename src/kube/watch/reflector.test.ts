import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { Cache } from "./cache.ts";
import { KubeClient } from "../client/client.ts";
import type { KubernetesObject } from "../client/object.ts";
import { RateLimiter } from "../client/rate-limiter.ts";
import { PAGE_SIZE, Reflector } from "./reflector.ts";
import { createTransport } from "../client/transport.ts";

type Answer = (request: URL, response: ServerResponse, raw: IncomingMessage) => void;

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const POD = { group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true };

/** A server that gives these answers, one a request, and the last one for ever: faults that a real one cannot be asked for. */
async function aReflectorAgainst(...answers: Answer[]) {
  const requests: URL[] = [];
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://server");
    requests.push(url);
    (answers.length > 1 ? answers.shift() : answers[0])?.(url, response, request);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({
    clusters: [
      {
        name: "c",
        server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        skipTLSVerify: true,
      },
    ],
    users: [{ name: "u" }],
    contexts: [{ name: "x", cluster: "c", user: "u" }],
    currentContext: "x",
  });
  const clock = new ManualClock();
  const cache = new Cache<KubernetesObject>();
  const errors: unknown[] = [];
  const reflector = new Reflector<KubernetesObject>({
    client: new KubeClient({
      transport: createTransport(kubeConfig),
      rateLimiter: new RateLimiter({ clock, perSecond: 1_000, burst: 1_000 }),
      fieldManager: "test",
    }),
    type: POD,
    cache,
    clock,
    random: () => 0.5,
    onError: (error) => errors.push(error),
  });
  const stop = new AbortController();
  const running = reflector.run(stop.signal);
  stops.push(() => {
    stop.abort();
    server.closeAllConnections();
    server.close();
  });
  const names = (): string[] => [...cache.all()].map((object) => object.metadata.name).sort();
  return { requests, clock, cache, errors, reflector, running, stop, names };
}

const aPod = (name: string, resourceVersion: string): KubernetesObject => ({
  metadata: { name, namespace: "default", uid: name, resourceVersion },
});
const list =
  (resourceVersion: string, items: KubernetesObject[], next = ""): Answer =>
  (_, response) =>
    response.end(JSON.stringify({ metadata: { resourceVersion, continue: next }, items }));
const failure =
  (status: number, reason: string, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response
      .writeHead(status, headers)
      .end(JSON.stringify({ kind: "Status", reason, message: reason }));
/** Sends the events, then stays open, ends, or is cut. */
const watch =
  (events: object[], then: "stays" | "ends" | "is cut"): Answer =>
  (_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
    if (then === "ends") response.end();
    // What was written is to arrive first.
    if (then === "is cut") setImmediate(() => response.socket?.destroy());
  };

describe("Reflector", () => {
  it("lists in pages, then watches from where the list was taken", async () => {
    const { requests, reflector, names } = await aReflectorAgainst(
      list("7", [aPod("a", "1")], "next-page"),
      list("7", [aPod("b", "2")]),
      watch([{ type: "ADDED", object: aPod("c", "8") }], "stays"),
    );
    await reflector.synced;
    await vi.waitFor(() => expect(names()).toEqual(["a", "b", "c"]));
    expect(requests[0]?.searchParams.get("limit")).toBe(String(PAGE_SIZE));
    expect(requests[1]?.searchParams.get("continue")).toBe("next-page");
    expect(Object.fromEntries(requests[2]?.searchParams ?? [])).toEqual({
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: "7",
      timeoutSeconds: "450",
    });
  });

  it("goes on from the last bookmark when the server ends the watch", async () => {
    const { requests, clock } = await aReflectorAgainst(
      list("7", []),
      watch([{ type: "BOOKMARK", object: { metadata: { resourceVersion: "99" } } }], "ends"),
      watch([], "stays"),
    );
    await vi.waitFor(async () => {
      await clock.advance(1_000);
      expect(requests).toHaveLength(3);
    });
    expect(requests[2]?.searchParams.get("resourceVersion")).toBe("99");
  });

  it.each([
    ["an answer 410", failure(410, "Expired")],
    [
      "an event 410",
      watch(
        [{ type: "ERROR", object: { code: 410, reason: "Expired", message: "too old" } }],
        "stays",
      ),
    ],
  ])("lists afresh after %s, and drops what went meanwhile", async (_, expired) => {
    const { requests, clock, names, errors } = await aReflectorAgainst(
      list("7", [aPod("a", "1"), aPod("b", "2")]),
      expired,
      list("50", [aPod("b", "2")]),
      watch([], "stays"),
    );
    await vi.waitFor(async () => {
      await clock.advance(1_000);
      expect(requests).toHaveLength(4);
    });
    expect(names()).toEqual(["b"]);
    expect(requests[3]?.searchParams.get("resourceVersion")).toBe("50");
    expect(errors).toEqual([]);
  });

  it("never gives up: cut watches, 500s, 403s and nonsense are told and tried again", async () => {
    const { requests, clock, names, errors } = await aReflectorAgainst(
      failure(500, "InternalError"),
      failure(403, "Forbidden"),
      (_, response) => response.end("<html>"),
      (_, response) => response.socket?.destroy(),
      list("7", [aPod("a", "1")]),
      watch([{ type: "ADDED", object: aPod("b", "8") }], "is cut"),
      failure(503, "ServiceUnavailable"),
      watch([{ type: "ERROR", object: { code: 500, reason: "InternalError" } }], "stays"),
      watch([{ type: "DELETED", object: aPod("a", "9") }], "stays"),
    );
    await vi.waitFor(
      async () => {
        await clock.advance(30_000);
        expect(names()).toEqual(["b"]);
      },
      { timeout: 5_000, interval: 5 },
    );
    expect(requests).toHaveLength(9);
    expect(errors).toHaveLength(7);
    expect(requests[6]?.searchParams.get("resourceVersion")).toBe("8");
  });

  it("waits as long as the server asks before it tries again", async () => {
    const { requests, clock } = await aReflectorAgainst(
      failure(429, "TooManyRequests", { "retry-after": "5" }),
      list("7", []),
      watch([], "stays"),
    );
    await vi.waitFor(() => expect(clock.pendingTimers).toBe(1));
    await clock.advance(4_999);
    expect(requests).toHaveLength(1);
    await vi.waitFor(async () => {
      await clock.advance(100);
      expect(requests.length).toBeGreaterThan(1);
    });
  });

  it("ends when it is told to", async () => {
    const { reflector, running, stop } = await aReflectorAgainst(list("7", []), watch([], "stays"));
    await reflector.synced;
    stop.abort();
    await running;
  });

  it("keeps of an object what is asked for, and never the manifest that kubectl wrote into it", async () => {
    const annotated = (name: string, resourceVersion: string): KubernetesObject => {
      const pod = aPod(name, resourceVersion);
      pod.metadata.annotations = {
        "kubectl.kubernetes.io/last-applied-configuration": "canary-value",
        kept: "yes",
      };
      pod.metadata.managedFields = [{ manager: "kubectl", operation: "Update" }];
      return pod;
    };
    const { cache, reflector } = await aReflectorAgainst(
      list("7", [annotated("a", "1")]),
      watch([{ type: "ADDED", object: annotated("b", "8") }], "stays"),
    );
    await reflector.synced;
    await vi.waitFor(() => expect(cache.size).toBe(2));
    expect(
      [...cache.all()].map(({ metadata }) => [metadata.annotations, metadata.managedFields]),
    ).toEqual([
      [{ kept: "yes" }, undefined],
      [{ kept: "yes" }, undefined],
    ]);
  });
});
