/** An operator with nothing to do writes nothing, however often it looks. */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { AgentInCluster, SOME_TIME } from "../../support/operator/agent-in-cluster.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import {
  KubeCluster,
  type KubeObject,
  OPERATOR_USER,
} from "../../support/kubernetes/kube-cluster.ts";
import {
  anAgentManifest,
  aNamespaceManifest,
  theReferences,
} from "../../support/builders/manifests.ts";
import { OperatorProcess } from "../../support/operator/operator-process.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

const NAMESPACE = "team";
const AGENTS = 100;
/** With a resync every second, as good as the minutes of a real one. */
const IDLE_MS = 10_000;

const cluster = forAllTests(
  () => KubeCluster.start(),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const operator = forAllTests(
  async () =>
    await OperatorProcess.start({
      kubeconfig: await cluster().kubeconfigOf(OPERATOR_USER),
      flags: ["--resync", "1s"],
    }),
  (operator) => operator.stop(),
);

/** Of every sort, the broken ones too. */
function anyAgent(index: number): KubeObject {
  const specs: object[] = [
    {},
    { replicas: 2 },
    { replicas: 0 },
    { facade: { handler: "echo" } },
    { promptPackRef: { name: "missing" } },
    { provider: { name: "openai", model: "m", apiKeySecretRef: { name: "missing", key: "k" } } },
    { toolRegistryRef: { name: "missing" } },
    { autoscaling: { enabled: true, minReplicas: 2 } },
    { resources: { requests: { cpu: "1000m", memory: "1024Mi" }, limits: { cpu: "2" } } },
    {
      env: [
        { name: "EMPTY", value: "" },
        { name: "FROM", valueFrom: { configMapKeyRef: { name: "prompts-content", key: "none" } } },
      ],
      tolerations: [{ key: "a", operator: "Exists" }],
      nodeSelector: {},
      session: { ttl: "90m" },
    },
  ];
  const at = { name: `agent-${index}`, namespace: NAMESPACE };
  return anAgentManifest(at, specs[index % specs.length]);
}

async function quiet(): Promise<number> {
  for (;;) {
    const since = Date.now();
    await delay(2_000);
    if ((await cluster().audit.writes({ by: OPERATOR_USER, since })).length === 0) return since;
  }
}

describe("an operator with nothing to do", () => {
  it("writes nothing for 100 agents while nothing changes, with all of them looked at every second", async () => {
    await cluster().create(aNamespaceManifest(NAMESPACE), ...theReferences(NAMESPACE));
    for (let index = 0; index < AGENTS; index++) await cluster().create(anyAgent(index));
    await vi.waitFor(
      async () => {
        const phases = (await cluster().list("AgentRuntime", NAMESPACE)).map(
          ({ status }) => status?.phase,
        );
        expect(phases.filter((phase) => phase === "Running")).toHaveLength(AGENTS * 0.5);
      },
      { ...SOME_TIME, timeout: 60_000 },
    );
    const since = await quiet();
    await delay(IDLE_MS);
    expect(await cluster().audit.writes({ by: OPERATOR_USER, since })).toEqual([]);

    // A new process finds everything as it wants it.
    await operator().stop();
    const restarted = Date.now();
    operator.replaceBy(
      await OperatorProcess.start({ kubeconfig: await cluster().kubeconfigOf(OPERATOR_USER) }),
    );
    await operator().logs("This process leads");
    const extra = new AgentInCluster(cluster(), { name: "extra", namespace: NAMESPACE });
    await cluster().create(anAgentManifest({ name: "extra", namespace: NAMESPACE }));
    await extra.becomes("Running", SOME_TIME);
    const writes = await cluster().audit.writes({ by: OPERATOR_USER, since: restarted });
    expect(writes.filter(({ what }) => /\/agent-/.test(what))).toEqual([]);
  });
});
