/** A gateway that is asked through the proxy of a real API server, as `omnia sessions` does it, and `omnia console` before one. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { describe, expect, it, vi } from "vitest";
import { ACCESS_HEADER } from "../../../src/http-api/paths.ts";
import { createTransport } from "../../../src/kube/client/transport.ts";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";
import { startApiWorld, type ApiAccount } from "../../support/gateway/api-world.ts";
import { GatewayProcess } from "../../support/gateway/gateway-process.ts";
import { bind, GATEWAY_USER, machineAddress } from "../../support/gateway/routed-agents.ts";
import { userOf } from "../../support/gateway/service-accounts.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import type { KubeObject } from "../../support/kubernetes/kube-cluster.ts";
import { omnia } from "../../support/processes/omnia-process.ts";

const WITHIN = { timeout: 60_000, interval: 20 };
/** A command takes seconds to start where the machine does much else. */
const COMMANDS_TIMEOUT_MS = 180_000;

const folder = folderForAllTests();
const world = forAllTests(
  () => startApiWorld(folder()),
  async ({ atTheEnd }) => {
    for (const end of atTheEnd.toReversed()) await end();
  },
  KUBE_API_SERVER_TIMEOUT_MS,
);

/** One that the API server reaches, and a Service for it. Its users have what the proxy takes, and their kubeconfigs lead to it. */
async function startProxied() {
  const { cluster, tokens, keyFile } = world();
  const { server } = cluster;
  const flags = ["--api", "--gateway-key-file", keyFile];
  const listen = ["--host", machineAddress()];
  const gateway = await GatewayProcess.start(await cluster.kubeconfigOf(GATEWAY_USER), [
    ...flags,
    ...listen,
  ]);
  const at = { name: "omnia-gateway", namespace: "team" };
  const labels = { "app.kubernetes.io/name": "omnia", "app.kubernetes.io/component": "gateway" };
  const metadata = { ...at, labels };
  await cluster.create({
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: {
      selector: { app: "gateway" },
      ports: [{ name: "http", port: 8080, targetPort: gateway.port }],
    },
  } as KubeObject);
  // The proxy leads to addresses of pods alone. This one has ended, so that the simulated node leaves what is said of it as it is.
  const podLabels = { app: "gateway", "app.kubernetes.io/instance": "gateway" };
  cluster.kubelet.setBehaviour("team/gateway", { state: "evicted", message: "by the test" });
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "gateway-1", namespace: at.namespace, labels: podLabels },
    spec: { containers: [{ name: "gateway", image: "omnia" }] },
  } as KubeObject;
  await cluster.create(pod);
  await vi.waitFor(async () => {
    expect(await cluster.get(pod)).toMatchObject({ status: { phase: "Failed" } });
  }, WITHIN);
  const ip = machineAddress();
  await server.request("PATCH", "/api/v1/namespaces/team/pods/gateway-1/status", {
    status: { podIP: ip, podIPs: [{ ip }], conditions: [{ type: "Ready", status: "True" }] },
  });
  const targetRef = { kind: "Pod", name: "gateway-1", namespace: at.namespace };
  // The proxy of an API server reads these, and not the slices.
  await server.request("POST", "/api/v1/namespaces/team/endpoints", {
    metadata,
    subsets: [{ addresses: [{ ip, targetRef }], ports: [{ name: "http", port: gateway.port }] }],
  });
  for (const name of ["viewer", "admin"]) {
    await bind(server, userOf({ namespace: "team", name }), [
      { apiGroups: [""], resources: ["services", "pods"], verbs: ["list"] },
      { apiGroups: [""], resources: ["services/proxy"], verbs: ["get", "delete"] },
      ...(name === "admin"
        ? [{ apiGroups: [""], resources: ["pods/portforward"], verbs: ["get", "create"] }]
        : []),
    ]);
  }
  const kubeConfigOf = (account: ApiAccount): KubeConfig => {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromOptions({
      clusters: [
        { name: "test", server: server.url, caData: Buffer.from(server.ca).toString("base64") },
      ],
      users: [{ name: account, token: tokens[account] }],
      contexts: [{ name: "proxied", cluster: "test", user: account }],
      currentContext: "proxied",
    });
    return kubeConfig;
  };
  return { gateway, kubeConfigOf };
}

describe("a gateway behind the proxy of the API server", () => {
  const proxied = forAllTests(startProxied, ({ gateway }) => gateway[Symbol.asyncDispose]());

  const run = async (account: ApiAccount, ...args: string[]) => {
    const kubeconfig = join(folder(), `kubeconfig-${account}`);
    await writeFile(kubeconfig, proxied().kubeConfigOf(account).exportConfig());
    const env = { HOME: folder(), KUBECONFIG: kubeconfig };
    return await omnia(args, { env, cwd: folder() });
  };

  it(
    "answers omnia sessions, whose token the API server keeps from it in its own header",
    async () => {
      const { gateway, tokens } = world();
      const client = await vi.waitFor(
        () =>
          ChatClient.connect(`${gateway.url}/agents/team/bot/ws`, {
            protocols: [`bearer.${tokens.admin}`],
          }),
        WITHIN,
      );
      client.say("by the proxy");
      const { session_id: id } = await client.nextOf("done");
      client.socket.terminate();
      const [listed, exported, refused, stranger] = await Promise.all([
        run("admin", "sessions", "ls", "team/bot"),
        run("admin", "sessions", "export", id),
        run("viewer", "sessions", "ls", "team/bot"),
        run("none", "sessions", "ls", "team/bot"),
      ]);
      expect([listed.err, listed.code]).toEqual(["", 0]);
      expect(listed.out).toMatch(/^the gateway of cluster proxied\n[^]*by the proxy/);
      expect(JSON.parse(exported.out)).toMatchObject({ session: { id } });
      // The gateway's own words come through, and those of the API server do.
      expect(refused.err).toContain("auth can-i get agentruntimes.omnia.altairalabs.ai");
      expect(stranger.err).toMatch(/cannot list resource "services"/);
      expect([refused.code, stranger.code]).toEqual([1, 1]);
      const deleted = await run("admin", "sessions", "delete", id, "--yes");
      expect([deleted.err, deleted.code]).toEqual(["", 0]);
    },
    COMMANDS_TIMEOUT_MS,
  );

  it(
    "is led to by omnia console for those who may, as far as the API server goes",
    async () => {
      const refused = await run("viewer", "console");
      expect(refused.err).toMatch(
        /cannot be reached: pods "gateway-1" is forbidden.*\n.*pods\/portforward/,
      );
      // There is no node that the pod could run on.
      const failed = await run("admin", "console");
      expect(failed.err).toMatch(/cannot be reached: \S+/);
      expect([refused.code, failed.code]).toEqual([1, 1]);
    },
    COMMANDS_TIMEOUT_MS,
  );

  it("sends a stream through as it comes", async () => {
    const { tokens } = world();
    const transport = createTransport(proxied().kubeConfigOf("admin"));
    const left = new AbortController();
    const stream = await transport.send({
      method: "GET",
      path: "/api/v1/namespaces/team/services/http:omnia-gateway:8080/proxy/api/v1alpha1/watch",
      headers: { [ACCESS_HEADER]: tokens.admin },
      signal: left.signal,
    });
    expect(stream.statusCode).toBe(200);
    let text = "";
    for await (const part of stream) {
      text += String(part);
      if (text.includes("data: ")) break;
    }
    stream.destroy();
    transport.close();
    expect(text).toContain('"type":"snapshot"');
  });
});
