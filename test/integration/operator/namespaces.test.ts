/** An operator for some namespaces, which may do nothing in any other. */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { AgentInCluster, SOME_TIME, SOON } from "../../support/operator/agent-in-cluster.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { KubeCluster } from "../../support/kubernetes/kube-cluster.ts";
import {
  anAgentManifest,
  aNamespaceManifest,
  aPackManifest,
  aPromptPackManifest,
  theReferences,
} from "../../support/builders/manifests.ts";
import { permitOperator } from "../../support/operator/operator-permissions.ts";
import { OperatorProcess } from "../../support/operator/operator-process.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

const USER = "operator-of-two";
const NAMESPACES = ["mine", "shared"];

const cluster = forAllTests(
  () => KubeCluster.start({ users: { [USER]: [] } }),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
beforeAll(async () => {
  for (const namespace of [...NAMESPACES, "foreign", "system"]) {
    await cluster().create(aNamespaceManifest(namespace));
  }
  for (const namespace of [...NAMESPACES, "foreign"]) {
    await cluster().create(...theReferences(namespace));
  }
  await permitOperator(cluster().server, USER, {
    namespaces: NAMESPACES,
    ownNamespace: "system",
  });
});
const operator = forAllTests(
  async () =>
    await OperatorProcess.start({
      kubeconfig: await cluster().kubeconfigOf(USER),
      namespaces: NAMESPACES,
      leaseNamespace: "system",
    }),
  (operator) => operator.stop(),
);

const inCluster = (name: string, namespace: string): AgentInCluster =>
  new AgentInCluster(cluster(), { name, namespace });

describe("an operator for some namespaces", () => {
  it("runs the agents of its namespaces, with references from one to the other, and leaves those elsewhere alone", async () => {
    const elsewhere = { name: "agent", namespace: "foreign" };
    const packOf = (namespace: string): object => ({
      promptPackRef: { name: "prompts", namespace },
    });
    await cluster().create(
      anAgentManifest(elsewhere),
      anAgentManifest({ name: "agent", namespace: "mine" }, { replicas: 2 }),
      anAgentManifest({ name: "across", namespace: "mine" }, packOf("shared")),
      anAgentManifest({ name: "beyond", namespace: "mine" }, packOf("foreign")),
    );
    await inCluster("agent", "mine").becomes("Running", SOME_TIME);
    await inCluster("across", "mine").becomes("Running", SOME_TIME);
    const beyond = inCluster("beyond", "mine");
    await beyond.becomes("Pending");
    expect(await beyond.condition("PromptPackReady")).toMatchObject({ reason: "NotFound" });
    expect((await cluster().get(inCluster("agent", "foreign").runtime)).status).toBeUndefined();
    await cluster().patch(inCluster("agent", "mine").runtime, { spec: { replicas: 1 } });
    await vi.waitFor(async () => {
      const budget = inCluster("agent", "mine").disruptionBudget;
      expect(await cluster().get(budget)).toBeUndefined();
    }, SOON);
  });

  it("keeps and removes versions of a pack with the permissions that it has", async () => {
    const content = aPackManifest({ name: "many", namespace: "shared" }, "Version 0.");
    const pack = aPromptPackManifest({ name: "many", namespace: "shared" }, "many");
    await cluster().create(content, pack);
    for (let version = 1; version <= 12; version++) {
      const { activeVersion } = (await cluster().get(pack)).status ?? {};
      await cluster().patch(content, aPackManifest(content.metadata, `Version ${version}.`));
      await vi.waitFor(async () => {
        expect((await cluster().get(pack)).status.activeVersion).not.toBe(activeVersion);
      }, SOON);
    }
    await vi.waitFor(async () => {
      const configMaps = await cluster().list("ConfigMap", "shared");
      const kept = configMaps.filter(({ immutable }) => immutable === true);
      const ours = kept.filter(({ metadata }) => metadata.name.startsWith("many-"));
      expect(ours).toHaveLength(10);
    }, SOON);
  });

  it("was refused nothing that it asked for", async () => {
    const writes = await cluster().audit.writes({ by: USER });
    expect(writes.filter(({ status }) => status === 403)).toEqual([]);
    expect(operator().lines.filter(({ level }) => level === "error" || level === "warn")).toEqual(
      [],
    );
  });
});
