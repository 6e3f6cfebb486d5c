/** Agents that are autoscaled, on a real API server with the real controller of HorizontalPodAutoscalers and the real kind of KEDA, whose operator's part is played. */
import { describe, expect, it, vi } from "vitest";
import { autoscalingSchema } from "../../../src/api/autoscaling.ts";
import { buildAutoscalers } from "../../../src/operator/agent-runtime/objects/build-autoscalers.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { anAgentManifest, aNamespaceManifest } from "../../support/builders/manifests.ts";
import { numberedNames } from "../../support/builders/numbered-names.ts";
import { installKeda, removeKeda } from "../../support/kubernetes/keda-kind.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { KubeCluster, type KubeObject } from "../../support/kubernetes/kube-cluster.ts";
import {
  AgentInCluster,
  type Condition,
  SOME_TIME,
} from "../../support/operator/agent-in-cluster.ts";
import { OperatorInProcess } from "../../support/operator/operator-in-process.ts";

const NAMESPACE = "team";
const PROMETHEUS = "http://prometheus.monitoring.svc:9090";
const ECHO = {
  facade: { handler: "echo" },
  provider: undefined,
  promptPackRef: undefined,
  toolRegistryRef: undefined,
};
const TRIGGER = { type: "cron", metadata: { start: "0 8 * * *" } };

