/** An edit of a prompt pack reaches the agents of a cluster without a connection lost, and the commands about versions. */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { countOpen, openClients } from "../../support/agent/open-clients.ts";
import { aPackText, aPrompt } from "../../support/builders/a-pack.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";
import {
  aConfigMapManifest,
  anAgentManifest,
  aNamespaceManifest,
  aPromptPackManifest,
  aSecretManifest,
  PACK_KEY,
} from "../../support/builders/manifests.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import {
  KubeCluster,
  type KubeObject,
  OPERATOR_USER,
} from "../../support/kubernetes/kube-cluster.ts";
import { startAgentContainer } from "../../support/kubernetes/node/agent-container.ts";
import { AgentInCluster, SOME_TIME } from "../../support/operator/agent-in-cluster.ts";
import { OperatorProcess } from "../../support/operator/operator-process.ts";
import { omnia, type OmniaResult } from "../../support/processes/omnia-process.ts";

const NAMESPACE = "team";
const CONNECTIONS = 100;

const at = (name: string): { name: string; namespace: string } => ({ name, namespace: NAMESPACE });
const source: KubeObject = { kind: "ConfigMap", metadata: at("prompts-content") };
const pack: KubeObject = { kind: "PromptPack", metadata: at("prompts") };

const home = folderForAllTests();
const model = forAllTests(startModelServer, (server) => server.close());
const cluster = forAllTests(
  () => KubeCluster.start({ startContainer: startAgentContainer }),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
forAllTests(
  async () =>
    await OperatorProcess.start({ kubeconfig: await cluster().kubeconfigOf(OPERATOR_USER) }),
  (operator) => operator.stop(),
);
const address = forAllTests(
  async () => {
    model().mock.onMessage("hello", { content: "Hi." });
    const agent = new AgentInCluster(cluster(), at("support"));
    const provider = {
      name: "openai",
      model: "test-model",
      baseURL: `${model().url}/v1`,
      apiKeySecretRef: { name: "model", key: "api-key" },
    };
    await cluster().create(
      aNamespaceManifest(NAMESPACE),
      aSecretManifest(at("model"), { "api-key": "sk-test" }),
      aConfigMapManifest(at("prompts-content"), { [PACK_KEY]: textOf("1.0.0", "Be kind.") }),
      aPromptPackManifest(at("prompts"), "prompts-content"),
      anAgentManifest(at("support"), { provider, toolRegistryRef: undefined }),
    );
    await agent.becomes("Running", SOME_TIME);
    const [pod] = agent.pods;
    const port = pod && cluster().kubelet.facadePortOf(pod);
    return `ws://127.0.0.1:${port}/?agent=support&namespace=${NAMESPACE}`;
  },
  undefined,
  KUBE_API_SERVER_TIMEOUT_MS,
);
beforeAll(() => expect(address()).toMatch(/:\d+/));

function textOf(version: string, system: string): string {
  return aPackText({ version, prompts: { support: aPrompt({ system_template: system }) } });
}

async function edit(version: string, system: string): Promise<void> {
  await cluster().patch(source, { data: { [PACK_KEY]: textOf(version, system) } });
  await becomes({ activeSemver: version });
}

async function becomes(status: object): Promise<void> {
  await vi.waitFor(
    async () => expect((await cluster().get(pack)).status).toMatchObject(status),
    SOME_TIME,
  );
}

function packs(...args: string[]): Promise<OmniaResult> {
  const env = { HOME: home(), KUBECONFIG: cluster().server.kubeconfig };
  return omnia(["packs", ...args], { env });
}

/** The system prompt that a new session has. */
async function systemPrompt(): Promise<string> {
  const client = await ChatClient.connect(address(), { atTheEnd: () => {} });
  await client.ask("hello");
  client.socket.terminate();
  return model().requests.at(-1)?.body.messages[0].content as string;
}

async function agentSays(system: string): Promise<void> {
  await vi.waitFor(async () => expect(await systemPrompt()).toBe(system), SOME_TIME);
}

describe("a prompt pack in a cluster", () => {
  it("is edited and rolled back while a hundred connections stay open", async () => {
    const clients = await openClients(address(), CONNECTIONS);
    await agentSays("Be kind.");
    await edit("2.0.0", "Be brief.");
    await agentSays("Be brief.");

    const list = await packs("-n", NAMESPACE);
    expect(list).toMatchObject({ code: 0, err: "" });
    expect(list.out).toMatch(/^team\/prompts +2\.0\.0 +[0-9a-f]{12} +active/m);
    expect(list.out).toMatch(/^ +1\.0\.0 +[0-9a-f]{12} +previous/m);
    const difference = await packs("diff", "prompts");
    expect(difference.out).toContain("\n- Be kind.\n+ Be brief.\n");

    const rollback = await packs("rollback", "prompts");
    expect(rollback).toMatchObject({ code: 0, err: "" });
    expect(rollback.out).toMatch(/^team\/prompts is back at 1\.0\.0 \([0-9a-f]{12}\)\.$/m);
    const { data } = (await cluster().get(source)) as unknown as { data: object };
    expect(data).toEqual({ [PACK_KEY]: textOf("1.0.0", "Be kind.") });
    await agentSays("Be kind.");
    expect(countOpen(clients)).toBe(CONNECTIONS);
  });

  it("goes back to what ran before, and not to what was kept last", async () => {
    await edit("3.0.0", "Be bad.");
    await edit("1.0.0", "Be kind.");
    await edit("4.0.0", "Be worse.");
    expect((await packs("rollback", "prompts")).out).toContain("is back at 1.0.0");
    await becomes({ activeSemver: "1.0.0" });
  });

  it("takes a broken edit back, and names the tool that will write its own text again", async () => {
    await edit("1.0.0", "Be kind.");
    await cluster().patch(source, {
      metadata: { labels: { "kustomize.toolkit.fluxcd.io/name": "apps" } },
      data: { [PACK_KEY]: "{" },
    });
    const { code, out, err } = await packs("rollback", "prompts", "-o", "json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      changed: true,
      state: "active",
      to: { semver: "1.0.0" },
      warnings: [expect.stringContaining("Flux looks after")],
    });
    expect(err).toContain('warning: Flux looks after ConfigMap "prompts-content"');
    expect((await packs("rollback", "prompts", "active")).out).toContain(
      "already; nothing was changed",
    );
  });

  it("says that a version becomes the canary where the pack rolls out so, and ends a canary", async () => {
    await edit("1.0.0", "Be kind.");
    await cluster().patch(pack, {
      spec: { rollout: { strategy: "canary", canary: { weight: 20 } } },
    });
    await cluster().patch(source, { data: { [PACK_KEY]: textOf("5.0.0", "Be new.") } });
    await becomes({ canarySemver: "5.0.0" });
    expect((await packs("rollback", "prompts")).out).toContain("is back at 1.0.0");
    await becomes({ activeSemver: "1.0.0", phase: "Active" });
    const again = await packs("rollback", "prompts", "5.0.0");
    expect(again.out).toContain("It is the canary, with 20 % of new sessions");
    await cluster().patch(pack, { spec: { rollout: { strategy: "immediate", canary: null } } });
  });

  it("goes back to the files of its skills, and leaves those of others alone", async () => {
    const pack = aPackText({ version: "6.0.0", skills: ["./skills"] });
    const skill = (name: string, text: string): string =>
      `---\nname: ${name}\ndescription: How to ${name}\n---\n${text}`;
    const before = { [PACK_KEY]: pack, "skills.refund.SKILL.md": skill("refund", "Ask.") };
    const others = { "notes.txt": "Of others.", "other.tone.SKILL.md": skill("tone", "Be kind.") };
    const edited = {
      "skills.refund.SKILL.md": skill("refund", "Ask twice."),
      "skills.bill.SKILL.md": skill("bill", "Add up."),
    };
    const active = async (): Promise<string> =>
      ((await cluster().get({ kind: "PromptPack", metadata: at("prompts") })).status ?? {})
        .activeVersion;
    await cluster().patch(source, { data: { ...before, ...others } });
    await becomes({ activeSemver: "6.0.0" });
    const first = await active();
    await cluster().patch(source, { data: edited });
    await vi.waitFor(async () => expect(await active()).not.toBe(first), SOME_TIME);
    const difference = await packs("diff", "prompts");
    expect(difference.out).toContain("\nskills.refund.instructions\n- Ask.\n+ Ask twice.\n");

    expect((await packs("rollback", "prompts")).code).toBe(0);
    const { data } = (await cluster().get(source)) as unknown as { data: object };
    expect(data).toMatchObject({ ...before, ...others });
    expect(data).not.toHaveProperty(["skills.bill.SKILL.md"]);
    expect(await active()).toBe(first);
  });

  it("is not rolled back where its ConfigMap is gone", async () => {
    await cluster().delete(source);
    const { code, err } = await packs("rollback", "prompts", "1.0.0");
    expect(code).toBe(1);
    expect(err).toContain('ConfigMap "prompts-content" of namespace team is not there.');
  });
});
