import { KubeConfig } from "@kubernetes/client-node";
import { afterEach, describe, expect, it } from "vitest";
import { type HttpServer, startHttpServer } from "../../../test/support/processes/http-server.ts";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { Cache } from "../../kube/watch/cache.ts";
import { KubeClient } from "../../kube/client/client.ts";
import type { KubernetesObject } from "../../kube/client/object.ts";
import { RateLimiter } from "../../kube/client/rate-limiter.ts";
import { createTransport } from "../../kube/client/transport.ts";
import type { SecretObject } from "./kubernetes-objects.ts";
import { createSecretReader } from "./secret-reader.ts";

const KEY = "team/model";
const METADATA = { name: "model", namespace: "team", uid: "one" };
const { signal } = new AbortController();
const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** The one Secret of a server, as the cache and the server have it. */
async function aRig() {
  const rig = { live: undefined as SecretObject | undefined, status: 200, reads: 0 };
  const server = await startHttpServer((_, response) => {
    rig.reads += 1;
    const status = rig.status === 200 && rig.live === undefined ? 404 : rig.status;
    response.writeHead(status).end(JSON.stringify(rig.live ?? {}));
  });
  servers.push(server);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(
    { name: "c", server: server.url, skipTLSVerify: true },
    { name: "u" },
  );
  const client = new KubeClient({
    transport: createTransport(kubeConfig),
    rateLimiter: new RateLimiter({ clock: new ManualClock(), perSecond: 1_000, burst: 1_000 }),
    fieldManager: "test",
  });
  const secrets = new Cache<KubernetesObject>();
  const reader = createSecretReader({ client, caches: { secrets } });
  const put = (resourceVersion: string, value: string, uid = "one"): void => {
    const metadata = { ...METADATA, uid, resourceVersion };
    rig.live = { metadata, data: { "api-key": btoa(value) } };
    secrets.set({ metadata });
  };
  return Object.assign(rig, { secrets, put, facts: () => reader.facts(KEY, signal) });
}

describe("ObjectReader", () => {
  it("a Secret that is not in the cache is not there, and is not read", async () => {
    const rig = await aRig();
    expect(await rig.facts()).toBeUndefined();
    expect(rig.reads).toBe(0);
  });

  it("a version is read once, however many ask", async () => {
    const rig = await aRig();
    rig.put("1", "sk-1");
    const all = await Promise.all([rig.facts(), rig.facts(), rig.facts()]);
    expect(all.map((facts) => facts?.keys)).toEqual([["api-key"], ["api-key"], ["api-key"]]);
    await rig.facts();
    expect(rig.reads).toBe(1);
  });

  it("the digest changes with the value, differs from Secret to Secret, and is the same in every process", async () => {
    const rig = await aRig();
    const digest = async (): Promise<string | undefined> =>
      (await rig.facts())?.digests.get("api-key");
    rig.put("1", "sk-1");
    const first = await digest();
    expect(first).toMatch(/^[0-9a-f]{12}$/);
    rig.put("2", "sk-1");
    expect(await digest()).toBe(first);
    rig.put("3", "sk-2");
    expect(await digest()).not.toBe(first);
    rig.put("4", "sk-1", "two");
    expect(await digest()).not.toBe(first);
    expect(rig.reads).toBe(4);

    const other = await aRig();
    other.put("9", "sk-1");
    expect((await other.facts())?.digests.get("api-key")).toBe(first);
  });

  it("a Secret that went before it was read is not there", async () => {
    const rig = await aRig();
    rig.put("1", "sk-1");
    rig.live = undefined;
    expect(await rig.facts()).toBeUndefined();
  });

  it("a read that failed is a failure, and is made again by the next who asks", async () => {
    const rig = await aRig();
    rig.put("1", "sk-1");
    rig.status = 500;
    await expect(rig.facts()).rejects.toThrow("500");
    rig.status = 200;
    expect((await rig.facts())?.keys).toEqual(["api-key"]);
  });

  it("of a Secret that was deleted nothing is kept", async () => {
    const rig = await aRig();
    rig.put("1", "sk-1");
    await rig.facts();
    rig.secrets.delete(KEY);
    expect(await rig.facts()).toBeUndefined();
    rig.put("1", "sk-1");
    await rig.facts();
    expect(rig.reads).toBe(2);
  });
});
