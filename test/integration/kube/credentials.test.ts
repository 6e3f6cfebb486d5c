/** The ways in which a kubeconfig, or a pod, says who asks, against a real API server. */
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { afterEach, describe, expect, it, vi } from "vitest";
import { KubeClient } from "../../../src/kube/client/client.ts";
import type { KubernetesObject, ResourceType } from "../../../src/kube/client/object.ts";
import { RateLimiter } from "../../../src/kube/client/rate-limiter.ts";
import { createTransport, type Transport } from "../../../src/kube/client/transport.ts";
import { systemClock } from "../../../src/time/clock.ts";
import {
  KUBE_API_SERVER_TIMEOUT_MS,
  startKubeAPIServer,
} from "../../support/kubernetes/kube-api-server.ts";
import { folderForEachTest, forAllTests } from "../../support/builders/fixtures.ts";

const REVIEWS: ResourceType = {
  group: "authentication.k8s.io",
  version: "v1",
  kind: "SelfSubjectReview",
  plural: "selfsubjectreviews",
  namespaced: false,
};
const NAMESPACES: ResourceType = {
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  namespaced: false,
};
const { signal } = new AbortController();

interface Review extends KubernetesObject {
  status?: { userInfo?: { username?: string } };
}

const transports: Transport[] = [];
const stops: (() => Promise<void>)[] = [];

const server = forAllTests(
  () => startKubeAPIServer({ users: { ann: [], bob: [] } }),
  (server) => server.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);

const folder = folderForEachTest();
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const transport of transports.splice(0)) transport.close();
  for (const stop of stops.splice(0)) await stop();
});

function aClient(kubeConfig: KubeConfig): KubeClient {
  const transport = createTransport(kubeConfig);
  transports.push(transport);
  return new KubeClient({
    transport,
    rateLimiter: new RateLimiter({ clock: systemClock, perSecond: 500, burst: 500 }),
    fieldManager: "test",
  });
}

/** As the server sees it. */
async function whoIs(client: KubeClient): Promise<string | undefined> {
  const review = { metadata: {} } as unknown as Review;
  const { status } = await client.create<Review>(REVIEWS, review, signal);
  return status?.userInfo?.username;
}

async function aPod(): Promise<{ kubeConfig: KubeConfig; file: (name: string) => string }> {
  const secrets = join(folder(), "var/run/secrets/kubernetes.io/serviceaccount");
  const file = (name: string): string => join(secrets, name);
  await mkdir(secrets, { recursive: true });
  await writeFile(file("ca.crt"), server().ca);
  await writeFile(file("token"), server().tokens["ann"] ?? "");
  const { hostname, port } = new URL(server().url);
  vi.stubEnv("KUBERNETES_SERVICE_HOST", hostname);
  vi.stubEnv("KUBERNETES_SERVICE_PORT", port);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromCluster(folder());
  return { kubeConfig, file };
}

