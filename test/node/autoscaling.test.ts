/** Agents whose replicas follow the load, on a real node of Kubernetes: by CPU with metrics-server, by connections with KEDA's own operator. */
import { describe, expect, it } from "vitest";
import { forAllTests } from "../support/builders/fixtures.ts";
import { anAgentManifest } from "../support/builders/manifests.ts";
import { ChatClient } from "../support/agent/chat-client.ts";
import { ClusterNode, type KubeObject } from "./cluster-node.ts";
import { installKeda, startPrometheusOfPods } from "./keda.ts";
import { installMetricsServer } from "./metrics-server.ts";
import { lostConnects, TalkAgent } from "./talk-agent.ts";

const START_TIMEOUT_MS = 15 * 60_000;
const TEST_TIMEOUT_MS = 15 * 60_000;
/** Replicas come and go some 30 s after the load did, as an autoscaler looks at figures that are as old; on a busy machine, later. */
const SCALED_WITHIN_MS = 6 * 60_000;
/** The figure that is printed is what people are promised; a machine that is busy takes longer. */
const FIRST_CLIENT_LIMIT_S = 15;
const CROWD = { streams: 160 };
const FEW = { streams: 4, connectsPerSecond: 0.25 };
/**
 * The crowd takes more CPU than four of its replicas are to have, and the few take less than one is to have. Of its memory an agent takes
 * little: two that take half of what one is to have would stay two.
 */
const CROWDED_AGENT = {
  name: "crowded",
  replicas: 1,
  spec: {
    replicas: undefined,
    resources: { requests: { cpu: "50m", memory: "1Gi" } },
    autoscaling: {
      enabled: true,
      maxReplicas: 4,
      targetCPUUtilizationPercentage: 80,
      targetMemoryUtilizationPercentage: 90,
      scaleDownStabilizationSeconds: 15,
    },
  },
};
const RARE = { name: "rare", namespace: "default" };
/** By the default trigger, 10 connections to a replica. */
const RARE_AGENT = {
  replicas: 0,
  facade: { handler: "echo" },
  provider: undefined,
  promptPackRef: undefined,
  toolRegistryRef: undefined,
  autoscaling: {
    enabled: true,
    type: "keda",
    minReplicas: 0,
    maxReplicas: 4,
    scaleDownStabilizationSeconds: 5,
    keda: { pollingInterval: 5, cooldownPeriod: 10 },
  },
};
const RARE_CROWD = 25;
const RARE_CROWDED_REPLICAS = 3;

/** With an operator, gateways, metrics-server, KEDA, and a Prometheus that scrapes the pods. */
async function startNode(): Promise<{ node: ClusterNode } & AsyncDisposable> {
  await using parts = new AsyncDisposableStack();
  const node = parts.use(await ClusterNode.start());
  const prometheus = parts.use(await startPrometheusOfPods(node));
  const omnia = installOmnia(node, prometheus.url);
  await Promise.all([installMetricsServer(node), installKeda(node), omnia]);
  const held = parts.move();
  return { node, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

async function installOmnia(node: ClusterNode, prometheusAddress: string): Promise<void> {
  await node.documented("node-image");
  await node.documented("install");
  await node.documented("gateway");
  const chart = "upgrade omnia charts/omnia --namespace omnia-system --reset-then-reuse-values";
  await node.run(`helm ${chart} --set autoscaling.prometheusAddress=${prometheusAddress}`);
  for (const name of ["omnia-operator", "omnia-gateway"])
    await node.kubectl(`rollout status deployment/${name} -n omnia-system --timeout=300s`);
}

const started = forAllTests(
  startNode,
  (running) => running[Symbol.asyncDispose](),
  START_TIMEOUT_MS,
);
const node = (): ClusterNode => started().node;

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
    "has no replica until the gateway starts one for its first client, as many as KEDA counts connections for, and none in the end",
    async () => {
      const { name } = RARE;
      await node().create(anAgentManifest(RARE, RARE_AGENT));
      await hasReason(name, "AutoscalingReady", "Active");
      await hasReason(name, "Available", "ScaledToZero");
      await using history = node().start(
        `exec kubectl get deployment ${name} --watch -o jsonpath='{.spec.replicas} '`,
      );
      await history.shows(/0/);
      const address = await node().addressOf("omnia-gateway", "omnia-system");
      const url = `ws://${address}/agents/default/${name}/ws`;

      const begun = performance.now();
      const first = await ChatClient.connect(url);
      expect(await first.ask("hello")).toMatchObject({ content: "hello" });
      const seconds = secondsSince(begun);
      tell(`from no replica to a first answer in ${seconds} s`);
      expect(Number(seconds)).toBeLessThan(FIRST_CLIENT_LIMIT_S);

      const crowded = performance.now();
      const others = await Promise.all(
        Array.from({ length: RARE_CROWD - 1 }, () => ChatClient.connect(url)),
      );
      await hasReplicas(name, RARE_CROWDED_REPLICAS);
      tell(`${RARE_CROWDED_REPLICAS} replicas by KEDA ${secondsSince(crowded)} s after the crowd`);
      const clients = [first, ...others];
      for (const client of clients) expect(await client.ask("still here")).toBeDefined();

      const left = performance.now();
      for (const client of clients) client.socket.close(1000);
      await hasReplicas(name, 0);
      tell(`none ${secondsSince(left)} s after the crowd had left`);
      await hasReason(name, "Available", "ScaledToZero");
      await hasReason(name, "AutoscalingReady", "Active");
      // Nobody took back what another had set.
      const numbers = history.output.trim().split(" ").map(Number);
      const most = numbers.indexOf(RARE_CROWDED_REPLICAS);
      const [rising, falling] = [numbers.slice(0, most + 1), numbers.slice(most)];
      expect(rising).toEqual(rising.toSorted((a, b) => a - b));
      expect(falling).toEqual(falling.toSorted((a, b) => b - a));
    },
    TEST_TIMEOUT_MS,
  );
});

async function hasReplicas(agent: string, count: number): Promise<void> {
  const ask = async (): Promise<true | undefined> => {
    const path = `/apis/apps/v1/namespaces/default/deployments/${agent}`;
    const { spec, status } = await node().get(path);
    const found = [spec.replicas, status.replicas ?? 0, status.readyReplicas ?? 0];
    return found.every((one) => one === count) ? true : undefined;
  };
  await node().eventually(`${count} replicas of ${agent}`, ask, SCALED_WITHIN_MS);
}

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
