import { createHash, randomUUID } from "node:crypto";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, describe, expect, it, vi } from "vitest";
import { isConflict, isNotFound } from "../../../src/kube/client/api-error.ts";
import { applyOwned, NotOursError } from "../../../src/kube/apply-owned.ts";
import { applyStatus } from "../../../src/kube/apply-status.ts";
import { Cache } from "../../../src/kube/watch/cache.ts";
import { KubeClient } from "../../../src/kube/client/client.ts";
import { Controller } from "../../../src/kube/controller/controller.ts";
import { EVENTS, EventRecorder } from "../../../src/kube/events.ts";
import { LEASES, runAsLeader } from "../../../src/kube/controller/leader-election.ts";
import {
  keyOf,
  type KubernetesObject,
  type ResourceType,
} from "../../../src/kube/client/object.ts";
import { RateLimiter } from "../../../src/kube/client/rate-limiter.ts";
import { Reflector } from "../../../src/kube/watch/reflector.ts";
import { createTransport } from "../../../src/kube/client/transport.ts";
import { systemClock } from "../../../src/time/clock.ts";
import {
  KUBE_API_SERVER_TIMEOUT_MS,
  startKubeAPIServer,
} from "../../support/kubernetes/kube-api-server.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

const CONFIG_MAPS: ResourceType = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  namespaced: true,
};
const SERVICES: ResourceType = { ...CONFIG_MAPS, kind: "Service", plural: "services" };

interface ConfigMap extends KubernetesObject {
  data?: Record<string, string>;
}

const ended = new AbortController();
const { signal } = ended;

const server = forAllTests(
  () => startKubeAPIServer(),
  (server) => server.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const client = forAllTests(() => aClient());
afterAll(async () => {
  ended.abort();
});

function aClient(fieldManager = "test"): KubeClient {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(server().kubeconfig);
  return new KubeClient({
    transport: createTransport(kubeConfig),
    rateLimiter: new RateLimiter({ clock: systemClock, perSecond: 500, burst: 500 }),
    fieldManager,
  });
}

function aConfigMap(name: string, data: Record<string, string> = {}): ConfigMap {
  return { metadata: { name, namespace: "default" }, data };
}

const appliedAnnotation = "example.com/applied";
const digest = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 12);

