/** What the machinery of src/kube makes of servers that die, networks that break and histories that are forgotten. */
import { setTimeout as delay } from "node:timers/promises";
import { KubeConfig } from "@kubernetes/client-node";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, ConnectionError, isExpired } from "../../../src/kube/client/api-error.ts";
import { Cache } from "../../../src/kube/watch/cache.ts";
import { KubeClient } from "../../../src/kube/client/client.ts";
import type { KubernetesObject, ResourceType } from "../../../src/kube/client/object.ts";
import { RateLimiter } from "../../../src/kube/client/rate-limiter.ts";
import { Reflector } from "../../../src/kube/watch/reflector.ts";
import { createTransport } from "../../../src/kube/client/transport.ts";
import { systemClock } from "../../../src/time/clock.ts";
import {
  APIFaultProxy,
  everyNth,
  type FaultRule,
  type ProxiedRequest,
} from "../../support/kubernetes/api-fault-proxy.ts";
import {
  KUBE_API_SERVER_TIMEOUT_MS,
  startKubeAPIServer,
} from "../../support/kubernetes/kube-api-server.ts";
import { numberedNames } from "../../support/builders/numbered-names.ts";
import { forAllTests, forEachTest } from "../../support/builders/fixtures.ts";

const CONFIG_MAPS: ResourceType = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  namespaced: true,
};
const SOON = { timeout: 60_000, interval: 20 };

interface ConfigMap extends KubernetesObject {
  data?: Record<string, string>;
}

const { signal } = new AbortController();
const namespaces = numberedNames("faults");
const stops: (() => Promise<void>)[] = [];

