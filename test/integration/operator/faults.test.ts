/** An API server that dies, comes back and forgets: in the end everything is there, and was written once. */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { AgentInCluster } from "../../support/operator/agent-in-cluster.ts";
import { AgentsThroughFaults, RECOVERED } from "../../support/operator/agents-through-faults.ts";
import { APIFaultProxy } from "../../support/kubernetes/api-fault-proxy.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import {
  KubeCluster,
  type KubeObject,
  OPERATOR_USER,
} from "../../support/kubernetes/kube-cluster.ts";
import { PACK_KEY, packSaying } from "../../support/builders/manifests.ts";
import { OperatorProcess } from "../../support/operator/operator-process.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

const AGENTS = 8;

const cluster = forAllTests(
  () => KubeCluster.start(),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const proxy = forAllTests(
  () => APIFaultProxy.start(cluster().server),
  (proxy) => proxy.stop(),
);
forAllTests(
  async () =>
    await OperatorProcess.start({
      kubeconfig: await cluster().kubeconfigOf(OPERATOR_USER, proxy().url),
    }),
  (operator) => operator.stop(),
);

async function writes(since: number): Promise<number> {
  return (await cluster().audit.writes({ by: OPERATOR_USER, since })).length;
}

describe("an operator", () => {
  it("makes everything once, though its API server is killed in the middle of the work and comes back", async () => {
    const agents = await AgentsThroughFaults.prepare(cluster(), "killed", AGENTS);
    const since = Date.now();
    const creating = agents.create();
    await vi.waitFor(async () => expect(await writes(since)).toBeGreaterThan(AGENTS), RECOVERED);
    await cluster().server.kill();
    await delay(1_500);
    await cluster().server.start();
    await creating;
    await agents.allRun();
    await agents.wereWrittenOnce();
  });

  it("catches up with what happened unseen, with every version in between forgotten", async () => {
    const namespace = "forgotten";
    const agents = await AgentsThroughFaults.prepare(cluster(), namespace, AGENTS);
    await agents.create();
    await agents.allRun();
    const [deleted, drifted, kept] = ["agent-0", "agent-1", "agent-2"].map(
      (name) => new AgentInCluster(cluster(), { name, namespace }),
    ) as [AgentInCluster, AgentInCluster, AgentInCluster];

    await proxy().refuse();
    const content: KubeObject = {
      kind: "ConfigMap",
      metadata: { name: "prompts-content", namespace },
    };
    await cluster().patch(content, { data: { [PACK_KEY]: packSaying("Unseen.") } });
    await cluster().delete(deleted.runtime);
    await cluster().delete(drifted.service);
    await cluster().patch(drifted.deployment, { spec: { replicas: 3 } });
    await cluster().server.compact();
    // What it remembers of the versions in between goes with it.
    await cluster().server.kill();
    await cluster().server.start();
    await proxy().accept();

    await vi.waitFor(async () => {
      expect((await kept.agentConfig()).prompt?.active.system).toBe("Unseen.");
      expect(await cluster().get(drifted.service)).toBeDefined();
      expect((await cluster().get(drifted.deployment)).spec.replicas).toBe(1);
      for (const child of deleted.children) expect(await cluster().get(child)).toBeUndefined();
    }, RECOVERED);
    await drifted.becomes("Running", RECOVERED);
  });
});
