/** An operator that may not list or watch Secrets: it reads those that agents refer to, and follows their rotation. */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { DEFAULT_NAMESPACE } from "../../../src/api/fields/names.ts";
import {
  anAgentManifest,
  aNamespaceManifest,
  aSecretManifest,
  theReferences,
} from "../../support/builders/manifests.ts";
import { APIFaultProxy } from "../../support/kubernetes/api-fault-proxy.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { KubeCluster } from "../../support/kubernetes/kube-cluster.ts";
import { AgentInCluster, SOME_TIME } from "../../support/operator/agent-in-cluster.ts";
import { OperatorInProcess } from "../../support/operator/operator-in-process.ts";
import { permitOperator } from "../../support/operator/operator-permissions.ts";
import { OperatorProcess } from "../../support/operator/operator-process.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

const USER = "operator-by-name";
const NAMESPACE = "team";
const OWN = DEFAULT_NAMESPACE;

const at = (name: string): { name: string; namespace: string } => ({ name, namespace: NAMESPACE });
const inCluster = (name: string): AgentInCluster => new AgentInCluster(cluster(), at(name));

const cluster = forAllTests(
  () => KubeCluster.start({ users: { [USER]: [] } }),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const proxy = forAllTests(
  () => APIFaultProxy.start(cluster().server),
  (proxy) => proxy.stop(),
);
beforeAll(async () => {
  await permitOperator(cluster().server, USER, { secrets: "get", ownNamespace: OWN });
  await cluster().create(
    aNamespaceManifest(NAMESPACE),
    aSecretManifest(at("of-nobody"), { key: "value" }),
    ...theReferences(NAMESPACE),
  );
});

/** The requests about Secrets, and what was answered. The operator's own key is not among them. */
function aboutSecrets(): string[] {
  const requests = proxy().requests.filter(
    ({ url }) =>
      url.pathname.includes("/secrets") && !url.pathname.startsWith(`/api/v1/namespaces/${OWN}/`),
  );
  return requests.map(({ method, url, status }) => `${method} ${url.pathname} ${status}`);
}

describe("an operator that may not list or watch Secrets", () => {
  it("runs agents, and reads only their Secrets, by their names", async () => {
    const operator = await OperatorProcess.start({
      kubeconfig: await cluster().kubeconfigOf(USER, proxy().url),
      flags: ["--secrets", "get"],
    });
    await cluster().create(anAgentManifest(at("running")), anAgentManifest(at("another")));
    await inCluster("running").becomes("Running", SOME_TIME);
    await inCluster("another").becomes("Running", SOME_TIME);
    await operator.stop();
    const path = `GET /api/v1/namespaces/${NAMESPACE}/secrets/model 200`;
    expect([...new Set(aboutSecrets())]).toEqual([path]);
    // Two agents share one look at the metadata and one at the content.
    expect(aboutSecrets()).toHaveLength(2);
    expect(proxy().requests.filter(({ status }) => status === 403)).toEqual([]);
    const said = operator.lines.filter(({ level }) => level === "error" || level === "warn");
    expect(said).toEqual([]);
  });

  it("notices a Secret that comes later, is rotated and goes, without a watch", async () => {
    const operator = await OperatorInProcess.start(cluster(), {
      user: USER,
      secrets: "get",
      runsAgents: true,
    });
    const agent = inCluster("followed");
    const apiKeySecretRef = { name: "late", key: "api-key" };
    const provider = { name: "openai", model: "test-model", apiKeySecretRef };
    await cluster().create(anAgentManifest(at("followed"), { provider }));
    await agent.becomes("Pending", SOME_TIME);
    expect(await agent.condition("ProviderReady")).toMatchObject({ reason: "SecretNotFound" });

    const secret = aSecretManifest(at("late"), { "api-key": "sk-1" });
    await cluster().create(secret);
    await agent.becomes("Running", SOME_TIME);
    const key = `/etc/omnia/${(await agent.agentConfig()).provider?.apiKeyFile}`;
    expect(await agent.file(key)).toBe("sk-1");

    const before = agent.pods.map(({ metadata }) => metadata.uid);
    await cluster().patch(secret, { stringData: { "api-key": "sk-2" } });
    await vi.waitFor(async () => expect(await agent.file(key)).toBe("sk-2"), SOME_TIME);
    expect(agent.pods.map(({ metadata }) => metadata.uid)).toEqual(before);

    await cluster().delete(secret);
    await vi.waitFor(async () => {
      expect(await agent.condition("ProviderReady")).toMatchObject({ reason: "SecretNotFound" });
    }, SOME_TIME);
    expect(await agent.phase()).toBe("Running");
    await operator.stop();
  });
});
