/** What changes while an agent runs is in the files of its pods within 2 s, without new pods; and no secret is anywhere else. */
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { startAgentContainer } from "../../support/kubernetes/node/agent-container.ts";
import { AgentInCluster, SOME_TIME, SOON } from "../../support/operator/agent-in-cluster.ts";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import {
  KubeCluster,
  type KubeObject,
  OPERATOR_USER,
} from "../../support/kubernetes/kube-cluster.ts";
import {
  anAgentManifest,
  aNamespaceManifest,
  aSecretManifest,
  aToolServiceManifests,
  packSaying,
  PACK_KEY,
  theReferences,
} from "../../support/builders/manifests.ts";
import { OperatorProcess } from "../../support/operator/operator-process.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

/** In every value of a Secret here. */
const CANARY = "c4n4ry-7f3a91";
const NAMESPACE = "team";

const at = (name: string): { name: string; namespace: string } => ({ name, namespace: NAMESPACE });
const inCluster = (name: string): AgentInCluster => new AgentInCluster(cluster(), at(name));

const cluster = forAllTests(
  () => KubeCluster.start({ startContainer: startAgentContainer }),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const operator = forAllTests(
  async () =>
    await OperatorProcess.start({ kubeconfig: await cluster().kubeconfigOf(OPERATOR_USER) }),
  (operator) => operator.stop(),
);
beforeAll(async () => {
  const [secret, ...references] = theReferences(NAMESPACE);
  await cluster().create(
    aNamespaceManifest(NAMESPACE),
    aSecretManifest(secret?.metadata as ReturnType<typeof at>, { "api-key": `${CANARY}-1` }),
    ...references,
  );
});

/** Runs `change` and expects that the pods stay the same ones. */
async function withoutNewPods(agent: AgentInCluster, change: () => Promise<void>): Promise<void> {
  const before = agent.pods.map(({ metadata }) => metadata.uid);
  const { generation } = (await cluster().get(agent.deployment)).metadata;
  expect(before).not.toHaveLength(0);
  await change();
  expect(agent.pods.map(({ metadata }) => metadata.uid)).toEqual(before);
  expect((await cluster().get(agent.deployment)).metadata.generation).toBe(generation);
}

describe("the files of an agent in a cluster", () => {
  it("are those from which a real agent answers", async () => {
    const agent = inCluster("answering");
    await cluster().create(anAgentManifest(at("answering"), { facade: { handler: "echo" } }));
    await agent.becomes("Running", SOME_TIME);
    const [pod] = agent.pods;
    const port = pod && cluster().kubelet.facadePortOf(pod);
    const client = await ChatClient.connect(
      `ws://127.0.0.1:${port}/?agent=answering&namespace=team`,
    );
    expect(await client.ask("hello")).toMatchObject({ content: "hello" });
  });

  it("follow a rotated key, an edited pack, a new tool and changed settings", async () => {
    const agent = inCluster("followed");
    await cluster().create(anAgentManifest(at("followed")));
    await agent.becomes("Running", SOME_TIME);
    const key = `/etc/omnia/${(await agent.agentConfig()).provider?.apiKeyFile}`;
    expect(await agent.file(key)).toBe(`${CANARY}-1`);

    await withoutNewPods(agent, async () => {
      const secret: KubeObject = { kind: "Secret", metadata: at("model") };
      await cluster().patch(secret, { stringData: { "api-key": `${CANARY}-2` } });
      await vi.waitFor(async () => expect(await agent.file(key)).toBe(`${CANARY}-2`), SOON);

      const content: KubeObject = { kind: "ConfigMap", metadata: at("prompts-content") };
      await cluster().patch(content, { data: { [PACK_KEY]: packSaying("You help at once.") } });
      await vi.waitFor(async () => {
        const { prompt } = await agent.agentConfig();
        expect(prompt?.active.system).toBe("You help at once.");
      }, SOON);

      await cluster().create(...aToolServiceManifests(at("search"), "tools"));
      await vi.waitFor(async () => {
        const { tools } = await agent.agentConfig();
        expect(tools.map(({ name }) => name)).toEqual(["lookup", "search"]);
      }, SOON);
      await cluster().delete({ kind: "Service", metadata: at("search") });
      await vi.waitFor(async () => {
        const { tools } = await agent.agentConfig();
        expect(tools.map(({ name }) => name)).toEqual(["found"]);
      }, SOON);

      await cluster().patch(agent.runtime, {
        spec: { session: { ttl: "2h" }, facade: { allowedOrigins: ["https://example.com"] } },
      });
      await vi.waitFor(async () => {
        const { session, facade } = await agent.agentConfig();
        expect({ ttlMs: session.ttlMs, origins: facade.allowedOrigins }).toEqual({
          ttlMs: 7_200_000,
          origins: ["https://example.com"],
        });
      }, SOON);
    });
    // The last change may still be on its way through the status.
    await agent.becomes("Running");
  });

  it("bring the budget to a real agent, which refuses turns by it and takes up another one", async () => {
    const model = await startModelServer();
    onTestFinished(() => model.close());
    const usage = { prompt_tokens: 30, completion_tokens: 12 };
    model.mock.onMessage(/./, { content: "Well.", usage });
    const agent = inCluster("thrifty");
    await cluster().create(
      anAgentManifest(at("thrifty"), {
        provider: {
          name: "openai",
          model: "m",
          baseURL: `${model.url}/v1`,
          apiKeySecretRef: { name: "model", key: "api-key" },
        },
        budget: { maxTokensPerDay: 40 },
      }),
    );
    await agent.becomes("Running", SOME_TIME);
    const [pod] = agent.pods;
    const port = pod && cluster().kubelet.facadePortOf(pod);
    const client = await ChatClient.connect(`ws://127.0.0.1:${port}/?agent=thrifty&namespace=team`);
    expect(await client.ask("hello")).toMatchObject({ content: "Well." });
    client.say("hello again");
    expect(await client.nextOf("error")).toMatchObject({
      error: {
        code: "UNAVAILABLE",
        message: expect.stringContaining("42 of 40 tokens") as string,
        details: { budget: "day", limit: 40, spent: 42 },
      },
    });
    await withoutNewPods(agent, async () => {
      await cluster().patch(agent.runtime, { spec: { budget: { maxTokensPerDay: 1_000 } } });
      await vi.waitFor(async () => {
        expect((await agent.agentConfig()).budget).toEqual({ maxTokensPerDay: 1_000 });
      }, SOON);
    });
    await vi.waitFor(async () => {
      client.say("and now?");
      expect(await client.next()).toMatchObject({ type: "chunk" });
    }, SOON);
  });

  it("come and go with the keys of clients", async () => {
    const agent = inCluster("guarded");
    const clients = aSecretManifest(at("clients"), { ada: `${CANARY}-ada` });
    await cluster().create(
      clients,
      anAgentManifest(at("guarded"), {
        facade: { auth: { apiKeysSecretRef: { name: "clients" } } },
      }),
    );
    await agent.becomes("Running", SOME_TIME);
    const folder = `/etc/omnia/${(await agent.agentConfig()).facade.auth?.apiKeysFolder}`;
    expect(await agent.file(`${folder}/ada`)).toBe(`${CANARY}-ada`);
    await withoutNewPods(agent, async () => {
      await cluster().patch(clients, { stringData: { bob: `${CANARY}-bob` } });
      await vi.waitFor(async () => {
        expect(await agent.file(`${folder}/bob`)).toBe(`${CANARY}-bob`);
      }, SOON);
      const data = { ada: null };
      await cluster().patch(clients, { data });
      await vi.waitFor(async () => {
        await expect(agent.file(`${folder}/ada`)).rejects.toThrow("ENOENT");
      }, SOON);
    });
  });

  it("leave what a pod cannot take while it runs to new pods", async () => {
    const agent = inCluster("rolled");
    await cluster().create(anAgentManifest(at("rolled"), { facade: { handler: "echo" } }));
    await agent.becomes("Running", SOME_TIME);
    const changes = [
      { env: [{ name: "EXTRA", value: "1" }] },
      { resources: { requests: { cpu: "10m" } } },
      { facade: { port: 9000 } },
      { image: "other:1" },
    ];
    for (const spec of changes) {
      const before = agent.pods.map(({ metadata }) => metadata.uid);
      await cluster().patch(agent.runtime, { spec });
      await vi.waitFor(() => {
        const uids = agent.pods.map(({ metadata }) => metadata.uid);
        expect(uids).toHaveLength(1);
        expect(uids).not.toEqual(before);
      }, SOME_TIME);
      await agent.becomes("Running", SOME_TIME);
    }
  });

  it("are the only place where the value of a Secret is: no log, status, event or other object has it", async () => {
    // What is wrong must not be told with the value either.
    await cluster().create(
      aSecretManifest(at("store"), { url: `http://user:${CANARY}@host:1` }),
      anAgentManifest(at("indiscreet"), {
        session: { type: "redis", storeRef: { name: "store", key: "url" } },
      }),
    );
    const agent = inCluster("indiscreet");
    await vi.waitFor(async () => {
      expect(await agent.condition("SessionStoreReady")).toMatchObject({ reason: "InvalidURL" });
    }, SOON);

    const kinds = [
      "AgentRuntime",
      "PromptPack",
      "ToolRegistry",
      "ConfigMap",
      "Deployment",
      "Service",
      "Pod",
      "Event",
    ] as const;
    for (const kind of kinds) {
      const text = JSON.stringify(await cluster().list(kind, NAMESPACE));
      expect(text).not.toContain(CANARY);
      expect(text).not.toContain(Buffer.from(CANARY).toString("base64").slice(0, 16));
    }
    expect(operator().output).not.toContain(CANARY);
    const errors = operator().lines.filter(({ level }) => level === "error");
    expect(errors).toEqual([]);
  });
});
