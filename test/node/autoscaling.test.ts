/** Agents whose replicas follow the load, on a real node of Kubernetes. */
import { describe, expect, it } from "vitest";
import { forAllTests } from "../support/builders/fixtures.ts";
import { anAgentManifest } from "../support/builders/manifests.ts";
import { ChatClient } from "../support/agent/chat-client.ts";
import { ClusterNode, type KubeObject } from "./cluster-node.ts";
import { installMetricsServer } from "./metrics-server.ts";
import { lostConnects, TalkAgent } from "./talk-agent.ts";

const START_TIMEOUT_MS = 15 * 60_000;
const TEST_TIMEOUT_MS = 15 * 60_000;
/** Replicas come and go some 30 s after the load did, as an autoscaler looks at figures that are as old; on a busy machine, later. */
const SCALED_WITHIN_MS = 4 * 60_000;
/** The figure that is printed is what people are promised; a machine that is busy takes longer. */
const FIRST_CLIENT_LIMIT_S = 15;
const CROWD = { streams: 160 };
const FEW = { streams: 6, connectsPerSecond: 0.5 };
/** The crowd takes more CPU than four of its replicas are to have, and the few take less than one is to have. */
const CROWDED_AGENT = {
  name: "crowded",
  replicas: 1,
  spec: {
    replicas: undefined,
    resources: { requests: { cpu: "50m", memory: "256Mi" } },
    autoscaling: {
      enabled: true,
      maxReplicas: 4,
      targetCPUUtilizationPercentage: 80,
      targetMemoryUtilizationPercentage: 90,
      scaleDownStabilizationSeconds: 15,
    },
  },
};

/** With an operator, gateways and metrics-server. */
async function startNode(): Promise<ClusterNode> {
  await using parts = new AsyncDisposableStack();
  const node = parts.use(await ClusterNode.start());
  await Promise.all([installMetricsServer(node), installOmnia(node)]);
  parts.move();
  return node;
}

async function installOmnia(node: ClusterNode): Promise<void> {
  await node.documented("node-image");
  await node.documented("install");
  await node.documented("gateway");
  for (const name of ["omnia-operator", "omnia-gateway"])
    await node.kubectl(`rollout status deployment/${name} -n omnia-system --timeout=300s`);
}

const node = forAllTests(startNode, (running) => running[Symbol.asyncDispose](), START_TIMEOUT_MS);

function tell(what: string): void {
  process.stdout.write(`node: ${what}\n`);
}

const secondsSince = (begun: number): string => ((performance.now() - begun) / 1_000).toFixed(1);

describe("an agent that is autoscaled", () => {
  it(
    "has by its CPU 4 replicas under load and 1 after it, and streams that resume lose no frame",
    async () => {
      await using agent = await TalkAgent.start(node(), CROWDED_AGENT);
      await hasReason(agent.name, "AutoscalingReady", "Active");
      const url = await agent.url();
      const scalesTo = async (replicas: number): Promise<void> => {
        const begun = performance.now();
        await agent.serves(replicas, SCALED_WITHIN_MS);
        tell(`${replicas} replicas by CPU ${secondsSince(begun)} s after the load changed`);
      };
      const crowd = await agent.under(url, () => scalesTo(4), CROWD);
      tell(`frames while 1 replica became 4: ${JSON.stringify(crowd)}`);
      // They come while there are 4, and so most of them are with replicas that end. Their lines break now and then besides.
      const few = await agent.under(url, () => scalesTo(1), FEW);
      tell(`frames while 4 replicas became 1: ${JSON.stringify(few)}`);
      for (const load of [crowd, few]) {
        expect(load.frames).toBeGreaterThan(0);
        expect(load.breaches).toEqual([]);
        expect(lostConnects(load)).toEqual([]);
      }
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "has no replica until the gateway starts one for its first client, who waits for seconds",
    async () => {
      const at = { name: "rare", namespace: "default" };
      await node().create(
        anAgentManifest(at, {
          replicas: 0,
          facade: { handler: "echo" },
          provider: undefined,
          promptPackRef: undefined,
          toolRegistryRef: undefined,
          autoscaling: { enabled: true, type: "keda", minReplicas: 0 },
        }),
      );
      await hasReason("rare", "Available", "ScaledToZero");
      const address = await node().addressOf("omnia-gateway", "omnia-system");
      const begun = performance.now();
      const client = await ChatClient.connect(`ws://${address}/agents/default/rare/ws`);
      expect(await client.ask("hello")).toMatchObject({ content: "hello" });
      const seconds = secondsSince(begun);
      tell(`from no replica to a first answer in ${seconds} s`);
      expect(Number(seconds)).toBeLessThan(FIRST_CLIENT_LIMIT_S);
    },
    TEST_TIMEOUT_MS,
  );
});

async function hasReason(agent: string, type: string, reason: string): Promise<void> {
  const path = `/apis/omnia.altairalabs.ai/v1alpha1/namespaces/default/agentruntimes/${agent}`;
  let last: KubeObject;
  const ask = async (): Promise<true | undefined> => {
    const { status } = await node().get(path);
    last = status?.conditions?.find((condition: KubeObject) => condition.type === type);
    return last?.reason === reason ? true : undefined;
  };
  const found = node().eventually(`${type} ${reason}`, ask, SCALED_WITHIN_MS);
  await found.catch((error: unknown) => {
    throw new Error(`${agent} says ${JSON.stringify(last)}`, { cause: error });
  });
}