const cluster = forAllTests(
  async () => {
    const started = await KubeCluster.start({ scalesHorizontally: true });
    await started.create(aNamespaceManifest(NAMESPACE));
    return started;
  },
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
forAllTests(
  () => OperatorInProcess.start(cluster(), { runsAgents: true, prometheusAddress: PROMETHEUS }),
  (operator) => operator.stop(),
);
const names = numberedNames("scaled");

class ScaledAgent extends AgentInCluster {
  readonly at: { name: string; namespace: string };

  constructor(at: { name: string; namespace: string }) {
    super(cluster(), at);
    this.at = at;
  }

  static async make(spec: object): Promise<ScaledAgent> {
    const at = { name: names.next(), namespace: NAMESPACE };
    await cluster().create(anAgentManifest(at, { ...ECHO, ...spec }));
    return new ScaledAgent(at);
  }

  get hpa(): KubeObject {
    return { kind: "HorizontalPodAutoscaler", metadata: this.at };
  }

  get scaledObject(): KubeObject {
    return { kind: "ScaledObject", metadata: this.at };
  }

  /** As an autoscaler and `kubectl scale` do it. */
  async scale(replicas: number): Promise<void> {
    const path = `/apis/omnia.altairalabs.ai/v1alpha1/namespaces/${NAMESPACE}/agentruntimes/${this.at.name}/scale`;
    const { status, body } = await cluster().server.request("PATCH", path, { spec: { replicas } });
    if (status !== 200) throw new Error(`the scale cannot be set: ${JSON.stringify(body)}`);
  }

  async has(replicas: number): Promise<void> {
    await vi.waitFor(async () => {
      expect((await cluster().get(this.deployment))?.spec.replicas).toBe(replicas);
      const { status } = await cluster().get(this.runtime);
      expect([status.replicas, status.ready]).toEqual([replicas, `${replicas}/${replicas}`]);
    }, SOME_TIME);
  }

  async says(type: string): Promise<Condition> {
    const { status } = await cluster().get(this.runtime);
    return status?.conditions?.find((condition: Condition) => condition.type === type);
  }

  async autoscalingIs(reason: string): Promise<Condition> {
    return await vi.waitFor(async () => {
      const condition = await this.says("AutoscalingReady");
      expect(condition?.reason).toBe(reason);
      return condition;
    }, SOME_TIME);
  }
}

async function readyOfKeda(agent: ScaledAgent, status: string, message = ""): Promise<void> {
  const path = `/apis/keda.sh/v1alpha1/namespaces/${NAMESPACE}/scaledobjects/${agent.at.name}/status`;
  const conditions = [{ type: "Ready", status, reason: "ScaledObjectReady", message }];
  const answer = await cluster().server.request("PATCH", path, { status: { conditions } });
  expect(answer.status).toBe(200);
}

/** The API server knows every field of the ScaledObject, by the definition of KEDA's release, and takes its value. */
async function isTakenByKeda(fields: object): Promise<void> {
  const autoscaling = autoscalingSchema.parse({ enabled: true, type: "keda", ...fields });
  const { scaledObject } = buildAutoscalers(
    { name: names.next(), namespace: NAMESPACE },
    { autoscaling, hasKeda: true, prometheusAddress: PROMETHEUS },
  );
  const path = `/apis/keda.sh/v1alpha1/namespaces/${NAMESPACE}/scaledobjects?dryRun=All&fieldValidation=Strict`;
  const object = { apiVersion: "keda.sh/v1alpha1", kind: "ScaledObject", ...scaledObject };
  const { status, body } = await cluster().server.request("POST", path, object);
  expect(body).toMatchObject({ spec: scaledObject?.spec });
  expect(status).toBe(201);
}

describe("an agent with type hpa", () => {
  it("runs minReplicas at once, and the HorizontalPodAutoscaler sets the same number", async () => {
    const agent = await ScaledAgent.make({ autoscaling: { enabled: true, minReplicas: 3 } });
    await agent.has(3);
    await vi.waitFor(async () => {
      expect((await cluster().get(agent.runtime)).spec.replicas).toBe(3);
      expect((await cluster().get(agent.hpa)).status.currentReplicas).toBe(3);
    }, SOME_TIME);
  });

  it("follows kubectl scale within the bounds, and to none", async () => {
    const agent = await ScaledAgent.make({ autoscaling: { enabled: true, maxReplicas: 4 } });
    await agent.has(1);
    await agent.scale(2);
    await agent.has(2);
    await agent.scale(0);
    await agent.has(0);
    const { reason } = await agent.says("Available");
    expect(reason).toBe("ScaledToZero");
    await agent.scale(9);
    await agent.has(4);
  });

  it.each([[[]], [["--server-side"]]])(
    "says that its manifest names a number, where it was applied with %j, until it does no more",
    async (flags) => {
      const at = { name: names.next(), namespace: NAMESPACE };
      const apply = async (spec: object): Promise<void> => {
        const manifest = anAgentManifest(at, { ...ECHO, autoscaling: { enabled: true }, ...spec });
        await cluster().server.kubectl(["apply", ...flags, "-f", "-"], JSON.stringify(manifest));
      };
      await apply({ replicas: 3 });
      const agent = new ScaledAgent(at);
      const saysSo = async (expected: boolean): Promise<void> => {
        await vi.waitFor(async () => {
          const condition = await agent.says("AutoscalingReady");
          expect(condition?.message.includes("names spec.replicas")).toBe(expected);
        }, SOME_TIME);
      };
      await saysSo(true);
      await agent.has(3);
      await apply({});
      await saysSo(false);
    },
  );

  it("keeps its replicas when autoscaling is turned off, and loses the autoscaler", async () => {
    const agent = await ScaledAgent.make({ autoscaling: { enabled: true } });
    await agent.has(1);
    await agent.scale(4);
    await agent.has(4);
    await cluster().patch(agent.runtime, { spec: { autoscaling: { enabled: false } } });
    await vi.waitFor(async () => expect(await cluster().get(agent.hpa)).toBeUndefined(), SOME_TIME);
    await agent.has(4);
    await agent.autoscalingIs("NotEnabled");
  });

  it("says in the words of the HorizontalPodAutoscaler that there are no metrics", async () => {
    const resources = { requests: { cpu: "50m", memory: "64Mi" } };
    const agent = await ScaledAgent.make({ resources, autoscaling: { enabled: true } });
    await agent.has(1);
    const { message } = await agent.autoscalingIs("MetricsUnavailable");
    expect(message).toContain("FailedGetResourceMetric");
    const { status } = await agent.says("Ready");
    expect(status).toBe("True");
  });

  it("says that replicas request nothing that a utilisation could be a percentage of", async () => {
    const agent = await ScaledAgent.make({ autoscaling: { enabled: true } });
    const { message } = await agent.autoscalingIs("MetricsUnavailable");
    expect(message).toContain("the replicas request no cpu and memory");
  });

  it("leaves an autoscaler of somebody else alone, says so, and runs", async () => {
    const name = names.next();
    const target = { apiVersion: "apps/v1", kind: "Deployment", name: "other" };
    const hpa = {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler" as const,
      metadata: { name, namespace: NAMESPACE },
      spec: { scaleTargetRef: target, maxReplicas: 3 },
    };
    await cluster().create(hpa);
    const at = { name, namespace: NAMESPACE };
    await cluster().create(anAgentManifest(at, { ...ECHO, autoscaling: { enabled: true } }));
    const agent = new AgentInCluster(cluster(), at);
    await vi.waitFor(async () => {
      const { status } = await cluster().get(agent.runtime);
      const found = status?.conditions?.find((one: Condition) => one.type === "AutoscalingReady");
      expect([found?.reason, status?.phase]).toEqual(["Refused", "Running"]);
      expect(found?.message).toContain("belongs to somebody else");
    }, SOME_TIME);
    expect((await cluster().get(hpa)).spec.scaleTargetRef).toEqual(target);
  });
});

describe("an agent with type keda", () => {
  it("says that KEDA is not there, runs nevertheless, and is scaled by it once it is installed, until it is removed", async () => {
    const agent = await ScaledAgent.make({
      autoscaling: { enabled: true, type: "keda", minReplicas: 2, keda: { triggers: [TRIGGER] } },
    });
    const byDefault = await ScaledAgent.make({ autoscaling: { enabled: true, type: "keda" } });
    await agent.has(2);
    await agent.autoscalingIs("KedaNotInstalled");

    await installKeda(cluster().server);
    await agent.autoscalingIs("WaitingForAutoscaler");
    await isTakenByKeda({});
    await isTakenByKeda({ minReplicas: 0, scaleDownStabilizationSeconds: 3600 });
    const keda = { pollingInterval: 1, cooldownPeriod: 0, triggers: [TRIGGER, { type: "cpu" }] };
    await isTakenByKeda({ scaleDownStabilizationSeconds: 0, keda });
    const { spec, metadata } = await cluster().get(agent.scaledObject);
    expect(spec).toMatchObject({ minReplicaCount: 2, maxReplicaCount: 10, triggers: [TRIGGER] });
    expect(spec.scaleTargetRef).toMatchObject({ kind: "AgentRuntime", name: agent.at.name });
    expect(metadata.ownerReferences).toMatchObject([{ kind: "AgentRuntime", controller: true }]);
    await vi.waitFor(async () => {
      const { spec: found } = await cluster().get(byDefault.scaledObject);
      expect(found.triggers[0].metadata.serverAddress).toBe(PROMETHEUS);
    }, SOME_TIME);

    await readyOfKeda(agent, "True");
    await agent.autoscalingIs("Active");
    await readyOfKeda(agent, "False", "trigger cannot be parsed");
    const { message } = await agent.autoscalingIs("MetricsUnavailable");
    expect(message).toContain("trigger cannot be parsed");

    await agent.scale(5);
    await agent.has(5);
    await cluster().patch(agent.runtime, { spec: { autoscaling: { type: "hpa" } } });
    await vi.waitFor(async () => {
      expect(await cluster().get(agent.scaledObject)).toBeUndefined();
      expect(await cluster().get(agent.hpa)).toBeDefined();
    }, SOME_TIME);
    await agent.has(5);

    await removeKeda(cluster().server);
    await byDefault.autoscalingIs("KedaNotInstalled");
    await byDefault.has(1);
  });

  it("has no replica when nobody uses it, one when it is woken, and that for a while", async () => {
    const keda = { cooldownPeriod: 0, pollingInterval: 1, triggers: [TRIGGER] };
    const agent = await ScaledAgent.make({
      replicas: 0,
      autoscaling: { enabled: true, type: "keda", minReplicas: 0, keda },
    });
    await agent.has(0);
    const available = await agent.says("Available");
    expect(available.reason).toBe("ScaledToZero");
    expect(available.message).toContain("a client that comes through the gateway starts one");
    await agent.scale(1);
    await agent.has(1);
    // An autoscaler that has not heard of the client.
    await agent.scale(0);
    await cluster().patch(agent.runtime, { metadata: { annotations: { looked: "again" } } });
    await agent.has(1);
  });
});
