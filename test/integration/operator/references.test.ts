/** What agents refer to: there late, in any order, elsewhere, and gone again. */
import { describe, expect, it, vi } from "vitest";
import { AgentInCluster, SOME_TIME, SOON } from "../../support/operator/agent-in-cluster.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import {
  KubeCluster,
  type KubeObject,
  OPERATOR_USER,
} from "../../support/kubernetes/kube-cluster.ts";
import {
  aConfigMapManifest,
  anAgentManifest,
  aNamespaceManifest,
  aPackManifest,
  aPromptPackManifest,
  aSecretManifest,
  aToolRegistryManifest,
  aToolServiceManifests,
  theReferences,
} from "../../support/builders/manifests.ts";
import { OperatorProcess } from "../../support/operator/operator-process.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { numberedNames } from "../../support/builders/numbered-names.ts";

const namespaces = numberedNames("team");

const cluster = forAllTests(
  () => KubeCluster.start(),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
forAllTests(
  async () =>
    await OperatorProcess.start({ kubeconfig: await cluster().kubeconfigOf(OPERATOR_USER) }),
  (operator) => operator.stop(),
);

async function aNamespace(): Promise<string> {
  const namespace = namespaces.next();
  await cluster().create(aNamespaceManifest(namespace));
  return namespace;
}

/** Deterministic, so that a failure comes again. */
function shuffled<T>(values: readonly T[], seed: number): T[] {
  let state = seed;
  const random = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  const order = values.map((value) => ({ value, at: random() }));
  return order.toSorted((a, b) => a.at - b.at).map(({ value }) => value);
}

describe("an agent runs within 2 s of the last thing that it needs", () => {
  const everything = (namespace: string): Record<string, KubeObject> => ({
    agent: anAgentManifest({ name: "late", namespace }),
    secret: aSecretManifest({ name: "model", namespace }, { "api-key": "sk-test" }),
    content: aPackManifest({ name: "prompts-content", namespace }),
    pack: aPromptPackManifest({ name: "prompts", namespace }, "prompts-content"),
    registry: aToolRegistryManifest({ name: "tools", namespace }),
  });
  const names = Object.keys(everything(""));
  const orders = [
    // Each of them last once, and some more.
    ...names.map((last, seed) => [...shuffled(names, seed + 1).filter((n) => n !== last), last]),
    ...[11, 12, 13, 14, 15].map((seed) => shuffled(names, seed)),
  ];

  it.each(orders.map((order) => [order.join(", "), order] as const))("%s", async (_, order) => {
    const namespace = await aNamespace();
    const objects = everything(namespace);
    const agent = new AgentInCluster(cluster(), { name: "late", namespace });
    const [last = "", ...before] = order.toReversed();
    for (const name of before.toReversed()) await cluster().create(objects[name] as KubeObject);
    if (last !== "agent") await agent.becomes("Pending");
    await cluster().create(objects[last] as KubeObject);
    await agent.becomes("Running");
  });
});

describe("what an agent refers to", () => {
  it("can be mended in place: an empty Secret, a key that is missing, a pack that is no JSON", async () => {
    const namespace = await aNamespace();
    const secret = aSecretManifest({ name: "model", namespace }, { other: "sk-test" });
    const content = aConfigMapManifest({ name: "prompts-content", namespace }, {});
    const [, , pack, ...others] = theReferences(namespace);
    const agent = new AgentInCluster(cluster(), { name: "mended", namespace });
    await cluster().create(anAgentManifest({ name: "mended", namespace }), secret, content);
    await cluster().create(pack as KubeObject, ...others);
    await agent.becomes("Pending");
    await vi.waitFor(async () => {
      expect(await agent.condition("ProviderReady")).toMatchObject({ reason: "SecretKeyMissing" });
      expect(await agent.condition("PromptPackReady")).toMatchObject({ reason: "Invalid" });
    }, SOON);

    await cluster().patch(secret, { stringData: { "api-key": "sk-test" } });
    await vi.waitFor(async () => {
      expect(await agent.condition("ProviderReady")).toMatchObject({ status: "True" });
    }, SOON);
    await cluster().patch(content, { data: { "promptpack.json": "{" } });
    await vi.waitFor(async () => {
      expect((await cluster().get(pack as KubeObject)).status.conditions[0].reason).toBe(
        "InvalidJSON",
      );
    }, SOON);
    await cluster().patch(content, aPackManifest(content.metadata));
    await agent.becomes("Running");
  });

  it("may be in other namespaces: a pack and a registry", async () => {
    const [own, packs, tools] = [await aNamespace(), await aNamespace(), await aNamespace()];
    const agent = new AgentInCluster(cluster(), { name: "far", namespace: own });
    await cluster().create(
      anAgentManifest(
        { name: "far", namespace: own },
        {
          promptPackRef: { name: "prompts", namespace: packs },
          toolRegistryRef: { name: "tools", namespace: tools },
        },
      ),
      aSecretManifest({ name: "model", namespace: own }, { "api-key": "sk-test" }),
      aPromptPackManifest({ name: "prompts", namespace: packs }, "prompts-content"),
      aToolRegistryManifest({ name: "tools", namespace: tools }),
    );
    await agent.becomes("Pending");
    await cluster().create(aPackManifest({ name: "prompts-content", namespace: packs }));
    await agent.becomes("Running");
    await cluster().create(...aToolServiceManifests({ name: "lookup", namespace: tools }, "tools"));
    await vi.waitFor(async () => {
      expect((await agent.agentConfig()).tools).toMatchObject([
        { name: "found", url: `http://lookup.${tools}.svc:80/` },
      ]);
    }, SOON);
  });

  it("changes the condition of a running agent when it goes, and nothing else", async () => {
    const namespace = await aNamespace();
    const references = theReferences(namespace);
    const agent = new AgentInCluster(cluster(), { name: "kept", namespace });
    await cluster().create(
      ...references,
      anAgentManifest({ name: "kept", namespace }, { replicas: 2 }),
    );
    await agent.becomes("Running", SOME_TIME);
    await vi.waitFor(async () => {
      expect(await agent.condition("ToolRegistryReady")).toMatchObject({ status: "True" });
      expect((await cluster().get(agent.runtime)).status.ready).toBe("2/2");
    }, SOME_TIME);
    const footprint = await agent.footprint();

    const find = (kind: string, name: string): KubeObject =>
      references.find((one) => one.kind === kind && one.metadata.name === name) as KubeObject;
    const losses = [
      [find("ConfigMap", "prompts-content"), "PromptPackReady", "Invalid"],
      [find("PromptPack", "prompts"), "PromptPackReady", "NotFound"],
      [find("ToolRegistry", "tools"), "ToolRegistryReady", "NotFound"],
      [find("Secret", "model"), "ProviderReady", "SecretNotFound"],
    ] as const;
    for (const [object, type, reason] of losses) {
      await cluster().delete(object);
      await vi.waitFor(async () => {
        expect(await agent.condition(type)).toMatchObject({ status: "False", reason });
      }, SOON);
    }
    expect(await agent.phase()).toBe("Running");
    expect(await agent.condition("Available")).toMatchObject({ status: "True" });
    expect(await agent.footprint()).toEqual(footprint);

    await cluster().create(...losses.map(([object]) => object));
    for (const [, type] of losses) {
      await vi.waitFor(async () => {
        expect(await agent.condition(type)).toMatchObject({ status: "True" });
      }, SOON);
    }
    expect(await cluster().list("ReplicaSet", namespace)).toHaveLength(1);
  });

  it("may be well while its pods fail, which are told of in their own words", async () => {
    const namespace = await aNamespace();
    const agent = new AgentInCluster(cluster(), { name: "failing", namespace });
    const key = `${namespace}/failing`;
    cluster().kubelet.setBehaviour(key, { state: "crash-loop", message: "the model is unknown" });
    await cluster().create(
      ...theReferences(namespace),
      anAgentManifest({ name: "failing", namespace }),
    );
    await agent.becomes("Failed", SOME_TIME);
    expect(await agent.condition("Available")).toMatchObject({
      status: "False",
      reason: "PodsFailing",
      message: expect.stringContaining("the model is unknown"),
    });

    cluster().kubelet.setBehaviour(key, { state: "image-pull-fails" });
    await vi.waitFor(async () => {
      expect((await agent.condition("Available")).message).toMatch(/ImagePullBackOff|pull/);
    }, SOON);
    cluster().kubelet.setBehaviour(key, { state: "ready" });
    await agent.becomes("Running");
    cluster().kubelet.setBehaviour(key, { state: "unready" });
    await vi.waitFor(async () => {
      expect(await agent.condition("Available")).toMatchObject({ reason: "WaitingForPods" });
    }, SOON);
  });

  it("may be well while it cannot be scheduled: it waits for pods, and says why", async () => {
    const namespace = await aNamespace();
    const agent = new AgentInCluster(cluster(), { name: "homeless", namespace });
    cluster().kubelet.setBehaviour(`${namespace}/homeless`, { state: "unschedulable" });
    await cluster().create(
      ...theReferences(namespace),
      anAgentManifest({ name: "homeless", namespace }),
    );
    await vi.waitFor(async () => {
      expect((await agent.condition("Available")).message).toContain("Insufficient memory");
    }, SOME_TIME);
  });
});
