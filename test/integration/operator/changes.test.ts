/** Changes to what runs: quick ones, broken ones, ones by others, and ones that a killed operator left half done. */
import { setTimeout as delay } from "node:timers/promises";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { CONDITIONS } from "../../../src/api/conditions.ts";
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
  aSecretManifest,
  packSaying,
  PACK_KEY,
  theReferences,
} from "../../support/builders/manifests.ts";
import { OperatorProcess } from "../../support/operator/operator-process.ts";
import { numberedNames } from "../../support/builders/numbered-names.ts";
import { forAllTests, forEachTest } from "../../support/builders/fixtures.ts";

const namespaces = numberedNames("team");

const startOperator = async (): Promise<OperatorProcess> =>
  OperatorProcess.start({ kubeconfig: await cluster().kubeconfigOf(OPERATOR_USER) });

const cluster = forAllTests(
  () => KubeCluster.start(),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const operator = forAllTests(
  () => startOperator(),
  (operator) => operator.stop(),
);

/** A new one for each test, with all the references in it. */
const namespace = forEachTest(() => namespaces.next());
const agent = forEachTest(
  () => new AgentInCluster(cluster(), { name: "agent", namespace: namespace() }),
);
beforeEach(async () => {
  await cluster().create(aNamespaceManifest(namespace()), ...theReferences(namespace()));
});

async function running(spec: object = {}): Promise<void> {
  await cluster().create(anAgentManifest({ name: "agent", namespace: namespace() }, spec));
  await agent().becomes("Running", SOME_TIME);
}

const object = (kind: KubeObject["kind"], name: string): KubeObject => ({
  kind,
  metadata: { name, namespace: namespace() },
});

async function system(): Promise<string | undefined> {
  return (await agent().agentConfig()).prompt?.active.system;
}

describe("a change to what runs", () => {
  it("is overtaken by a later one, and the last of many quick ones stands", async () => {
    await running();
    for (let index = 1; index <= 15; index++) {
      await cluster().patch(agent().runtime, { spec: { session: { ttl: `${index}h` } } });
      const content = { [PACK_KEY]: packSaying(`Take ${index}.`) };
      await cluster().patch(object("ConfigMap", "prompts-content"), { data: content });
      const key = { stringData: { "api-key": `key-${index}` } };
      await cluster().patch(object("Secret", "model"), key);
    }
    await vi.waitFor(async () => {
      expect(await system()).toBe("Take 15.");
      expect((await agent().agentConfig()).session.ttlMs).toBe(15 * 3_600_000);
      expect(await agent().file("/etc/omnia/secrets/provider/api-key")).toBe("key-15");
    }, SOON);
    await agent().becomes("Running");
    expect(await cluster().list("ReplicaSet", namespace())).toHaveLength(1);
  });

  it("that an operator left half done when it was killed is finished by the next one", async () => {
    await running();
    for (let round = 1; round <= 4; round++) {
      const content = { [PACK_KEY]: packSaying(`Round ${round}.`) };
      const { resourceVersion } = (await cluster().get(agent().config)).metadata;
      await cluster().patch(object("ConfigMap", "prompts-content"), { data: content });
      await vi.waitFor(async () => {
        expect((await cluster().get(agent().config)).metadata.resourceVersion).not.toBe(
          resourceVersion,
        );
      }, SOON);
      await operator().kill();
      operator.replaceBy(await startOperator());
      await vi.waitFor(async () => expect(await system()).toBe(`Round ${round}.`), SOON);
    }
  });

  it("that breaks a reference in its place leaves what is good of the agent", async () => {
    await running();
    const before = await agent().footprint();
    const breaks = [
      [object("ConfigMap", "prompts-content"), { data: { [PACK_KEY]: "{" } }, "PromptPackReady"],
      [object("Secret", "model"), { data: null }, "ProviderReady"],
      [agent().runtime, { spec: { toolRegistryRef: { name: "missing" } } }, "ToolRegistryReady"],
      [agent().runtime, { spec: { promptPackRef: { name: "missing" } } }, "PromptPackReady"],
    ] as const;
    for (const [target, patch, type] of breaks) {
      await cluster().patch(target, patch);
      await vi.waitFor(async () => {
        expect(await agent().condition(type)).toMatchObject({ status: "False" });
      }, SOON);
    }
    await agent().becomes("Running");
    expect(await agent().footprint()).toEqual(before);
  });

  it("of the environment, in its Secret or ConfigMap, makes new pods", async () => {
    await cluster().create(
      aSecretManifest({ name: "values", namespace: namespace() }, { key: "one", other: "x" }),
      aConfigMapManifest({ name: "values", namespace: namespace() }, { key: "one", other: "x" }),
    );
    await running({
      env: [
        { name: "A", valueFrom: { secretKeyRef: { name: "values", key: "key" } } },
        { name: "B", valueFrom: { configMapKeyRef: { name: "values", key: "key" } } },
      ],
    });
    const uids = (): (string | undefined)[] => agent().pods.map(({ metadata }) => metadata.uid);
    for (const kind of ["Secret", "ConfigMap"] as const) {
      const field = kind === "Secret" ? "stringData" : "data";
      const before = uids();
      await cluster().patch(object(kind, "values"), { [field]: { other: "y" } });
      await delay(500);
      expect(uids()).toEqual(before);
      await cluster().patch(object(kind, "values"), { [field]: { key: "two" } });
      await vi.waitFor(() => {
        expect(uids()).toHaveLength(1);
        expect(uids()).not.toEqual(before);
      }, SOON);
    }
  });

  it("of a tool's endpoints changes conditions, and no config", async () => {
    await running();
    await vi.waitFor(async () => {
      expect(await agent().condition("ToolRegistryReady")).toMatchObject({ status: "True" });
    }, SOON);
    const before = await agent().footprint();
    const endpoints = (ready: boolean): object => ({
      endpoints: [{ addresses: ["10.1.2.3"], conditions: { ready } }],
    });
    await cluster().patch(object("EndpointSlice", "lookup"), endpoints(false));
    await vi.waitFor(async () => {
      expect(await agent().condition("ToolRegistryReady")).toMatchObject({ status: "False" });
    }, SOON);
    await cluster().patch(object("EndpointSlice", "lookup"), endpoints(true));
    await vi.waitFor(async () => {
      expect(await agent().condition("ToolRegistryReady")).toMatchObject({ status: "True" });
    }, SOON);
    expect(await agent().footprint()).toEqual(before);
  });

  it("that somebody else makes to a status is put right", async () => {
    await running();
    const path = `/apis/omnia.altairalabs.ai/v1alpha1/namespaces/${namespace()}/agentruntimes/agent/status`;
    const { status } = await cluster().server.request("PATCH", path, {
      status: { phase: "Failed", replicas: 7, conditions: [] },
    });
    expect(status).toBe(200);
    await agent().becomes("Running");
    const written = (await cluster().get(agent().runtime)).status;
    expect(written.replicas).toBe(1);
    // One of them is there only when a second operator keeps off.
    const { Managed: _, ...always } = CONDITIONS.AgentRuntime;
    expect(written.conditions).toHaveLength(Object.keys(always).length);
  });

  it("to restart, which a person asks for, happens once and stays", async () => {
    await running();
    const [before] = agent().pods;
    await cluster().server.kubectl(["rollout", "restart", "deployment/agent", "-n", namespace()]);
    await cluster().server.kubectl(["rollout", "status", "deployment/agent", "-n", namespace()]);
    await vi.waitFor(() => {
      expect(agent().pods).toHaveLength(1);
      expect(agent().pods[0]?.metadata.uid).not.toBe(before?.metadata.uid);
    }, SOME_TIME);
    await cluster().patch(agent().runtime, { spec: { session: { ttl: "3h" } } });
    await vi.waitFor(async () => {
      expect((await agent().agentConfig()).session.ttlMs).toBe(3 * 3_600_000);
    }, SOON);
    expect(await cluster().list("ReplicaSet", namespace())).toHaveLength(2);
  });

  it("by kubectl scale, wait and delete --cascade=foreground does what it says", async () => {
    await running();
    const kubectl = (...args: string[]): Promise<string> =>
      cluster().server.kubectl([...args, "-n", namespace()]);
    await kubectl("scale", "agentruntime/agent", "--replicas=3");
    await vi.waitFor(async () => {
      expect((await cluster().get(agent().runtime)).status.ready).toBe("3/3");
    }, SOME_TIME);
    await kubectl("wait", "--for=condition=Available", "ar/agent", "--timeout=5s");
    await kubectl("delete", "ar/agent", "--cascade=foreground", "--timeout=15s");
    await vi.waitFor(async () => {
      for (const child of agent().children) expect(await cluster().get(child)).toBeUndefined();
    }, SOME_TIME);
  });

  it("that the API server refuses is told of, and is not asked for over and over", async () => {
    await cluster().create(
      anAgentManifest(
        { name: "agent", namespace: namespace() },
        { nodeSelector: { "not a key!": "x" } },
      ),
    );
    await vi.waitFor(async () => {
      expect((await agent().condition("Available")).message).toContain("not a key!");
    }, SOON);
    const since = Date.now();
    await delay(3_000);
    const writes = await cluster().audit.writes({ by: OPERATOR_USER, since });
    expect(writes.filter(({ status }) => status >= 400).length).toBeLessThan(2);
    await cluster().patch(agent().runtime, { spec: { nodeSelector: null } });
    await agent().becomes("Running");
  });

  it("may be the deletion of a namespace with agents in it", async () => {
    await running({ replicas: 2 });
    await cluster().delete({ kind: "Namespace", metadata: { name: namespace() } });
    await vi.waitFor(async () => {
      expect(
        await cluster().get({ kind: "Namespace", metadata: { name: namespace() } }),
      ).toBeUndefined();
    }, SOME_TIME);
  });
});
