/**
 * The rights of the operator, each of them needed: an operator that has them all does all of its work and uses every one, under the
 * admission policy of the chart too; an operator that lacks one is refused something, and people see that. And what the policy holds
 * the account of the operator to, whatever it would have the rights for.
 */
import { KubeConfig } from "@kubernetes/client-node";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { EVENTS } from "../../../src/kube/events.ts";
import { KubeClient } from "../../../src/kube/client/client.ts";
import type { KubernetesObject, ResourceType } from "../../../src/kube/client/object.ts";
import { RateLimiter } from "../../../src/kube/client/rate-limiter.ts";
import { createTransport } from "../../../src/kube/client/transport.ts";
import { LEASES } from "../../../src/kube/controller/leader-election.ts";
import { MANAGED_BY_ANNOTATION } from "../../../src/api/group.ts";
import {
  AGENT_RUNTIMES,
  CONFIG_MAPS,
  DEPLOYMENTS,
  NETWORK_POLICIES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  SECRETS,
  SERVICES,
} from "../../../src/operator/cluster/kubernetes-objects.ts";
import { agentLabels } from "../../../src/operator/cluster/labels.ts";
import { systemClock } from "../../../src/time/clock.ts";
import { aConfigMapManifest, aNamespaceManifest } from "../../support/builders/manifests.ts";
import { findHelm, OPERATOR_ACCOUNT, renderChart } from "../../support/kubernetes/helm-chart.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { installKeda } from "../../support/kubernetes/keda-kind.ts";
import { KubeCluster } from "../../support/kubernetes/kube-cluster.ts";
import { OperatorAtWork, partThatNeeds } from "../../support/operator/operator-at-work.ts";
import {
  nameOf,
  type OperatorRight,
  operatorRights,
} from "../../support/operator/operator-rights.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

const RIGHTS = operatorRights();
/** What people read in a log or a status. */
const SAID = /forbidden|key .* cannot be used/i;
const SOON = { timeout: 60_000, interval: 25 };
const FOREIGN = "elsewhere";
const { signal } = new AbortController();

const userWithout = (right: OperatorRight): string => `without-${RIGHTS.indexOf(right)}`;

