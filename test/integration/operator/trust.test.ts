/** Attackers with few rights in a cluster: what each of them tries, and what he gets. */
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { stringify } from "yaml";
import { API_VERSION, GROUP } from "../../../src/api/group.ts";
import { ChatClient } from "../../support/agent/chat-client.ts";
import {
  aConfigMapManifest,
  anAgentManifest,
  aNamespaceManifest,
  aPackManifest,
  aPromptPackManifest,
  aSecretManifest,
  theReferences,
} from "../../support/builders/manifests.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import {
  KubeCluster,
  type KubeObject,
  OPERATOR_USER,
} from "../../support/kubernetes/kube-cluster.ts";
import { startAgentContainer } from "../../support/kubernetes/node/agent-container.ts";
import { AgentInCluster, SOME_TIME } from "../../support/operator/agent-in-cluster.ts";
import { OperatorProcess } from "../../support/operator/operator-process.ts";

/** The victim's namespace, and the attacker's. */
const OURS = "team-a";
const THEIRS = "team-b";
/** A Secret of the victim that no resource of his names. */
const DATABASE = { name: "database", namespace: OURS };

/** Attackers by what they may write, and where. */
const ATTACKERS = {
  "writes-registries": [THEIRS, GROUP, ["toolregistries"]],
  "writes-services": [THEIRS, "", ["services"]],
  "writes-agents": [OURS, GROUP, ["agentruntimes"]],
  "writes-config-maps": [OURS, "", ["configmaps"]],
} as const;
type Attacker = keyof typeof ATTACKERS;

const cluster = forAllTests(
  () => KubeCluster.start({ startContainer: startAgentContainer }),
  (started) => started.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const operator = forAllTests(
  async () => OperatorProcess.start({ kubeconfig: await cluster().kubeconfigOf(OPERATOR_USER) }),
  (started) => started.stop(),
);

beforeAll(async () => {
  for (const namespace of [OURS, THEIRS]) {
    await cluster().create(aNamespaceManifest(namespace), ...theReferences(namespace));
  }
  await cluster().create(aSecretManifest(DATABASE, { password: "of-the-database" }));
  for (const [user, [namespace, group, resources]] of Object.entries(ATTACKERS)) {
    await permit(cluster(), { user, namespace, group, resources });
  }
});

async function permit(
  { server }: KubeCluster,
  grant: { user: string; namespace: string; group: string; resources: readonly string[] },
): Promise<void> {
  const { user, namespace, group, resources } = grant;
  const verbs = ["get", "list", "watch", "create", "update", "patch", "delete"];
  const folder = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  const role = {
    kind: "Role",
    metadata: { name: user },
    rules: [{ apiGroups: [group], resources, verbs }],
  };
  const binding = {
    kind: "RoleBinding",
    metadata: { name: user },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: user },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
  };
  for (const [plural, object] of Object.entries({ roles: role, rolebindings: binding })) {
    const { status } = await server.request("POST", `${folder}/${plural}`, object);
    expect(status).toBe(201);
  }
}

/** Rejects when RBAC does not let him. */
async function apply(attacker: Attacker, object: object): Promise<void> {
  const flags = ["--as", attacker, "apply", "--server-side", "--force-conflicts", "-f", "-"];
  await cluster().server.kubectl(flags, stringify({ apiVersion: "v1", ...object }));
}

const agent = (name: string, namespace = OURS): AgentInCluster =>
  new AgentInCluster(cluster(), { name, namespace });

/** The names of the Secrets in the pods of an agent: of the volumes, of the environment and for images. */
async function secretsGiven({ deployment }: AgentInCluster): Promise<string[]> {
  const { spec } = (await cluster().get(deployment)).spec.template;
  const found = new Set<string>();
  const look = (value: unknown, isSecret: boolean): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, field] of Object.entries(value)) {
      const names = key === "secretName" || (isSecret && key === "name");
      if (names && typeof field === "string") found.add(field);
      look(field, /secret/i.test(key) && key !== "imagePullSecrets");
    }
  };
  look(spec, false);
  return [...found].toSorted();
}

const inlineRegistry = (name: string, secretName: string): object => ({
  apiVersion: API_VERSION,
  kind: "ToolRegistry",
  metadata: { name, namespace: THEIRS },
  spec: {
    tools: [
      {
        name: "collect",
        url: "http://127.0.0.1:9/collect",
        authSecretRef: { name: secretName, key: "password" },
      },
    ],
  },
});