describe("the machinery of src/kube at a real API server", () => {
  it("says of an object that is not there, and of one that is there already, which it is", async () => {
    const at = { namespace: "default", name: "missing" };
    await expect(client().get(CONFIG_MAPS, at, signal)).rejects.toSatisfy(isNotFound);
    await client().create(CONFIG_MAPS, aConfigMap("there"), signal);
    await expect(client().create(CONFIG_MAPS, aConfigMap("there"), signal)).rejects.toSatisfy(
      isConflict,
    );
  });

  it("reflects what is there, what comes, what changes and what goes", async () => {
    for (let index = 0; index < 7; index += 1) {
      await client().create(CONFIG_MAPS, aConfigMap(`reflected-${index}`), signal);
    }
    const cache = new Cache<ConfigMap>();
    const stop = new AbortController();
    const reflector = new Reflector<ConfigMap>({
      client: client(),
      type: CONFIG_MAPS,
      cache,
      namespace: "default",
      clock: systemClock,
      random: Math.random,
      onError: (error) => expect.unreachable(String(error)),
    });
    const running = reflector.run(stop.signal);
    await reflector.synced;
    expect(cache.get("default/reflected-6")).toBeDefined();
    expect(cache.get("default/reflected-6")?.metadata.managedFields).toBeUndefined();

    await client().create(CONFIG_MAPS, aConfigMap("reflected-new", { a: "1" }), signal);
    await vi.waitFor(() => expect(cache.get("default/reflected-new")?.data).toEqual({ a: "1" }));
    const at = { namespace: "default", name: "reflected-new" };
    await client().mergePatch(CONFIG_MAPS, at, { data: { a: "2" } }, signal);
    await vi.waitFor(() => expect(cache.get("default/reflected-new")?.data).toEqual({ a: "2" }));
    await client().delete(CONFIG_MAPS, at, signal);
    await vi.waitFor(() => expect(cache.get("default/reflected-new")).toBeUndefined());
    stop.abort();
    await running;
  });

  it("never holds the content where it reflects metadata alone", async () => {
    await client().create(CONFIG_MAPS, aConfigMap("discreet", { secret: "content" }), signal);
    const cache = new Cache<ConfigMap>();
    const stop = new AbortController();
    const reflector = new Reflector<ConfigMap>({
      client: client(),
      type: CONFIG_MAPS,
      cache,
      metadataOnly: true,
      clock: systemClock,
      random: Math.random,
      onError: (error) => expect.unreachable(String(error)),
    });
    const running = reflector.run(stop.signal);
    await reflector.synced;
    expect(cache.get("default/discreet")?.metadata.name).toBe("discreet");
    await client().create(CONFIG_MAPS, aConfigMap("discreet-too", { secret: "content" }), signal);
    await vi.waitFor(() => expect(cache.get("default/discreet-too")).toBeDefined());
    expect(JSON.stringify([...cache.all()])).not.toContain("content");
    stop.abort();
    await running;
  });

  it("keeps of an object what it is asked to keep", async () => {
    const labels = { trimmed: "yes" };
    const made = (name: string): ConfigMap => ({
      metadata: { name, namespace: "default", labels },
      data: { kept: "kept", dropped: "dropped" },
    });
    await client().create(CONFIG_MAPS, made("trimmed"), signal);
    const cache = new Cache<ConfigMap>();
    const stop = new AbortController();
    const reflector = new Reflector<ConfigMap>({
      client: client(),
      type: CONFIG_MAPS,
      cache,
      labelSelector: "trimmed=yes",
      transform: ({ metadata, data = {} }) => ({ metadata, data: { kept: data["kept"] ?? "" } }),
      clock: systemClock,
      random: Math.random,
      onError: (error) => expect.unreachable(String(error)),
    });
    const running = reflector.run(stop.signal);
    await reflector.synced;
    await client().create(CONFIG_MAPS, made("trimmed-too"), signal);
    await vi.waitFor(() => expect(cache.size).toBe(2));
    for (const { data } of cache.all()) expect(data).toEqual({ kept: "kept" });
    stop.abort();
    await running;
  });

  it("works on what is there and on what changes", async () => {
    const cache = new Cache<ConfigMap>();
    const stop = new AbortController();
    const reflector = new Reflector<ConfigMap>({
      client: client(),
      type: CONFIG_MAPS,
      cache,
      labelSelector: "controlled=yes",
      clock: systemClock,
      random: Math.random,
      onError: (error) => expect.unreachable(String(error)),
    });
    const seen: string[] = [];
    const controller = new Controller({
      name: "test",
      clock: systemClock,
      reconcile: async (key) => {
        seen.push(`${key} ${cache.get(key)?.data?.["a"] ?? "gone"}`);
      },
    }).owns(cache);
    const labelled = (data: Record<string, string>): ConfigMap => ({
      metadata: { name: "controlled", namespace: "default", labels: { controlled: "yes" } },
      data,
    });
    await client().create(CONFIG_MAPS, labelled({ a: "1" }), signal);
    const running = [reflector.run(stop.signal)];
    await reflector.synced;
    running.push(controller.run(stop.signal));
    await vi.waitFor(() => expect(seen.at(-1)).toBe("default/controlled 1"));
    await client().apply(CONFIG_MAPS, labelled({ a: "2" }), { signal });
    await vi.waitFor(() => expect(seen.at(-1)).toBe("default/controlled 2"));
    await client().delete(CONFIG_MAPS, { namespace: "default", name: "controlled" }, signal);
    await vi.waitFor(() => expect(seen.at(-1)).toBe("default/controlled gone"));
    stop.abort();
    await Promise.all(running);
  });

  it("applies an owned object once, mends what others changed, takes back what is no longer wanted", async () => {
    const ownerObject = await client().create<ConfigMap>(CONFIG_MAPS, aConfigMap("owner"), signal);
    const owner = {
      apiVersion: "v1",
      kind: "ConfigMap",
      name: "owner",
      uid: ownerObject.metadata.uid ?? "",
      controller: true,
    };
    const at = { namespace: "default", name: "owned" };
    const apply = async (wanted: KubernetesObject): Promise<boolean> => {
      const live = await client()
        .get<ConfigMap>(SERVICES, at, signal)
        .catch(() => undefined);
      delete live?.metadata.managedFields;
      return applyOwned({
        client: client(),
        type: SERVICES,
        live,
        wanted,
        owner,
        appliedAnnotation,
        digest,
        signal,
      });
    };
    const service = (labels: Record<string, string>, port: number): KubernetesObject =>
      ({
        metadata: { ...at, labels },
        spec: { selector: { app: "a" }, ports: [{ name: "facade", port, targetPort: "facade" }] },
      }) as KubernetesObject;

    expect(await apply(service({ one: "1", two: "2" }, 80))).toBe(true);
    expect(await apply(service({ one: "1", two: "2" }, 80))).toBe(false);
    await aClient("somebody").mergePatch(
      SERVICES,
      at,
      { metadata: { labels: { one: "x", theirs: "y" } } },
      signal,
    );
    expect(await apply(service({ one: "1", two: "2" }, 80))).toBe(true);
    expect(await apply(service({ one: "1" }, 8080))).toBe(true);
    expect(await apply(service({ one: "1" }, 8080))).toBe(false);
    const live = await client().get<KubernetesObject>(SERVICES, at, signal);
    expect(live.metadata.labels).toEqual({ one: "1", theirs: "y" });
    expect(live).toMatchObject({ spec: { ports: [{ port: 8080 }] } });
  });

  it("never takes over an object that belongs to somebody else", async () => {
    await client().create(CONFIG_MAPS, aConfigMap("theirs", { a: "1" }), signal);
    const live = await client().get<ConfigMap>(
      CONFIG_MAPS,
      { namespace: "default", name: "theirs" },
      signal,
    );
    const owner = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: randomUUID() };
    const wanted = aConfigMap("theirs", { a: "2" });
    const options = {
      client: client(),
      type: CONFIG_MAPS,
      wanted,
      owner,
      appliedAnnotation,
      digest,
      signal,
    };
    await expect(applyOwned({ ...options, live })).rejects.toBeInstanceOf(NotOursError);
    // A cache that does not know of it yet makes no difference.
    await expect(applyOwned({ ...options, live: undefined })).rejects.toBeInstanceOf(NotOursError);
  });

  it("takes an object for its own that it made and that the cache has not told of yet", async () => {
    const owner = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: randomUUID() };
    const wanted = aConfigMap("just-made", { a: "1" });
    const options = {
      client: client(),
      type: CONFIG_MAPS,
      live: undefined,
      wanted,
      owner,
      appliedAnnotation,
      digest,
      signal,
    };
    expect(await applyOwned(options)).toBe(true);
    expect(await applyOwned(options)).toBe(false);
  });

  it("tells what a deleted owner of the same name left behind from what is somebody else's", async () => {
    const owner = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: randomUUID() };
    const wanted = aConfigMap("left-behind", { a: "1" });
    const options = {
      client: client(),
      type: CONFIG_MAPS,
      live: undefined,
      wanted,
      appliedAnnotation,
      digest,
      signal,
    };
    await applyOwned({ ...options, owner });
    const successor = { ...owner, uid: randomUUID() };
    await expect(applyOwned({ ...options, owner: successor })).rejects.toMatchObject({
      name: "NotOursError",
      isLeftover: true,
    });
  });

  it("writes a status only when it changed", async () => {
    const at = { namespace: "default", name: "with-status" };
    await client().create(
      SERVICES,
      { metadata: at, spec: { ports: [{ port: 80 }] } } as KubernetesObject,
      signal,
    );
    const write = async (status: object): Promise<boolean> =>
      applyStatus({
        client: client(),
        type: SERVICES,
        live: await client().get(SERVICES, at, signal),
        status,
        signal,
      });
    const conditions = [
      {
        type: "Ready",
        status: "True",
        reason: "Ready",
        message: "",
        lastTransitionTime: "2026-01-01T00:00:00Z",
      },
    ];
    expect(await write({ loadBalancer: {}, conditions })).toBe(true);
    expect(await write({ loadBalancer: {}, conditions })).toBe(false);
  });

  it("has two that want to lead do so one after the other, and hands over at once at a clean end", async () => {
    const leading: string[] = [];
    const compete = (identity: string, until: AbortSignal): Promise<void> =>
      runAsLeader(
        {
          client: aClient(),
          namespace: "default",
          name: "test-lease",
          identity,
          clock: systemClock,
          random: Math.random,
          onError: (error) => expect.unreachable(String(error)),
        },
        async (leads) => {
          leading.push(identity);
          await new Promise((resolve) => leads.addEventListener("abort", resolve, { once: true }));
          leading.push(`${identity} ended`);
        },
        until,
      );
    const [first, second] = [new AbortController(), new AbortController()];
    const one = compete("one", first.signal);
    await vi.waitFor(() => expect(leading).toEqual(["one"]), 5_000);
    const two = compete("two", second.signal);
    first.abort();
    await one;
    await vi.waitFor(() => expect(leading).toEqual(["one", "one ended", "two"]), 8_000);
    second.abort();
    await two;
    const lease = await client().get(LEASES, { namespace: "default", name: "test-lease" }, signal);
    expect(lease).toMatchObject({ spec: { holderIdentity: "", leaseTransitions: 1 } });
  });

  it("counts an event that repeats in the one that is there", async () => {
    const about = await client().create<ConfigMap>(CONFIG_MAPS, aConfigMap("eventful"), signal);
    const recorder = new EventRecorder({
      client: client(),
      reportingController: "omnia.altairalabs.ai/test",
      reportingInstance: "test-1",
      clock: systemClock,
      newName: () => randomUUID().slice(0, 8),
      onError: (error) => expect.unreachable(String(error)),
    });
    const event = {
      type: "Warning",
      reason: "NotFound",
      action: "Reconcile",
      note: "ä".repeat(2_000),
    } as const;
    for (let count = 0; count < 3; count += 1)
      await recorder.report(CONFIG_MAPS, about, event, signal);
    const { items } = await client().list<KubernetesObject>(EVENTS, {
      namespace: "default",
      signal,
    });
    const ours = items.filter((item) => keyOf(item.metadata).startsWith("default/eventful."));
    expect(ours).toHaveLength(1);
    expect(ours[0]).toMatchObject({ series: { count: 3 }, regarding: { name: "eventful" } });
  });
});