const cluster = forAllTests(
  async () => {
    const users = [OPERATOR_ACCOUNT, ...RIGHTS.map(userWithout)];
    const started = await KubeCluster.start({
      withControllers: false,
      auditsReads: true,
      users: Object.fromEntries(users.map((user) => [user, []])),
    });
    await installKeda(started.server);
    return started;
  },
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const whole = forAllTests(() => new OperatorAtWork(cluster(), OPERATOR_ACCOUNT, "whole", true));
beforeAll(() => whole().prepare());
const transport = forAllTests(
  async () => {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(await cluster().kubeconfigOf(OPERATOR_ACCOUNT));
    return createTransport(kubeConfig);
  },
  (transport) => transport.close(),
);
/** For requests as the account of the operator. */
const client = forAllTests(
  () =>
    new KubeClient({
      transport: transport(),
      rateLimiter: new RateLimiter({ clock: systemClock, perSecond: 1_000, burst: 1_000 }),
      fieldManager: "test",
    }),
);
beforeAll(async () => {
  await cluster().create(aNamespaceManifest(FOREIGN));
  await installPolicy();
});

/** Installs the policy that the chart makes, and waits until the API server holds to it. */
async function installPolicy(): Promise<void> {
  const manifests = await renderChart(findHelm(), "-s", "templates/admissionpolicy.yaml");
  for (const manifest of manifests) {
    const folder = manifest.kind.endsWith("Binding") ? "policybindings" : "policies";
    const path = `/apis/admissionregistration.k8s.io/v1/validatingadmission${folder}`;
    expect((await cluster().server.request("POST", path, manifest)).status).toBe(201);
  }
  let count = 0;
  await vi.waitFor(
    () =>
      expect(client().create(CONFIG_MAPS, named(`early-${++count}`), signal)).rejects.toThrow(
        "label",
      ),
    SOON,
  );
  const { metadata } = manifests.find(({ kind }) => kind === "ValidatingAdmissionPolicy");
  const path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
  const { body } = await cluster().server.request("GET", `${path}/${metadata.name}`);
  expect(body.status?.typeChecking?.expressionWarnings).toBeUndefined();
}

function named(name: string, labels: Record<string, string> = {}): KubernetesObject {
  return { metadata: { name, namespace: FOREIGN, labels } };
}

describe("an operator with all of its rights", () => {
  it("does all of its work under the policy, and uses every right", async () => {
    await whole().start();
    try {
      for (const part of Object.values(whole().parts)) await part();
    } finally {
      await whole().stop();
    }
    expect(await whole().refused()).toEqual([]);
    expect((await whole().used()).toSorted()).toEqual(RIGHTS.map(nameOf).toSorted());
    expect(whole().said).toBe("");
  }, 120_000);
});

describe("an operator without one of its rights is refused what it needs it for, and says so", () => {
  const rows = RIGHTS.map((right) => ({ name: nameOf(right), right }));
  const isOfCluster = ({ right }: { right: OperatorRight }): boolean => right.scope === "cluster";

  /** The requests that it was refused. */
  async function refusedWithout(right: OperatorRight): Promise<string[]> {
    const user = userWithout(right);
    const operator = new OperatorAtWork(cluster(), user, user, right.scope === "cluster");
    await operator.prepare(right);
    await operator.start();
    try {
      const part = partThatNeeds(right);
      await operator.parts["make"]?.();
      const isRefused = (await operator.refused()).length > 0;
      if (part !== "make" && !isRefused) await operator.parts[part]?.();
      await vi.waitFor(async () => {
        const text = await operator.saidToPeople();
        if (!SAID.test(text)) throw new Error(`it says nothing of a right that it lacks: ${text}`);
      }, SOON);
      return await operator.refused();
    } finally {
      await operator.stop();
    }
  }

  // Such an operator works in every namespace, so nobody else may work beside it.
  it.for(rows.filter(isOfCluster))("$name", async ({ name, right }) => {
    expect(await refusedWithout(right)).toEqual([name]);
  });

  it.for(rows.filter((row) => !isOfCluster(row)))(
    "$name",
    { concurrent: true, timeout: 120_000 },
    async ({ name, right }, { expect: expectHere }) => {
      expectHere(await refusedWithout(right)).toEqual([name]);
    },
  );
});

describe("under the policy the account of the operator may not", () => {
  const ours = agentLabels("support");
  const template = {
    metadata: { labels: { a: "b" } },
    spec: { containers: [{ name: "a", image: "a" }] },
  };
  const selector = { matchLabels: { a: "b" } };
  const deployment = { spec: { selector, template } };
  const budget = { spec: { selector, maxUnavailable: 1 } };
  const policy = { spec: { podSelector: {} } };
  const service = { spec: { ports: [{ port: 80 }] } };
  const own = { namespace: "whole-own" };
  const event = {
    eventTime: new Date(0).toISOString().replace("Z", "000Z"),
    type: "Normal",
    reason: "Reason",
    action: "Action",
    reportingController: "kubelet",
    reportingInstance: "one",
    regarding: { kind: "Pod", namespace: FOREIGN, name: "a" },
  };
  const creations: [string, ResourceType, object, RegExp][] = [
    ["a Deployment", DEPLOYMENTS, deployment, /without the label/],
    ["a Service", SERVICES, service, /without the label/],
    ["a ConfigMap", CONFIG_MAPS, {}, /without the label/],
    ["a PodDisruptionBudget", POD_DISRUPTION_BUDGETS, budget, /without the label/],
    ["a NetworkPolicy", NETWORK_POLICIES, policy, /without the label/],
    ["an event of somebody else", EVENTS, event, /no events but/],
  ];
  it.each(creations)("create %s that is not its own", async (_, type, fields, reason) => {
    const object = { ...named("made", { "app.kubernetes.io/managed-by": "Helm" }), ...fields };
    await expect(client().create(type, object, signal)).rejects.toThrow(reason);
  });

  it.each([
    ["Secret", SECRETS, /no Secret but/],
    ["lease", LEASES, /no lease but/],
  ])("create another %s in its own namespace", async (_, type, reason) => {
    const object = { metadata: { name: "made", ...own, labels: ours } };
    await expect(client().create(type, object, signal)).rejects.toThrow(reason);
  });

  const existing: [string, ResourceType, string, object][] = [
    ["a Deployment", DEPLOYMENTS, "/apis/apps/v1", deployment],
    ["a Service", SERVICES, "/api/v1", service],
    ["a ConfigMap", CONFIG_MAPS, "/api/v1", {}],
    ["a pod", PODS, "/api/v1", { spec: template.spec }],
    ["a PodDisruptionBudget", POD_DISRUPTION_BUDGETS, "/apis/policy/v1", budget],
    ["a NetworkPolicy", NETWORK_POLICIES, "/apis/networking.k8s.io/v1", policy],
  ];
  it.each(existing)("take over or delete %s of somebody else", async (_, type, api, fields) => {
    const object = { ...named("theirs"), ...fields };
    const folder = `${api}/namespaces/${FOREIGN}/${type.plural}`;
    expect((await cluster().server.request("POST", folder, object)).status).toBe(201);
    const at = { name: "theirs", namespace: FOREIGN };
    const takeOver = client().mergePatch(type, at, { metadata: { labels: ours } }, signal);
    await expect(takeOver).rejects.toThrow(/may change and delete only/);
    const applied = client().apply(type, { ...named("theirs", ours), ...fields }, { signal });
    await expect(applied).rejects.toThrow(/may change and delete only/);
    // Of these kinds the operator deletes some, and has no right to delete the others.
    await expect(client().delete(type, at, signal)).rejects.toThrow(
      /may change and delete only|cannot delete/,
    );
    const { body } = await cluster().server.request("GET", `${folder}/theirs`);
    expect(body.metadata.labels).toBeUndefined();
  });

  it("change what a pod of its own agent runs, or strip it of its label", async () => {
    const pod = { ...named("ours", ours), spec: template.spec };
    await cluster().server.request("POST", `/api/v1/namespaces/${FOREIGN}/pods`, pod);
    const at = { name: "ours", namespace: FOREIGN };
    const change = { spec: { containers: [{ name: "a", image: "b" }] } };
    const patched = (patch: object) => client().mergePatch(PODS, at, patch, signal);
    await expect(patched(change)).rejects.toThrow(/nothing of a pod but its metadata/);
    await expect(patched({ metadata: { labels: null } })).rejects.toThrow(/without the label/);
    await patched({ metadata: { annotations: { note: "told" } } });
  });

  it("change anything of an AgentRuntime but the annotation that tells whose it is", async () => {
    const at = { name: "support", namespace: "whole" };
    const patched = (patch: object) => client().mergePatch(AGENT_RUNTIMES, at, patch, signal);
    for (const patch of [
      { spec: { replicas: 3 } },
      { metadata: { labels: { note: "told" } } },
      { metadata: { annotations: { note: "told" } } },
      { metadata: { finalizers: ["example.com/never"] } },
    ]) {
      await expect(patched(patch)).rejects.toThrow(/nothing of an AgentRuntime/);
    }
    await patched({ metadata: { annotations: { [MANAGED_BY_ANNOTATION]: null } } });
    await patched({ metadata: { annotations: { [MANAGED_BY_ANNOTATION]: "whole-own" } } });
  });

  it("change the key that it signs with", async () => {
    const at = { name: "omnia-operator-signing-key", ...own };
    expect(await cluster().get({ kind: "Secret", metadata: at })).toBeDefined();
    await expect(client().mergePatch(SECRETS, at, { data: {} }, signal)).rejects.toThrow(
      /forbidden/,
    );
  });

  it("nor does it hold anybody else to that", async () => {
    await cluster().create(aConfigMapManifest({ name: "of-a-user", namespace: FOREIGN }, {}));
  });
});