const server = forAllTests(
  () => startKubeAPIServer(),
  (server) => server.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const proxy = forAllTests(
  () => APIFaultProxy.start(server()),
  (proxy) => proxy.stop(),
);
/** Past all faults. */
const direct = forAllTests(() => aClient(server().kubeconfig));

const namespace = forEachTest(() => namespaces.next());
beforeEach(async () => {
  const manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace() } };
  await server().request("POST", "/api/v1/namespaces", manifest);
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function aClient(kubeconfig: string): KubeClient {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(kubeconfig);
  return new KubeClient({
    transport: createTransport(kubeConfig),
    rateLimiter: new RateLimiter({ clock: systemClock, perSecond: 500, burst: 500 }),
    fieldManager: "test",
    repeating: { random: Math.random },
  });
}

/** Until it is called, or the test ends. */
function inject(rule: FaultRule): () => void {
  const end = proxy().inject(rule);
  stops.push(async () => end());
  return end;
}

/** Behind the proxy, of the test's own namespace; and what its cache told. */
async function aReflector() {
  const cache = new Cache<ConfigMap>();
  const changes: string[] = [];
  cache.subscribe(({ before, after }) => {
    const { name = "" } = (after ?? before)?.metadata ?? {};
    changes.push(after === undefined ? `${name} gone` : `${name} ${after.data?.["n"] ?? ""}`);
  });
  const errors: unknown[] = [];
  const reflector = new Reflector<ConfigMap>({
    client: aClient(await proxy().kubeconfig(server().kubeconfig)),
    type: CONFIG_MAPS,
    cache,
    namespace: namespace(),
    clock: systemClock,
    random: Math.random,
    onError: (error) => errors.push(error),
  });
  const stop = new AbortController();
  const running = reflector.run(stop.signal);
  stops.push(async () => {
    stop.abort();
    await running;
  });
  const since = proxy().requests.length;
  const ours = (): ProxiedRequest[] =>
    proxy()
      .requests.slice(since)
      .filter(({ url }) => url.pathname.includes(`/${namespace()}/`));
  return {
    cache,
    changes,
    errors,
    reflector,
    has: () => [...cache.all()].map(({ metadata }) => metadata.name).sort(),
    lists: () => ours().filter(({ isWatch }) => !isWatch),
    watches: () => ours().filter(({ isWatch }) => isWatch),
  };
}

const aConfigMap = (name: string, n = 1): ConfigMap => ({
  metadata: { name, namespace: namespace() },
  data: { n: String(n) },
});
const create = (name: string): Promise<ConfigMap> =>
  direct().create(CONFIG_MAPS, aConfigMap(name), signal);
const remove = (name: string): Promise<void> =>
  direct().delete(CONFIG_MAPS, { namespace: namespace(), name }, signal);

describe("through faults of the API server and the network,", () => {
  it("a watch that is cut goes on where it was, and nothing is missed or told twice", async () => {
    const { reflector, changes, lists, watches, errors } = await aReflector();
    await reflector.synced;
    const wanted: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      await create(`before-${round}`);
      await vi.waitFor(() => expect(proxy().cutWatches()).toBe(1), SOON);
      await create(`after-${round}`);
      wanted.push(`before-${round} 1`, `after-${round} 1`);
      await vi.waitFor(() => expect(changes).toEqual(wanted), SOON);
    }
    expect(lists()).toHaveLength(1);
    expect(watches().length).toBe(4);
    expect(errors.every((error) => error instanceof ConnectionError)).toBe(true);
  });

  it("a server that was killed and came back is listed once more, and what went meanwhile is gone", async () => {
    for (const name of ["stays", "goes"]) await create(name);
    const { reflector, changes, has, lists } = await aReflector();
    await reflector.synced;
    await server().kill();
    // Long enough for several tries.
    await delay(1_500);
    await server().start();
    await remove("goes");
    await create("comes");
    await vi.waitFor(() => expect(has()).toEqual(["comes", "stays"]), SOON);
    expect(changes.slice(2).sort()).toEqual(["comes 1", "goes gone"]);
    expect(lists().filter(({ status }) => status === 200).length).toBeLessThanOrEqual(2);
  });

  it("a history that was forgotten while the watch was away is listed afresh", async () => {
    for (const name of ["stays", "goes", "changes"]) await create(name);
    const { changes, has, lists, watches, errors } = await aReflector();
    await vi.waitFor(() => expect(watches().map(({ status }) => status)).toEqual([200]), SOON);
    await proxy().refuse();
    await remove("goes");
    await direct().apply(CONFIG_MAPS, aConfigMap("changes", 2), { signal });
    // The server remembers for itself what etcd forgets.
    await server().compact();
    await server().kill();
    await server().start();
    await proxy().accept();
    await vi.waitFor(() => expect(has()).toEqual(["changes", "stays"]), SOON);
    expect(changes.slice(3).sort()).toEqual(["changes 2", "goes gone"]);
    expect(lists()).toHaveLength(2);
    expect(errors.some(isExpired)).toBe(false);
    await create("comes");
    await vi.waitFor(() => expect(changes.at(-1)).toBe("comes 1"), SOON);
    // The second was taken up, and ended with an event that said so.
    expect(watches().map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it("a watch that is refused as too old is listed afresh", async () => {
    const { reflector, changes, lists } = await aReflector();
    await reflector.synced;
    await vi.waitFor(() => expect(proxy().cutWatches()).toBe(1), SOON);
    const end = inject(({ isWatch }) => (isWatch ? { answer: 410, reason: "Expired" } : undefined));
    await create("comes");
    await vi.waitFor(() => expect(changes).toEqual(["comes 1"]), SOON);
    end();
    await create("comes-too");
    await vi.waitFor(() => expect(changes).toEqual(["comes 1", "comes-too 1"]), SOON);
    expect(lists().length).toBeGreaterThan(1);
  });

  it("a list whose pages outlive the history begins anew", async () => {
    // All at once would be more than a busy machine connects within the client's limit.
    for (let first = 0; first < 600; first += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => create(`many-${first + index}`)));
    }
    let expired = 0;
    const end = inject(({ url }) => {
      if (!url.searchParams.has("continue") || expired++ > 0) return undefined;
      return { answer: 410, reason: "Expired" };
    });
    const { reflector, cache, lists } = await aReflector();
    await reflector.synced;
    end();
    expect(cache.size).toBe(600);
    expect(lists().map(({ status }) => status)).toEqual([200, 410, 200, 200]);
  });

  it.each([
    ["429", { answer: 429, reason: "TooManyRequests", retryAfterSeconds: 1 }],
    ["500", { answer: 500, reason: "InternalError" }],
    ["503", { answer: 503, reason: "ServiceUnavailable" }],
    ["a cut", { cut: "unanswered" }],
  ] as const)(
    "nothing is seen in the cache of %s, which befall every second request",
    async (_, fault) => {
      await create("was-there");
      const end = inject(everyNth(2, () => fault));
      const { reflector, changes, errors, has } = await aReflector();
      await reflector.synced;
      for (let round = 0; round < 3; round += 1) {
        await vi.waitFor(() => expect(proxy().cutWatches()).toBe(1), SOON);
        await create(`comes-${round}`);
        await vi.waitFor(() => expect(changes.at(-1)).toBe(`comes-${round} 1`), SOON);
      }
      end();
      expect(has()).toEqual(["comes-0", "comes-1", "comes-2", "was-there"]);
      expect(changes).toHaveLength(4);
      expect(errors.length).toBeGreaterThan(2);
    },
  );

  it("a client reads through faults, and writes once whatever befell its requests", async () => {
    const client = aClient(await proxy().kubeconfig(server().kubeconfig));
    const end = inject(
      everyNth(2, () => ({ answer: 429, reason: "TooManyRequests", retryAfterSeconds: 0 })),
    );
    for (let round = 0; round < 5; round += 1) {
      const { metadata } = await client.create(CONFIG_MAPS, aConfigMap(`written-${round}`), signal);
      const at = { namespace: namespace(), name: metadata.name };
      expect(await client.get(CONFIG_MAPS, at, signal)).toMatchObject({ metadata: at });
    }
    end();
    const lose = inject(({ method }) => (method === "POST" ? { cut: "unanswered" } : undefined));
    // It may have been carried out, and was: only the caller knows what to do about that.
    const lost = client.create(CONFIG_MAPS, aConfigMap("lost"), signal);
    await expect(lost).rejects.toMatchObject({ name: "ConnectionError", wasSent: true });
    lose();
    expect(
      await client.get(CONFIG_MAPS, { namespace: namespace(), name: "lost" }, signal),
    ).toBeDefined();
    const again = client.create(CONFIG_MAPS, aConfigMap("lost"), signal);
    await expect(again).rejects.toBeInstanceOf(ApiError);
  });

  it("a write that finds no server waits for one", async () => {
    const client = aClient(await proxy().kubeconfig(server().kubeconfig));
    await proxy().refuse();
    const created = client.create(CONFIG_MAPS, aConfigMap("patient"), signal);
    await delay(500);
    await proxy().accept();
    expect((await created).metadata.name).toBe("patient");
  });
});
