/** A version on trial in a cluster: an agent counts its sessions, and the operator promotes it or takes it back. */
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import type { PromptPackStatus } from "../../../src/api/prompt-pack.ts";
import { readCanaryReport } from "../../../src/observability/canary-report.ts";
import type { AskCanary } from "../../../src/probes/canary-probes.ts";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { aPackText } from "../../support/builders/a-pack.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import {
  aConfigMapManifest,
  anAgentManifest,
  aNamespaceManifest,
  aPromptPackManifest,
  aSecretManifest,
  PACK_KEY,
} from "../../support/builders/manifests.ts";
import { numberedNames } from "../../support/builders/numbered-names.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { KubeCluster, type KubeObject } from "../../support/kubernetes/kube-cluster.ts";
import { AgentInCluster, SOME_TIME } from "../../support/operator/agent-in-cluster.ts";
import { OperatorInProcess } from "../../support/operator/operator-in-process.ts";

const namespaces = numberedNames("canary");
const cluster = forAllTests(
  () => KubeCluster.start(),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const model = forAllTests(
  () => startModelServer(),
  (server) => server.close(),
);
beforeAll(() => {
  model().mock.onMessage(/unlucky/, {
    error: { message: "The server had an error", type: "server_error" },
    status: 500,
  });
  model().mock.onMessage(/./, { content: "Well." });
});

/** An agent of the cluster, whose one pod is a real agent in this process. */
async function aRollout(canary: object) {
  const namespace = namespaces.next();
  const at = (name: string): { name: string; namespace: string } => ({ name, namespace });
  const pack: KubeObject = { kind: "PromptPack", metadata: at("prompts") };
  const source = aConfigMapManifest(at("content"), { [PACK_KEY]: aPackText({ version: "1.0.0" }) });
  const rollout = { strategy: "canary", canary };
  const packManifest = aPromptPackManifest(at("prompts"), "content");
  const agent = new AgentInCluster(cluster(), at("bot"));
  const process = await TestAgent.start({
    withoutConfig: true,
    facadePort: 0,
    files: { "secrets/provider/api-key": "sk-test" },
  });

  /** What the kubelet would do: the files of the pod follow the ConfigMap. */
  let written: string | undefined;
  const follow = async (): Promise<void> => {
    const config = await cluster()
      .get(agent.config)
      .catch(() => undefined);
    const text = config?.data["agent.json"] as string | undefined;
    if (text !== undefined && text !== written) await process.writeConfig(text);
    written = text;
  };
  let isHeard = true;
  const askCanary: AskCanary = async ({ host }) => {
    const [pod] = cluster().kubelet.podsOf(`${namespace}/bot`);
    if (!isHeard || pod?.status?.podIP !== host) return undefined;
    await follow();
    return readCanaryReport((await process.management("/canary")).body);
  };
  const startOperator = () => OperatorInProcess.start(cluster(), { runsAgents: true, askCanary });
  let operator = await startOperator();
  onTestFinished(() => operator.stop());

  const provider = {
    name: "openai",
    model: "m",
    baseURL: `${model().url}/v1`,
    apiKeySecretRef: { name: "model", key: "api-key" },
  };
  await cluster().create(
    aNamespaceManifest(namespace),
    aSecretManifest(at("model"), { "api-key": "sk-test" }),
    source,
    { ...packManifest, spec: { ...(packManifest["spec"] as object), rollout } } as KubeObject,
    anAgentManifest(at("bot"), { provider, toolRegistryRef: undefined }),
  );
  await agent.becomes("Running", SOME_TIME);
  const status = async (): Promise<PromptPackStatus> => (await cluster().get(pack)).status ?? {};
  return {
    status,
    edit: (version: string) =>
      cluster().patch(source, { data: { [PACK_KEY]: aPackText({ version }) } }),
    becomes: (expected: object) =>
      vi.waitFor(async () => expect(await status()).toMatchObject(expected), SOME_TIME),
    async restart(): Promise<void> {
      await operator.stop();
      operator = await startOperator();
    },
    hear(hears: boolean): void {
      isHeard = hears;
    },
    /** So many new sessions. One in `unluckyEvery` of them gets no answer from its model. */
    async talk(sessions: number, unluckyEvery = Infinity): Promise<void> {
      await vi.waitFor(async () => {
        await follow();
        const report = readCanaryReport((await process.management("/canary")).body);
        expect(report?.trial).toBe((await status()).canaryStepSince);
      }, SOME_TIME);
      for (let index = 1; index <= sessions; index += 1) {
        const client = await ChatClient.connect(process.url);
        const isUnlucky = index % unluckyEvery === 0;
        client.say(isUnlucky ? "unlucky" : "hello");
        await client.nextOf(isUnlucky ? "error" : "done");
        client.socket.close();
      }
    },
    async events(): Promise<string[]> {
      const events = await cluster().list("Event", namespace);
      return events
        .filter(({ regarding }) => (regarding as { kind?: string } | undefined)?.kind === pack.kind)
        .flatMap(({ reason }) => (String(reason).startsWith("Canary") ? [String(reason)] : []))
        .toSorted();
    },
  };
}

describe("a canary in a cluster", () => {
  it("is promoted step by step, over a restart of the operator, and not while no replica is heard", async () => {
    const rollout = await aRollout({
      steps: [
        { weight: 100, duration: "1s" },
        { weight: 100, duration: "1s" },
      ],
      abortWhen: { errorRate: 0.05, minSessions: 6 },
    });
    await rollout.edit("2.0.0");
    await rollout.becomes({ phase: "Canary", canaryStep: 1, canaryWeight: 100 });
    await rollout.talk(3);
    await rollout.becomes({ canaryCounts: { sessions: 3, turns: 3, errors: 0 } });
    const { canaryStepSince } = await rollout.status();

    await rollout.becomes({ activeCounts: { sessions: 0, turns: 0 } });

    await rollout.restart();
    await rollout.becomes({ canaryStep: 1, canaryStepSince, canaryCounts: { sessions: 3 } });
    await rollout.talk(3);
    await rollout.becomes({ canaryStep: 2 });

    rollout.hear(false);
    await rollout.talk(6);
    await rollout.becomes({
      canaryStep: 2,
      canaryMessage: expect.stringMatching(/waits for replicas that tell/) as string,
    });
    rollout.hear(true);
    await rollout.becomes({ phase: "Active", activeSemver: "2.0.0" });
    expect(await rollout.status()).not.toHaveProperty("canaryCounts");
    expect(await rollout.status()).not.toHaveProperty("activeCounts");
    await vi.waitFor(
      async () =>
        expect(await rollout.events()).toEqual(["CanaryPromoted", "CanaryStep", "CanaryStep"]),
      SOME_TIME,
    );
  });

  it("is taken back when one session in five fails, and stays so until the content changes", async () => {
    const rollout = await aRollout({
      steps: [{ weight: 100, duration: "1h" }],
      abortWhen: { errorRate: 0.1, minSessions: 10 },
    });
    await rollout.edit("2.0.0");
    await rollout.becomes({ phase: "Canary", canaryStep: 1 });
    await rollout.talk(10, 5);
    const abortion = {
      phase: "Active",
      activeSemver: "1.0.0",
      abortedSemver: "2.0.0",
      abortedReason:
        "Step 1 of 1 (weight 100): 2 of 10 turns failed (20 %), and errorRate allows 10 %",
    };
    await rollout.becomes(abortion);
    expect(await rollout.status()).not.toHaveProperty("canaryVersion");
    await vi.waitFor(
      async () => expect(await rollout.events()).toEqual(["CanaryAborted", "CanaryStep"]),
      SOME_TIME,
    );
    await rollout.restart();
    await rollout.becomes(abortion);
    await rollout.edit("2.0.1");
    await rollout.becomes({ phase: "Canary", canarySemver: "2.0.1", canaryStep: 1 });
    expect(await rollout.status()).not.toHaveProperty("abortedVersion");
  });
});
