/**
 * 100 sessions that talk all the time through two gateways of a cluster while first the gateways and then the agent's replicas are
 * rolled, one by one, as Kubernetes does it: a new one comes before the old one is told to end. Nobody is to lose a frame, or to see one
 * twice.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { GatewayProcess } from "../support/gateway/gateway-process.ts";
import {
  agentRuntimeOf,
  GATEWAY_USER,
  machineAddress,
  permitGateway,
  setConditions,
  sliceOf,
} from "../support/gateway/routed-agents.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../support/kubernetes/kube-api-server.ts";
import { KubeCluster } from "../support/kubernetes/kube-cluster.ts";
import { startRedis } from "../support/redis/redis.ts";
import { writeSurvivalConfig } from "./config.ts";
import { startSurvivalModel, startSurvivalTool } from "./model.ts";
import { survivalRandom } from "./random.ts";
import { SurvivalReplica } from "./replica.ts";
import { SurvivalTalker, type OfferedReplica } from "./talker.ts";
import { aSurvivalTurn } from "./turn.ts";
import { breachesOfTalker } from "./verdict.ts";

const SEED = process.env["OMNIA_SURVIVAL_SEED"] ?? String(Date.now() % 1_000_000);
const SESSIONS = 100;
const PAUSE_MS = 100;
const PIECES = { from: 25, to: 50 };
const TOOL_SLOWNESS_MS = { from: 100, to: 500 };
const SPACING_MS = 2_000;
/** How long an endpoint that ends is led to still, until everybody has heard of it. */
const UNROUTED_MS = 1_000;
const AGENT = { name: "survivor", namespace: "default" };

/** Where clients connect: to any gateway that is not about to go. */
class OfferedGateway implements OfferedReplica {
  isOffered = true;
  readonly process: GatewayProcess;

  constructor(gateway: GatewayProcess) {
    this.process = gateway;
  }

  get url(): string {
    return `${this.process.url}/agents/${AGENT.namespace}/${AGENT.name}/ws`;
  }
}

describe("through two gateways of a cluster", () => {
  it(
    `${SESSIONS} streams come through a rollout of the gateways and of the agent without a lost frame`,
    { timeout: KUBE_API_SERVER_TIMEOUT_MS },
    async () => {
      const random = survivalRandom(SEED);
      process.stdout.write(`gateway rollout: seed ${SEED}\n`);
      const stack = new AsyncDisposableStack();
      onTestFinished(() => stack.disposeAsync());
      const cluster = await KubeCluster.start({
        withControllers: false,
        users: { [GATEWAY_USER]: [] },
      });
      stack.defer(() => cluster.stop());
      await permitGateway(cluster.server);
      const kubeconfig = await cluster.kubeconfigOf(GATEWAY_USER);
      const redis = stack.use(await startRedis());
      const model = stack.use(await startSurvivalModel(PAUSE_MS));
      const tool = stack.use(await startSurvivalTool(random.fork("tool"), TOOL_SLOWNESS_MS));
      const folder = await mkdtemp(join(tmpdir(), "omnia-survival-"));
      stack.defer(() => rm(folder, { recursive: true }));
      const urls = { redis: redis.url, model: model.url, tool: tool.url };
      const configPath = await writeSurvivalConfig(folder, urls, { agent: AGENT });

      const startReplica = async (): Promise<SurvivalReplica> => {
        const replica = stack.use(new SurvivalReplica(configPath, machineAddress()));
        await replica.start();
        await cluster.create(sliceOf(AGENT, replica.port));
        return replica;
      };
      const session = { type: "redis", storeRef: { name: "store", key: "url" } };
      await cluster.create(agentRuntimeOf(AGENT, { session }));
      const replicas = [await startReplica(), await startReplica()];

      const gateways: OfferedGateway[] = [];
      const startGateway = async (): Promise<void> => {
        const gateway = await GatewayProcess.ready(kubeconfig, ["--drain-grace", "10s"]);
        gateways.push(new OfferedGateway(stack.use(gateway)));
      };
      await startGateway();
      await startGateway();

      const calm = new AbortController();
      const over = new AbortController();
      stack.defer(() => over.abort());
      const breaches: string[] = [];
      const talkers = Array.from({ length: SESSIONS }, (_, index) => {
        const talker = new SurvivalTalker(random.fork(`talker ${index}`));
        stack.defer(() => talker.close());
        return talker;
      });
      const talk = async (talker: SurvivalTalker, index: number): Promise<void> => {
        for (let turn = 0; !calm.signal.aborted; turn += 1) {
          const next = { ...aSurvivalTurn(index, turn, random, PIECES), pays: false };
          await talker.talk(next, over.signal);
        }
      };

      async function roll(): Promise<void> {
        await sleep(SPACING_MS);
        for (const old of gateways.slice()) {
          await startGateway();
          old.isOffered = false;
          await sleep(UNROUTED_MS);
          expect(await old.process.end()).toBe(0);
          gateways.splice(gateways.indexOf(old), 1);
          await sleep(SPACING_MS);
        }
        for (const old of replicas) {
          await startReplica();
          const leaving = { ready: false, serving: true, terminating: true };
          await setConditions(cluster, AGENT, old.port, leaving);
          await sleep(UNROUTED_MS);
          await old.drain();
          await cluster.delete(sliceOf(AGENT, old.port));
          await sleep(SPACING_MS);
        }
        calm.abort();
      }

      await Promise.all(talkers.map((talker) => talker.connect(gateways, over.signal)));
      await Promise.all([
        roll().finally(() => calm.abort()),
        ...talkers.map((talker, index) =>
          talk(talker, index).catch((error: unknown) => {
            breaches.push(`session ${index} was given up: ${String(error)}`);
          }),
        ),
      ]);
      for (const talker of talkers) breaches.push(...breachesOfTalker(talker));
      const reconnects = talkers.reduce((sum, { connections }) => sum + connections - 1, 0);
      const frames = talkers.reduce((sum, { frames: heard }) => sum + heard.length, 0);
      process.stdout.write(`gateway rollout: ${frames} frames, ${reconnects} reconnects\n`);
      expect(breaches).toEqual([]);
      expect(reconnects).toBeGreaterThan(SESSIONS);
      expect(frames).toBeGreaterThan(SESSIONS * 50);
    },
  );
});
