/** `omnia operator` and `omnia gateway` as they run before a real API server, after all that their metrics tell of has happened. */
import { expect, onTestFinished, vi } from "vitest";
import { ChatClient } from "../agent/chat-client.ts";
import { TestAgent } from "../agent/test-agent.ts";
import {
  aNamespaceManifest,
  aPackManifest,
  aPromptPackManifest,
  PACK_KEY,
  packSaying,
} from "../builders/manifests.ts";
import { GatewayProcess } from "../gateway/gateway-process.ts";
import {
  agentRuntimeOf,
  GATEWAY_USER,
  machineAddress,
  permitGateway,
  sliceOf,
} from "../gateway/routed-agents.ts";
import { APIFaultProxy } from "../kubernetes/api-fault-proxy.ts";
import { KubeCluster, OPERATOR_USER } from "../kubernetes/kube-cluster.ts";
import { OperatorProcess } from "../operator/operator-process.ts";

const TEAM = "team";
/** The API server fails to write anything here. */
const BROKEN = "broken";
const WITHIN = { timeout: 30_000, interval: 100 };

/** Their management ports. They end with the test. */
export async function startBusyPrograms(): Promise<{ operator: number; gateway: number }> {
  const cluster = await KubeCluster.start({
    withControllers: false,
    users: { [GATEWAY_USER]: [] },
  });
  onTestFinished(() => cluster.stop());
  await permitGateway(cluster.server);
  await cluster.create(aNamespaceManifest(TEAM), aNamespaceManifest(BROKEN));
  return { operator: await aBusyOperator(cluster), gateway: await aBusyGateway(cluster) };
}

/** It has an agent that waits for pods, one that it cannot write, and a pack whose new version was taken back. */
async function aBusyOperator(cluster: KubeCluster): Promise<number> {
  const proxy = await APIFaultProxy.start(cluster.server, ({ method, url }) =>
    method === "PATCH" && url.pathname.includes(`/namespaces/${BROKEN}/`)
      ? { answer: 500, reason: "InternalError" }
      : undefined,
  );
  onTestFinished(() => proxy.stop());
  const content = aPackManifest({ name: "prompts-content", namespace: TEAM });
  const pack = aPromptPackManifest({ name: "prompts", namespace: TEAM }, "prompts-content");
  await cluster.create(
    agentRuntimeOf({ name: "helper", namespace: TEAM }),
    agentRuntimeOf({ name: "helper", namespace: BROKEN }),
    content,
    pack,
  );
  const operator = await OperatorProcess.start({
    kubeconfig: await cluster.kubeconfigOf(OPERATOR_USER, proxy.url),
  });
  onTestFinished(async () => {
    await operator.stop();
  });
  const statusOf = async (): Promise<Record<string, unknown>> =>
    ((await cluster.get(pack)) as { status?: Record<string, unknown> }).status ?? {};
  await vi.waitFor(async () => expect(await statusOf()).toMatchObject({ phase: "Active" }), WITHIN);
  await cluster.patch(pack, {
    spec: { rollout: { strategy: "canary", canary: { weight: 10 } } },
  });
  await cluster.patch(content, { data: { [PACK_KEY]: packSaying("You help at once.") } });
  const canary = await vi.waitFor(async () => {
    const { canaryVersion } = await statusOf();
    expect(canaryVersion).toBeTypeOf("string");
    return canaryVersion;
  }, WITHIN);
  // As it is after the counts of replicas have taken it back.
  await cluster.patchStatus(pack, { abortedVersion: canary, abortedReason: "too many failures" });
  const { managementPort } = await operator.logs("The operator runs");
  await vi.waitFor(async () => {
    const metrics = await fetch(`http://127.0.0.1:${String(managementPort)}/metrics`);
    const text = await metrics.text();
    expect(text).toMatch(/^omnia_promptpack_canary_aborted\{.*\} 1$/m);
    expect(text).toMatch(/^omnia_reconcile_errors_total\{.*\} [1-9]/m);
  }, WITHIN);
  return Number(managementPort);
}

/** It has led a client to an agent, and has refused another one. */
async function aBusyGateway(cluster: KubeCluster): Promise<number> {
  const at = { name: "helper", namespace: TEAM };
  const agent = await TestAgent.start({ host: machineAddress(), config: { agent: at } });
  await cluster.create(sliceOf(at, agent.running.facadePort ?? 0));
  const gateway = await GatewayProcess.ready(await cluster.kubeconfigOf(GATEWAY_USER));
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  const client = await vi.waitFor(
    () => ChatClient.connect(`${gateway.url}/ws?agent=${at.name}&namespace=${at.namespace}`),
    WITHIN,
  );
  await client.ask("hello");
  await expect(ChatClient.connect(`${gateway.url}/ws?agent=nobody`)).rejects.toThrow("404");
  return gateway.managementPort;
}
