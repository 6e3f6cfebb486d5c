/** The objects that an agent becomes, held before a real API server: it takes them, keeps them as they are, and lets their pods in. */
import { KubeConfig } from "@kubernetes/client-node";
import { beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import {
  DRAIN_TIMEOUT_MS,
  FLUSH_TIMEOUT_MS,
  READINESS_TIMEOUT_MS,
} from "../../../src/agent/contracts/limits.ts";
import { API_VERSION } from "../../../src/api/group.ts";
import { APPLIED_ANNOTATION } from "../../../src/operator/cluster/labels.ts";
import { applyOwned } from "../../../src/kube/apply-owned.ts";
import { applyStatus } from "../../../src/kube/apply-status.ts";
import { KubeClient } from "../../../src/kube/client/client.ts";
import {
  type KubernetesObject,
  type ResourceType,
  pathOf,
} from "../../../src/kube/client/object.ts";
import { RateLimiter } from "../../../src/kube/client/rate-limiter.ts";
import { createTransport, type Transport } from "../../../src/kube/client/transport.ts";
import { systemClock } from "../../../src/time/clock.ts";
import { HANDED_OVER } from "../../../src/operator/agent-runtime/objects/build-deployment.ts";
import {
  AGENT_RUNTIMES,
  CONFIG_MAPS,
  type DeploymentObject,
  DEPLOYMENTS,
  NETWORK_POLICIES,
  POD_DISRUPTION_BUDGETS,
  SERVICES,
} from "../../../src/operator/cluster/kubernetes-objects.ts";
import { agentNetworkPolicySchema } from "../../../src/operator/cluster/agent-network-policy.ts";
import { contentHash } from "../../../src/promptpack/document/content-hash.ts";
import { decided, observed, theVersion } from "../../support/builders/a-decision.ts";
import {
  KUBE_API_SERVER_TIMEOUT_MS,
  type KubeAPIServer,
  startKubeAPIServer,
} from "../../support/kubernetes/kube-api-server.ts";
import { installKinds } from "../../support/kubernetes/kube-api-server-kinds.ts";
import { makeAgent, type MadeAgent } from "../../support/operator/made-agent.ts";
import { anAgentManifest } from "../../support/builders/manifests.ts";
import { PODS } from "../../support/kubernetes/node/pod.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";

const NAMESPACE = "agents";
const DRY_RUN = "?dryRun=All&fieldValidation=Strict";
const REQUESTS_PER_SECOND = 1_000;

const WORLD = {
  packs: { "agents/prompts": theVersion() },
  registries: { "agents/tools": { authSecretRef: { name: "tool-token", key: "token" } } },
  secrets: {
    "agents/model": { "api-key": "sk-first" },
    "agents/redis": { url: "redis://store:6379" },
    "agents/clients": { phone: "key-phone" },
    "agents/tool-token": { token: "of-the-tool" },
  },
  configMaps: { "agents/settings": { region: "north" } },
};

/** Written in ways that the API server does not keep as they are. */
const AFFINITY_TERM = {
  labelSelector: { matchLabels: {}, matchExpressions: [{ key: "app", operator: "Exists" }] },
  namespaceSelector: {},
  namespaces: [],
  topologyKey: "kubernetes.io/hostname",
};
const NODE_TERM = {
  matchExpressions: [{ key: "disk", operator: "In", values: ["ssd", ""] }],
  matchFields: [],
};
const SPECS: Record<string, object> = {
  "the least that there is": {},
  "handler echo": { facade: { handler: "echo", port: 9000 }, replicas: 0 },
  "secrets of every sort": {
    replicas: 3,
    session: { type: "redis", storeRef: { name: "redis", key: "url" }, ttl: "24h" },
    facade: { auth: { apiKeysSecretRef: { name: "clients" } } },
  },
  "only secrets with every key": {
    facade: { handler: "demo", auth: { apiKeysSecretRef: { name: "clients" } } },
  },
  "an autoscaler": { autoscaling: { enabled: true, minReplicas: 2 } },
  "everything that is passed on": {
    replicas: 2,
    session: { ttl: "8760h" },
    image: "registry.example/agent:latest",
    imagePullSecrets: [{ name: "registry" }],
    nodeSelector: { disk: "ssd", empty: "" },
    resources: {
      requests: { cpu: "0.5", memory: "0.5Gi" },
      limits: { cpu: 1, memory: "1024Mi", "ephemeral-storage": "1e9" },
    },
    env: [
      { name: "EMPTY", value: "" },
      {
        name: "EMPTY_AND_TAKEN",
        value: "",
        valueFrom: { fieldRef: { fieldPath: "metadata.name" } },
      },
      { name: "TEXT", value: "$(OMNIA_AGENT_NAME) ünï\n" },
      {
        name: "REGION",
        valueFrom: { configMapKeyRef: { name: "settings", key: "region", optional: false } },
      },
      {
        name: "NONE",
        valueFrom: { secretKeyRef: { name: "none", key: "none", optional: true } },
      },
      {
        name: "MEMORY",
        valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } },
      },
      { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1" } } },
      {
        name: "POD",
        valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } },
      },
    ],
    tolerations: [
      {},
      { key: "", operator: "Exists", value: "" },
      { key: "gpu", value: "", effect: "NoExecute", tolerationSeconds: 0 },
    ].map((toleration) => ({ operator: "Exists", ...toleration })),
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [NODE_TERM] },
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: NODE_TERM }],
      },
      podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [AFFINITY_TERM] },
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [],
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 100, podAffinityTerm: AFFINITY_TERM },
        ],
      },
    },
  },
  "what is passed on, and empty": {
    nodeSelector: {},
    resources: { requests: {}, limits: {}, claims: [] },
    env: [],
    tolerations: [],
    affinity: { nodeAffinity: {}, podAffinity: {}, podAntiAffinity: {} },
    imagePullSecrets: [],
  },
};
const NAMES = Object.keys(SPECS);
/** For the first agents above, one after the other. The others have the least that there is. */
const NETWORK_POLICIES_OF = [
  {},
  {
    managementFrom: [
      { namespaceSelector: {}, podSelector: { matchLabels: {}, matchExpressions: [] } },
      { ipBlock: { cidr: "10.0.0.0/8", except: [] } },
    ],
  },
  { ingress: [{}, { from: [], ports: [] }, { ports: [{ port: 1, endPort: 9 }, { port: "a" }] }] },
  { egress: [{ to: [{ podSelector: {} }], ports: [{ protocol: "UDP", port: 53 }, {}] }] },
].map((given) => agentNetworkPolicySchema.parse(given));