describe("who may write ToolRegistries in another namespace", () => {
  it("does not get a Secret of the agent's namespace whose name he knows", async () => {
    await apply("writes-registries", inlineRegistry("collecting", DATABASE.name));
    const victim = agent("uses-their-tools");
    const reference = { name: "collecting", namespace: THEIRS };
    await cluster().create(
      anAgentManifest(
        { name: "uses-their-tools", namespace: OURS },
        { toolRegistryRef: reference },
      ),
    );
    await victim.becomes("Running", SOME_TIME);
    expect(await secretsGiven(victim)).toEqual(["model"]);
    expect(await victim.condition("ToolRegistryReady")).toMatchObject({
      status: "False",
      reason: "NotAllowed",
      message: expect.stringContaining("toolRegistryRef.credentials") as string,
    });
  });

  it("is sent what the agent gives him, and nothing else", async () => {
    await apply("writes-registries", inlineRegistry("paid", DATABASE.name));
    const victim = agent("gives-a-token");
    await cluster().create(
      aSecretManifest({ name: "own-token", namespace: OURS }, { token: "for-them" }),
      anAgentManifest(
        { name: "gives-a-token", namespace: OURS },
        {
          toolRegistryRef: {
            name: "paid",
            namespace: THEIRS,
            credentials: [{ tool: "collect", secretRef: { name: "own-token", key: "token" } }],
          },
        },
      ),
    );
    await victim.becomes("Running", SOME_TIME);
    expect(await secretsGiven(victim)).toEqual(["model", "own-token"]);
    const file = (await victim.agentConfig()).tools[0]?.authFile;
    expect(await victim.file(`/etc/omnia/${file}`)).toBe("for-them");
  });
});

describe("who may write Services", () => {
  it("does not get the token of a registry that selects Services by their labels", async () => {
    const selector = { matchLabels: { offers: "payments" } };
    const registry = {
      apiVersion: API_VERSION,
      kind: "ToolRegistry" as const,
      metadata: { name: "payments", namespace: THEIRS },
      spec: {
        tools: [{ name: "pay", selector, authSecretRef: { name: "token", key: "token" } }],
      },
    };
    await cluster().create(registry);
    await apply("writes-services", {
      kind: "Service",
      metadata: {
        name: "collector",
        namespace: THEIRS,
        labels: { [`${GROUP}/tool`]: "true", offers: "payments" },
      },
      spec: { ports: [{ port: 80 }] },
    });
    await vi.waitFor(async () => {
      const { status } = await cluster().get(registry);
      expect(status?.tools).toMatchObject([
        { name: "pay", available: false, reason: "InvalidTool" },
      ]);
    }, SOME_TIME);
  });
});

describe("who may write AgentRuntimes", () => {
  it("cannot tell a pack that does not allow his namespace from one that is not there", async () => {
    const at = { name: "secret-prompts", namespace: THEIRS };
    const pack = aPromptPackManifest(at, "prompts-content");
    const spec = { ...(pack["spec"] as object), allowedNamespaces: { from: "Same" } };
    await cluster().create({ ...pack, spec } as KubeObject);
    const reading = async (name: string, prompts: string): Promise<object> => {
      const reference = { name: prompts, namespace: THEIRS };
      await apply(
        "writes-agents",
        anAgentManifest({ name, namespace: OURS }, { promptPackRef: reference }),
      );
      await agent(name).becomes("Pending", SOME_TIME);
      expect(await cluster().get(agent(name).config)).toBeUndefined();
      const { reason, message } = await agent(name).condition("PromptPackReady");
      return { reason, message: message.replaceAll(prompts, "that-name") };
    };
    const refused = await reading("reads-prompts", "secret-prompts");
    expect(refused).toMatchObject({ reason: "NotFound" });
    expect(refused).toEqual(await reading("reads-nothing", "no-prompts"));

    const told = async (): Promise<unknown[]> => {
      const path = `/apis/events.k8s.io/v1/namespaces/${THEIRS}/events`;
      const { body } = await cluster().server.request("GET", path);
      return body.items.filter(
        (event: { regarding: { name: string } }) => event.regarding.name === "secret-prompts",
      );
    };
    await vi.waitFor(async () => {
      expect(await told()).toContainEqual(
        expect.objectContaining({
          reason: "NotAllowed",
          note: expect.stringContaining('AgentRuntime "reads-prompts" in namespace "team-a"'),
        }),
      );
      expect((await cluster().get(pack)).status.conditions).toContainEqual(
        expect.objectContaining({
          type: "AgentsNotified",
          message: expect.stringContaining("refuses 1 AgentRuntime"),
        }),
      );
    }, SOME_TIME);
  });
});

