import { KubeConfig } from "@kubernetes/client-node";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { anAgentRuntime } from "../../../test/support/builders/resources.ts";
import { startHttpServer } from "../../../test/support/processes/http-server.ts";
import { KubeClient } from "../../kube/client/client.ts";
import { RateLimiter } from "../../kube/client/rate-limiter.ts";
import { createTransport } from "../../kube/client/transport.ts";
import { createCaches } from "./caches.ts";
import { FollowedSecrets } from "./followed-secrets.ts";
import type { StoredAgentRuntime } from "./kubernetes-objects.ts";

const KEY = "agents/openai-credentials";
const VALUE = "c4n4ry";

/** A server with one Secret, to which an agent refers. */
async function aRig({ jitter = 0.5 }: { jitter?: number } = {}) {
  const rig = { version: 1 as number | undefined, status: 200, requests: [] as string[] };
  const server = await startHttpServer(({ url = "", headers }, response) => {
    rig.requests.push(url);
    const status = rig.version === undefined ? 404 : rig.status;
    // An API server that knows nothing of metadata alone gives the whole object.
    const metadata = {
      name: "openai-credentials",
      namespace: "agents",
      uid: "one",
      resourceVersion: String(rig.version),
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": VALUE },
    };
    expect(headers.accept).toContain("as=PartialObjectMetadata;");
    response.writeHead(status).end(JSON.stringify({ metadata, data: { "api-key": VALUE } }));
  });
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(
    { name: "c", server: server.url, skipTLSVerify: true },
    { name: "u" },
  );
  const transport = createTransport(kubeConfig);
  const clock = new ManualClock();
  const client = new KubeClient({
    transport,
    rateLimiter: new RateLimiter({ clock, perSecond: 1_000, burst: 1_000 }),
    fieldManager: "test",
  });
  const caches = createCaches();
  caches.agentRuntimes.set(anAgentRuntime() as StoredAgentRuntime);
  const changes: (string | undefined)[] = [];
  caches.secrets.subscribe(({ after }) => changes.push(after?.metadata.resourceVersion));
  const followed = new FollowedSecrets({
    client,
    caches,
    clock,
    random: () => jitter,
    settings: {},
  });
  const ending = new AbortController();
  const running = followed.controller.run(ending.signal);
  onTestFinished(async () => {
    ending.abort();
    await running;
    transport.close();
    await server.close();
  });
  const newest = async (): Promise<string | undefined> =>
    (await followed.newest(KEY, ending.signal))?.metadata.resourceVersion;
  const looked = (times: number): Promise<void> =>
    vi.waitFor(() => {
      expect(rig.requests).toHaveLength(times);
      expect(followed.controller.activeWorkers).toBe(0);
    });
  return Object.assign(rig, { clock, caches, changes, newest, looked });
}

describe("FollowedSecrets", () => {
  it("read a Secret by its name when somebody asks for it, once for all who ask", async () => {
    const rig = await aRig();
    expect(rig.requests).toEqual([]);
    expect(await Promise.all([rig.newest(), rig.newest(), rig.newest()])).toEqual(["1", "1", "1"]);
    expect(await rig.newest()).toBe("1");
    expect(rig.requests).toEqual(["/api/v1/namespaces/agents/secrets/openai-credentials"]);
    expect(JSON.stringify([...rig.caches.secrets.all()])).not.toContain(VALUE);
  });

  it.each([
    [0, 45_000],
    [0.5, 60_000],
    [1, 75_000],
  ])(
    "look at it again after a time with jitter (%d: %d ms), and tell of a change",
    async (jitter, afterMs) => {
      const rig = await aRig({ jitter });
      await rig.newest();
      await rig.clock.advance(afterMs - 1);
      expect(rig.requests).toHaveLength(1);
      rig.version = 2;
      await rig.clock.advance(1);
      await rig.looked(2);
      expect(await rig.newest()).toBe("2");
      await rig.clock.advance(afterMs);
      await rig.looked(3);
      rig.version = undefined;
      await rig.clock.advance(afterMs);
      await rig.looked(4);
      expect(await rig.newest()).toBeUndefined();
      expect(rig.changes).toEqual(["1", "2", undefined]);
    },
  );

  it("look more often for one that is missing", async () => {
    const rig = await aRig();
    rig.version = undefined;
    expect(await rig.newest()).toBeUndefined();
    await rig.clock.advance(10_000);
    await rig.looked(2);
    rig.version = 1;
    await rig.clock.advance(10_000);
    await rig.looked(3);
    expect(await rig.newest()).toBe("1");
  });

  it("tell nothing of a look that failed, and make it again", async () => {
    const rig = await aRig();
    rig.status = 500;
    await expect(rig.newest()).rejects.toThrow("500");
    rig.status = 200;
    expect(await rig.newest()).toBe("1");
    rig.status = 500;
    await rig.clock.advance(60_000);
    await rig.looked(3);
    expect(await rig.newest()).toBe("1");
    rig.status = 200;
    rig.version = 2;
    await rig.clock.advance(5_000);
    await rig.looked(4);
    expect(await rig.newest()).toBe("2");
  });

  it("neither look at nor keep one that no agent refers to any more", async () => {
    const rig = await aRig();
    await rig.newest();
    rig.caches.agentRuntimes.delete("agents/support");
    await rig.clock.advance(200_000);
    expect(rig.requests).toHaveLength(1);
    expect(rig.caches.secrets.size).toBe(0);
    // Somebody asks nevertheless.
    rig.version = 2;
    expect(await rig.newest()).toBe("2");
  });
});