const { signal } = new AbortController();
/** Requests of the client that may have changed something. */
const writes: string[] = [];

const server = forAllTests(
  () => startKubeAPIServer(),
  (server) => server.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const folder = folderForAllTests();
beforeAll(async () => {
  await installKinds(server());
  await server().request("POST", "/api/v1/namespaces", {
    metadata: {
      name: NAMESPACE,
      labels: { "pod-security.kubernetes.io/enforce": "restricted" },
    },
  });
});
const transport = forAllTests(
  () => transportTo(server()),
  (transport) => transport.close(),
);
const client = forAllTests(
  () =>
    new KubeClient({
      transport: transport(),
      rateLimiter: new RateLimiter({
        clock: systemClock,
        perSecond: REQUESTS_PER_SECOND,
        burst: REQUESTS_PER_SECOND,
      }),
      fieldManager: "omnia-operator",
      onResponse: ({ method }) => {
        if (method !== "GET") writes.push(method);
      },
    }),
);

function transportTo({ kubeconfig }: KubeAPIServer): Transport {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(kubeconfig);
  return createTransport(kubeConfig);
}

const make = (name: string, spec: object = {}): Promise<MadeAgent> =>
  makeAgent(
    stringify(anAgentManifest({ name, namespace: NAMESPACE }, spec)),
    WORLD,
    folder(),
    NETWORK_POLICIES_OF[Object.values(SPECS).indexOf(spec)],
  );

function objectsOf(made: MadeAgent): [ResourceType, KubernetesObject][] {
  const { configMap, deployment, service, podDisruptionBudget, networkPolicy } = made;
  const budget: [ResourceType, KubernetesObject][] =
    podDisruptionBudget === undefined ? [] : [[POD_DISRUPTION_BUDGETS, podDisruptionBudget]];
  return [
    [CONFIG_MAPS, configMap],
    [SERVICES, service],
    [NETWORK_POLICIES, networkPolicy],
    [DEPLOYMENTS, deployment],
    ...budget,
  ];
}

/** What the API server would make of it. */
async function dryRun(type: ResourceType, object: KubernetesObject) {
  const { group, version, kind } = type;
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const path = pathOf(type, { namespace: NAMESPACE }) + DRY_RUN;
  return await server().request("POST", path, { apiVersion, kind, ...object });
}

const at = ({ metadata }: KubernetesObject) => ({ namespace: NAMESPACE, name: metadata.name });

const apply = (type: ResourceType, live: KubernetesObject | undefined, wanted: KubernetesObject) =>
  applyOwned({
    client: client(),
    type,
    live,
    wanted,
    owner: {
      apiVersion: API_VERSION,
      kind: "AgentRuntime",
      name: "support",
      uid: "0d8f3c1e-5b7a-4c1d-9e2f-0a1b2c3d4e5f",
      controller: true,
    },
    appliedAnnotation: APPLIED_ANNOTATION,
    digest: contentHash,
    handedOver: HANDED_OVER,
    signal,
  });

/** Without what the API server gave this one object, and without the maps of an affinity that say nothing. */
function meaningOf({ metadata, ...object }: KubernetesObject & { spec?: object }): unknown {
  const { labels, annotations = {} } = metadata;
  const { clusterIP: _, clusterIPs: __, ...spec } = (object.spec ?? {}) as Record<string, unknown>;
  const own = Object.entries(annotations).filter(([name]) => name !== APPLIED_ANNOTATION);
  const meaning = { labels, annotations: Object.fromEntries(own), ...object, spec };
  return JSON.parse(JSON.stringify({ ...meaning, status: undefined }), (key, value: unknown) =>
    /affinity$/i.test(key) && JSON.stringify(value) === "{}" ? undefined : value,
  );
}

describe("of an agent with", () => {
  it.each(NAMES)("%s, every object is taken as it is", async (what) => {
    for (const [type, object] of objectsOf(await make("support", SPECS[what]))) {
      const { status, body } = await dryRun(type, object);
      expect(body.message).toBeUndefined();
      expect(status).toBe(201);
    }
  });

  it.each(NAMES)("%s, pods are let into a restricted namespace", async (what) => {
    const { pod } = await make("support", SPECS[what]);
    const { status, body } = await dryRun(PODS, pod);
    expect(body.message).toBeUndefined();
    expect(status).toBe(201);

    const { securityContext: _, ...spec } = pod.spec;
    expect((await dryRun(PODS, { ...pod, spec } as KubernetesObject)).status).toBe(403);
  });

  it.each(NAMES)("%s, nothing is written a second time", async (what) => {
    const name = `kept-${NAMES.indexOf(what)}`;
    for (const [type, object] of objectsOf(await make(name, SPECS[what]))) {
      expect(await apply(type, undefined, object)).toBe(true);
      const live = await client().get(type, at(object), signal);
      expect([type.kind, await apply(type, live, object)]).toEqual([type.kind, false]);
    }
  });
});

describe("the objects of an agent", () => {
  it("become what they would be from the start, from each agent to each other one", async () => {
    const made = await Promise.all(NAMES.map((what) => make("support", SPECS[what])));
    const fresh = new Map<string, unknown>();
    for (const [index, one] of made.entries()) {
      for (const [type, object] of objectsOf(one)) {
        fresh.set(`${type.kind} ${index}`, meaningOf((await dryRun(type, object)).body));
      }
    }
    const order = made.flatMap((_, from) =>
      made.flatMap((__, to) => (from === to ? [] : [from, to])),
    );
    for (const index of order) {
      for (const [type, object] of objectsOf(made[index] as MadeAgent)) {
        const read = () => client().get(type, at(object), signal);
        const before = await read().catch(() => undefined);
        await apply(type, before, object);
        const live = await read();
        expect([NAMES[index], meaningOf(live)]).toEqual([
          NAMES[index],
          withReplicasOf(before, object, fresh.get(`${type.kind} ${index}`)),
        ]);
        expect([NAMES[index], type.kind, await apply(type, live, object)]).toEqual([
          NAMES[index],
          type.kind,
          false,
        ]);
      }
    }
  });

  /** The number that nobody here wants any more is the one that was there. */
  function withReplicasOf(
    before: KubernetesObject | undefined,
    wanted: KubernetesObject & { spec?: object },
    meaning: unknown,
  ): unknown {
    const { replicas } = (before as DeploymentObject | undefined)?.spec ?? {};
    if (replicas === undefined || "replicas" in (wanted.spec ?? {})) return meaning;
    const { spec } = meaning as { spec: object };
    return { ...(meaning as object), spec: { ...spec, replicas } };
  }

  it("leave their replicas to an autoscaler, which begins with those that are there, until it is turned off", async () => {
    const name = "scaled";
    const on = { autoscaling: { enabled: true } };
    const become = async (spec: object): Promise<number | undefined> => {
      const { deployment } = await make(name, spec);
      const read = () => client().get<DeploymentObject>(DEPLOYMENTS, at(deployment), signal);
      await apply(DEPLOYMENTS, await read().catch(() => undefined), deployment);
      return (await read()).spec.replicas;
    };
    expect(await become({ replicas: 4 })).toBe(4);
    expect(await become(on)).toBe(4);
    await server().kubectl(["scale", "-n", NAMESPACE, `deployment/${name}`, "--replicas=7"]);
    const before = writes.length;
    expect(await become({ ...on, env: [{ name: "MORE", value: "1" }] })).toBe(7);
    expect(writes.length - before).toBe(1);
    expect(await become({ replicas: 2 })).toBe(2);
    expect(await become({ ...on, replicas: 2 })).toBe(2);
  });

  it("give a pod time until no node routes to it any more, and then more time to end than an agent takes", async () => {
    const { pod, container } = await make("support");
    const longest = (DRAIN_TIMEOUT_MS + 2 * FLUSH_TIMEOUT_MS) / 1000;
    const { seconds: unrouted = 0 } = container.lifecycle?.preStop?.sleep ?? {};
    expect(unrouted).toBeGreaterThanOrEqual(5);
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(unrouted + longest + 5);
    const { timeoutSeconds = 0 } = container.readinessProbe ?? {};
    expect(timeoutSeconds * 1000).toBeGreaterThan(READINESS_TIMEOUT_MS);
  });

  it("let kubectl wait for the agent to be available", async () => {
    const manifest = anAgentManifest({ name: "awaited", namespace: NAMESPACE });
    await server().kubectl(["apply", "-f", "-"], stringify(manifest));
    const wait = (condition: string, timeout: string) =>
      server().kubectl(
        `wait -n ${NAMESPACE} --for=condition=${condition} --timeout=${timeout} agentruntime/awaited`.split(
          " ",
        ),
      );
    const say = async (available: number): Promise<void> => {
      const live = await client().get(
        AGENT_RUNTIMES,
        { namespace: NAMESPACE, name: "awaited" },
        signal,
      );
      const { status } = decided({ observed: observed(1, available) });
      await applyStatus({ client: client(), type: AGENT_RUNTIMES, live, status, signal });
    };
    await say(0);
    await expect(wait("Available", "100ms")).rejects.toThrow("timed out");
    await say(1);
    await wait("Available", "30s");
    await wait("Ready", "30s");
  });
});