function aKubeconfig(user: object, cluster: object = {}): KubeConfig {
  const certificate = Buffer.from(server().ca).toString("base64");
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(
    JSON.stringify({
      clusters: [
        {
          name: "c",
          cluster: { server: server().url, "certificate-authority-data": certificate, ...cluster },
        },
      ],
      users: [{ name: "u", user }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    }),
  );
  return kubeConfig;
}

/** A plugin that gives the tokens of these users, one a run, and the last one for ever. */
async function aPlugin(...users: string[]): Promise<{ user: object; runs: () => Promise<number> }> {
  const program = join(folder(), "plugin");
  const runs = join(folder(), "runs");
  const tokens = users.map((user) => server().tokens[user] ?? user).join(" ");
  await writeFile(runs, "");
  await writeFile(
    program,
    `echo run >> ${runs}
set -- ${tokens}
for run in $(sed 1d ${runs}); do test $# -gt 1 && shift; done
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' $1
`,
  );
  const apiVersion = "client.authentication.k8s.io/v1";
  return {
    user: { exec: { apiVersion, command: "sh", args: [program], interactiveMode: "Never" } },
    runs: async () => (await readFile(runs, "utf8")).split("\n").length - 1,
  };
}

describe("the credentials of a client", () => {
  it("are found in a pod with its server, and a token that rotates is taken up at once", async () => {
    const { kubeConfig, file } = await aPod();
    const client = aClient(kubeConfig);
    expect(await whoIs(client)).toBe("ann");
    await writeFile(file("token"), `${server().tokens["bob"]}\n`);
    expect(await whoIs(client)).toBe("bob");
  });

  it("go to no server in a pod that its authority does not vouch for, also when that one changes", async () => {
    const { kubeConfig, file } = await aPod();
    const client = aClient(kubeConfig);
    await writeFile(file("ca.crt"), "");
    await expect(whoIs(client)).rejects.toMatchObject({ name: "ConnectionError", wasSent: false });
    await writeFile(file("ca.crt"), server().ca);
    expect(await whoIs(client)).toBe("ann");
  });

  it("come from a plugin that runs once for all who ask, and again only when the server refuses what it gave", async () => {
    const { user, runs } = await aPlugin("ann");
    const client = aClient(aKubeconfig(user));
    const asked = Array.from({ length: 5 }, () => whoIs(client));
    expect(new Set(await Promise.all(asked))).toEqual(new Set(["ann"]));
    expect(await whoIs(client)).toBe("ann");
    expect(await runs()).toBe(1);
    const refused = await aPlugin("revoked", "bob");
    const another = aClient(aKubeconfig(refused.user));
    expect(await whoIs(another)).toBe("bob");
    expect(await refused.runs()).toBe(2);
  });

  it("of a plugin that are refused again and again are a refusal", async () => {
    const { user, runs } = await aPlugin("revoked");
    await expect(whoIs(aClient(aKubeconfig(user)))).rejects.toMatchObject({ status: 401 });
    expect(await runs()).toBe(2);
  });

  it("of a plugin that fails, hangs or is missing fail the request and nothing else", async () => {
    const missing = { exec: { command: join(folder(), "missing") } };
    const failing = { exec: { command: "sh", args: ["-c", "exit 1"] } };
    for (const user of [missing, failing]) {
      const asked = whoIs(aClient(aKubeconfig(user)));
      await expect(asked).rejects.toMatchObject({ name: "ConnectionError", wasSent: false });
    }
    const hanging = aClient(aKubeconfig({ exec: { command: "sh", args: ["-c", "sleep 5"] } }));
    const impatient = AbortSignal.timeout(200);
    const asked = hanging.get(NAMESPACES, { name: "default" }, impatient);
    await expect(asked).rejects.toMatchObject({ name: "TimeoutError" });
  });

  it("go through the proxy that the kubeconfig names, with watches too", async () => {
    const tunnels: string[] = [];
    const proxy = createServer().listen(0, "127.0.0.1");
    proxy.on("connect", (request, near) => {
      tunnels.push(request.url ?? "");
      const { hostname, port } = new URL(`http://${request.url}`);
      const far = connect(Number(port), hostname, () => {
        near.write("HTTP/1.1 200 OK\r\n\r\n");
        near.pipe(far).pipe(near);
      });
      for (const socket of [near, far]) socket.on("error", () => far.destroy());
    });
    await once(proxy, "listening");
    stops.push(async () => {
      proxy.closeAllConnections();
      proxy.close();
    });
    const proxyURL = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const client = aClient(aKubeconfig({ token: server().token }, { "proxy-url": proxyURL }));
    expect(await whoIs(client)).toBe("admin");
    const { items, resourceVersion } = await client.list(NAMESPACES, { signal });
    expect(items.length).toBeGreaterThan(0);
    const ending = new AbortController();
    const options = { resourceVersion, timeoutSeconds: 60, signal: ending.signal };
    const first = Promise.withResolvers<unknown>();
    const watching = client.watch(NAMESPACES, options, first.resolve);
    const manifest = { metadata: { name: "seen-through-a-proxy" } };
    await server().request("POST", "/api/v1/namespaces", manifest);
    expect(await first.promise).toMatchObject({ type: "ADDED", object: manifest });
    ending.abort();
    await expect(watching).rejects.toBeDefined();
    expect(new Set(tunnels)).toEqual(new Set([new URL(server().url).host]));
  });
});