describe("who may write ConfigMaps", () => {
  it("cannot have a Secret of his choice mounted, by a forged config for an agent that waits", async () => {
    const at = { name: "waits", namespace: OURS };
    const victim = agent("waits");
    await cluster().create(anAgentManifest(at, { promptPackRef: { name: "later" } }));
    await victim.becomes("Pending", SOME_TIME);
    const { uid } = (await cluster().get(victim.runtime)).metadata;
    // All of it is as the operator would have made it for an agent of this spec.
    const model = agent("model-of-forgery");
    await cluster().create(anAgentManifest({ name: "model-of-forgery", namespace: OURS }));
    await model.becomes("Running", SOME_TIME);
    const { data, metadata } = await cluster().get(model.config);
    const files = [{ path: "secrets/provider/api-key", secretName: "database", key: "password" }];
    await apply("writes-config-maps", {
      kind: "ConfigMap",
      metadata: {
        name: "waits-config",
        namespace: OURS,
        labels: { ...metadata.labels, "app.kubernetes.io/instance": "waits" },
        annotations: { ...metadata.annotations, [`${GROUP}/secret-files`]: JSON.stringify(files) },
        ownerReferences: [
          { apiVersion: API_VERSION, kind: "AgentRuntime", name: "waits", uid, controller: true },
        ],
      },
      data,
    });
    // A change of the spec leads to another look at the agent.
    await cluster().patch(victim.runtime, { spec: { session: { ttl: "2h" } } });
    await victim.becomes("Pending", SOME_TIME);
    expect(await cluster().get(victim.deployment)).toBeUndefined();

    await cluster().create(
      aPackManifest({ name: "later-content", namespace: OURS }),
      aPromptPackManifest({ name: "later", namespace: OURS }, "later-content"),
    );
    await victim.becomes("Running", SOME_TIME);
    expect(await secretsGiven(victim)).toEqual(["model"]);
  });

  it("cannot give a running agent another config, even while no operator runs", async () => {
    const victim = agent("echoes");
    const at = { name: "echoes", namespace: OURS };
    await cluster().create(anAgentManifest(at, { facade: { handler: "echo" } }));
    await victim.becomes("Running", SOME_TIME);
    const [pod] = victim.pods;
    const port = pod && cluster().kubelet.facadePortOf(pod);
    await operator().stop();
    const { data } = await cluster().get(victim.config);
    const forged = { ...JSON.parse(data["agent.json"]), handler: "demo" };
    const text = JSON.stringify(forged);
    const config = { ...aConfigMapManifest({ ...at, name: "echoes-config" }, {}) };
    await apply("writes-config-maps", { ...config, data: { "agent.json": text } });
    // A kubelet looks at the files of a pod again after a while, and at once when the pod is changed.
    const path = `/api/v1/namespaces/${OURS}/pods/${pod?.metadata.name}`;
    const touched = { metadata: { annotations: { touched: "true" } } };
    expect(await cluster().server.request("PATCH", path, touched)).toMatchObject({
      status: 200,
    });
    await vi.waitFor(
      async () => expect(await victim.file("/etc/omnia/agent.json")).toBe(text),
      SOME_TIME,
    );
    const client = await ChatClient.connect(
      `ws://127.0.0.1:${port}/?agent=echoes&namespace=${OURS}`,
    );
    expect(await client.ask("hello")).toMatchObject({ content: "hello" });
  });
});

describe("an operator that grants nothing by itself", () => {
  it("refuses references to other namespaces, endpoints and images that nobody allowed", async () => {
    await operator().stop();
    const strict = await OperatorProcess.start({
      kubeconfig: await cluster().kubeconfigOf(OPERATOR_USER),
      flags: [
        "--cross-namespace-references=Granted",
        "--allowed-base-url-hosts=llm.example",
        "--allowed-images=agents:1",
      ],
    });
    onTestFinished(async () => void (await strict.stop()));
    const make = async (name: string, spec: object): Promise<AgentInCluster> => {
      await apply("writes-agents", anAgentManifest({ name, namespace: OURS }, spec));
      await agent(name).becomes("Pending", SOME_TIME);
      expect(await cluster().get(agent(name).deployment)).toBeUndefined();
      return agent(name);
    };
    const across = await make("across", { promptPackRef: { name: "prompts", namespace: THEIRS } });
    expect(await across.condition("PromptPackReady")).toMatchObject({ reason: "NotFound" });
    const elsewhere = await make("elsewhere", {
      provider: {
        name: "openai",
        model: "m",
        apiKeySecretRef: { name: "model", key: "api-key" },
        baseURL: "http://attacker.example/v1",
      },
    });
    expect(await elsewhere.condition("ProviderReady")).toMatchObject({ reason: "NotAllowed" });
    const foreign = await make("foreign-image", { image: "attacker.example/agent:1" });
    expect(await foreign.condition("Available")).toMatchObject({
      reason: "WaitingForReferences",
      message: expect.stringContaining("attacker.example/agent:1") as string,
    });
    await cluster().patch(
      { kind: "PromptPack", metadata: { name: "prompts", namespace: THEIRS } },
      {
        spec: {
          allowedNamespaces: {
            from: "Selector",
            selector: { matchLabels: { "kubernetes.io/metadata.name": OURS } },
          },
        },
      },
    );
    await across.becomes("Running", SOME_TIME);
  });
});
