/** What the operator makes: brought back, let go, left to others, and never somebody else's. */
import { beforeAll, describe, expect, it, vi } from "vitest";
import {
  APPLIED_ANNOTATION,
  FILES_REVISION_ANNOTATION,
} from "../../../src/operator/cluster/labels.ts";
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
  theReferences,
} from "../../support/builders/manifests.ts";
import { OperatorProcess } from "../../support/operator/operator-process.ts";
import { numberedNames } from "../../support/builders/numbered-names.ts";
import { forAllTests, forEachTest } from "../../support/builders/fixtures.ts";

const NAMESPACE = "team";
/** Annotations by which controllers remember what they did. */
const BOOKKEEPING = [
  "deployment.kubernetes.io/revision",
  APPLIED_ANNOTATION,
  FILES_REVISION_ANNOTATION,
];
const KINDS = ["config", "deployment", "service", "disruptionBudget", "networkPolicy"] as const;
const MONITORING = { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } };
const NETWORK_POLICY = { managementFrom: [{ namespaceSelector: MONITORING }] };
const names = numberedNames("agent");

const startOperator = async (
  networkPolicy: readonly string[] = ["--network-policy", JSON.stringify(NETWORK_POLICY)],
): Promise<OperatorProcess> =>
  OperatorProcess.start({
    kubeconfig: await cluster().kubeconfigOf(OPERATOR_USER),
    flags: ["--resync", "2s", ...networkPolicy],
  });

const cluster = forAllTests(
  () => KubeCluster.start(),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const operator = forAllTests(
  () => startOperator(),
  (operator) => operator.stop(),
);
beforeAll(async () => {
  await cluster().create(aNamespaceManifest(NAMESPACE), ...theReferences(NAMESPACE));
});

const name = forEachTest(() => names.next());
const agent = forEachTest(
  () => new AgentInCluster(cluster(), { name: name(), namespace: NAMESPACE }),
);

const children = (): KubeObject[] => [...agent().children, agent().networkPolicy];
const manifest = (spec: object = {}): KubeObject =>
  anAgentManifest({ name: name(), namespace: NAMESPACE }, { replicas: 2, ...spec });

async function running(spec: object = {}): Promise<void> {
  await cluster().create(manifest(spec));
  await agent().becomes("Running", SOME_TIME);
  await vi.waitFor(async () => {
    for (const child of children()) expect(await cluster().get(child)).toBeDefined();
  }, SOME_TIME);
}

/** What an object says, without who wrote it when. */
async function meaningOf(object: KubeObject): Promise<unknown> {
  const found = await cluster().get(object);
  if (found === undefined) return undefined;
  const { labels, annotations, ownerReferences } = found.metadata;
  const own = Object.entries(annotations ?? {}).filter(([key]) => !BOOKKEEPING.includes(key));
  const { spec, data } = found;
  return { spec, data, labels, annotations: Object.fromEntries(own), ownerReferences };
}

describe("what drifted comes back", () => {
  const template = (spec: object): object => ({ spec: { template: { spec } } });
  const drifts: [(typeof KINDS)[number], string, object][] = [
    ["config", "another config", { data: { "agent.json": "{}" } }],
    ["config", "no config", { data: null }],
    ["config", "lost labels", { metadata: { labels: null } }],
    ["deployment", "another number of replicas", { spec: { replicas: 5 } }],
    ["deployment", "another container", template({ containers: [{ name: "x", image: "y" }] })],
    [
      "deployment",
      "no volumes",
      template({ volumes: null, containers: [{ name: "x", image: "y" }] }),
    ],
    ["deployment", "another grace period", template({ terminationGracePeriodSeconds: 30 })],
    ["deployment", "no security context", template({ securityContext: null })],
    ["deployment", "a token for the pods", template({ automountServiceAccountToken: true })],
    [
      "deployment",
      "no annotations of the pods",
      { spec: { template: { metadata: { annotations: null } } } },
    ],
    ["service", "another port", { spec: { ports: [{ name: "facade", port: 1 }] } }],
    ["service", "another selector", { spec: { selector: { app: "other" } } }],
    ["service", "lost labels", { metadata: { labels: null } }],
    ["disruptionBudget", "another budget", { spec: { maxUnavailable: 2, minAvailable: null } }],
    ["disruptionBudget", "another selector", { spec: { selector: { matchLabels: { a: "b" } } } }],
    ["networkPolicy", "open to everybody", { spec: { ingress: [{}] } }],
    ["networkPolicy", "nobody let in", { spec: { ingress: null } }],
    ["networkPolicy", "other pods", { spec: { podSelector: { matchLabels: { a: "b" } } } }],
    ["networkPolicy", "nothing let out", { spec: { policyTypes: ["Ingress", "Egress"] } }],
    ["networkPolicy", "lost labels", { metadata: { labels: null } }],
  ];

  it.each(drifts)("%s: %s", async (kind, _what, patch) => {
    await running();
    const before = await meaningOf(agent()[kind]);
    await cluster().patch(agent()[kind], patch);
    expect(await meaningOf(agent()[kind])).not.toEqual(before);
    await vi.waitFor(async () => expect(await meaningOf(agent()[kind])).toEqual(before), SOON);
  });
});

describe("what the operator made for an agent", () => {
  it.each(KINDS)("is made again when it was deleted: %s", async (kind) => {
    await running();
    const { uid } = (await cluster().get(agent()[kind])).metadata;
    const before = await meaningOf(agent()[kind]);
    await cluster().delete(agent()[kind]);
    await vi.waitFor(async () => {
      const again = await cluster().get(agent()[kind]);
      expect(again?.metadata.uid).not.toBe(uid);
      const { clusterIP, clusterIPs } = again.spec ?? {};
      const { spec = {}, ...rest } = before as { spec?: object };
      const address = clusterIP === undefined ? {} : { clusterIP, clusterIPs };
      const wanted = again.spec === undefined ? before : { ...rest, spec: { ...spec, ...address } };
      expect(await meaningOf(agent()[kind])).toEqual(wanted);
    }, SOON);
  });

  it("has a budget for disruptions exactly while there is more than one replica", async () => {
    await running();
    await cluster().patch(agent().runtime, { spec: { replicas: 1 } });
    await vi.waitFor(async () => {
      expect(await cluster().get(agent().disruptionBudget)).toBeUndefined();
    }, SOON);
    await cluster().patch(agent().runtime, { spec: { replicas: 3 } });
    await vi.waitFor(async () => {
      expect(await cluster().get(agent().disruptionBudget)).toBeDefined();
    }, SOON);
  });
});

describe("the NetworkPolicy of an agent", () => {
  it("follows the operator's setting, and goes when it is turned off", async () => {
    await running();
    const rules = async (): Promise<unknown> =>
      (await cluster().get(agent().networkPolicy)).spec.ingress;
    const facade = { ports: [{ protocol: "TCP", port: "facade" }] };
    const [from] = NETWORK_POLICY.managementFrom;
    expect(await rules()).toEqual([
      facade,
      { from: [from], ports: [{ protocol: "TCP", port: 8081 }] },
    ]);
    const pods = agent().pods.map(({ metadata }) => metadata.uid);
    for (const [flags, ingress] of [
      [["--network-policy", "{}"], [facade]],
      [[], undefined],
      [undefined, [facade, { from: [from], ports: [{ protocol: "TCP", port: 8081 }] }]],
    ] as const) {
      await operator().stop();
      operator.replaceBy(await startOperator(flags));
      await vi.waitFor(async () => {
        expect((await cluster().get(agent().networkPolicy))?.spec.ingress).toEqual(ingress);
      }, SOME_TIME);
    }
    expect(agent().pods.map(({ metadata }) => metadata.uid)).toEqual(pods);
  });
});

describe("an object that is not ours is never taken over", () => {
  const foreign: Record<(typeof KINDS)[number], object> = {
    config: { data: { "agent.json": "theirs" } },
    deployment: {
      spec: {
        replicas: 0,
        selector: { matchLabels: { theirs: "yes" } },
        template: {
          metadata: { labels: { theirs: "yes" } },
          spec: { containers: [{ name: "theirs", image: "theirs" }] },
        },
      },
    },
    service: { spec: { ports: [{ port: 1 }] } },
    disruptionBudget: { spec: { minAvailable: 1, selector: { matchLabels: { theirs: "yes" } } } },
    networkPolicy: { spec: { podSelector: {}, policyTypes: ["Ingress"] } },
  };

  it.each(
    KINDS.flatMap((kind) => [
      [kind, "plain", {}] as const,
      [kind, "with our labels", { "app.kubernetes.io/managed-by": "omnia-operator" }] as const,
    ]),
  )("%s, %s", async (kind, _, labels) => {
    const theirs = { ...agent()[kind], ...foreign[kind] };
    const all = {
      ...labels,
      ...("app.kubernetes.io/managed-by" in labels
        ? {
            "app.kubernetes.io/name": "omnia-agent",
            "app.kubernetes.io/instance": name(),
            "app.kubernetes.io/component": "agent",
          }
        : {}),
    };
    const metadata = { ...theirs.metadata, labels: all };
    await cluster().create({ ...theirs, metadata });
    const before = await meaningOf(agent()[kind]);
    const { uid } = (await cluster().get(agent()[kind])).metadata;
    await cluster().create(manifest());
    await vi.waitFor(async () => {
      const { conditions = [] } = (await cluster().get(agent().runtime)).status ?? {};
      const said = conditions.map(({ message }: { message: string }) => message).join("\n");
      expect(said).toContain(theirs.kind);
      expect(said).toContain(theirs.metadata.name);
    }, SOON);
    expect(await meaningOf(agent()[kind])).toEqual(before);

    expect((await cluster().get(agent()[kind])).metadata.uid).toBe(uid);
    await cluster().delete(theirs);
    await agent().becomes("Running", SOME_TIME);
    expect((await cluster().get(agent()[kind])).metadata.uid).not.toBe(uid);
  });

  it("nor what belongs to another agent", async () => {
    const neighbour = new AgentInCluster(cluster(), {
      name: `${name()}-config`,
      namespace: NAMESPACE,
    });
    const runtimes = [manifest(), { ...manifest(), metadata: neighbour.runtime.metadata }];
    await cluster().create(...runtimes);
    await agent().becomes("Running", SOME_TIME);
    await neighbour.becomes("Running", SOME_TIME);
    await cluster().delete(agent().runtime);
    await vi.waitFor(
      async () => expect(await cluster().get(agent().deployment)).toBeUndefined(),
      SOME_TIME,
    );
    expect(await neighbour.phase()).toBe("Running");
  });
});

describe("nothing is left of an agent that was deleted", () => {
  async function nothingLeft(): Promise<void> {
    await vi.waitFor(async () => {
      for (const kind of ["ConfigMap", "Deployment", "ReplicaSet", "Service", "Pod"] as const) {
        const left = await cluster().list(kind, NAMESPACE);
        const ours = left.filter(
          ({ metadata }) => metadata.labels?.["app.kubernetes.io/instance"] === name(),
        );
        expect(ours.map(({ metadata }) => metadata.name)).toEqual([]);
      }
      for (const child of children()) expect(await cluster().get(child)).toBeUndefined();
    }, SOME_TIME);
  }

  it("while the operator runs", async () => {
    await running();
    await cluster().delete(agent().runtime);
    await nothingLeft();
  });

  it("while it is away, and nothing comes back with it", async () => {
    await running();
    await operator().stop();
    await cluster().delete(agent().runtime);
    await nothingLeft();
    const since = Date.now();
    operator.replaceBy(await startOperator());
    await operator().logs("This process leads");
    const other = `${name()}-after`;
    await cluster().create(anAgentManifest({ name: other, namespace: NAMESPACE }));
    await new AgentInCluster(cluster(), { name: other, namespace: NAMESPACE }).becomes(
      "Running",
      SOME_TIME,
    );
    await nothingLeft();
    const writes = await cluster().audit.writes({ by: OPERATOR_USER, since });
    expect(writes.filter(({ what }) => what.endsWith(`/${name()}`))).toEqual([]);
  });

  it("and one that is made again under its name gets its own", async () => {
    await running();
    const old = await Promise.all(children().map((child) => cluster().get(child)));
    await operator().stop();
    await cluster().delete(agent().runtime);
    await cluster().create(manifest());
    operator.replaceBy(await startOperator());
    await agent().becomes("Running", SOME_TIME);
    const { uid } = (await cluster().get(agent().runtime)).metadata;
    await vi.waitFor(async () => {
      for (const [index, child] of children().entries()) {
        const { metadata } = await cluster().get(child);
        expect(metadata.ownerReferences).toMatchObject([{ uid }]);
        expect(metadata.uid).not.toBe(old[index].metadata.uid);
      }
    }, SOME_TIME);
  });
});

describe("an agent", () => {
  it("has its replicas left alone while an autoscaler owns them", async () => {
    await running({ autoscaling: { enabled: true, minReplicas: 2, maxReplicas: 8 } });
    const replicas = async (): Promise<number> =>
      (await cluster().get(agent().deployment)).spec.replicas;
    await cluster().patch(agent().deployment, { spec: { replicas: 4 } });
    // Changed, and looked at again.
    await cluster().patch(agent().runtime, { spec: { env: [{ name: "EXTRA", value: "1" }] } });
    await vi.waitFor(async () => {
      const { spec } = await cluster().get(agent().deployment);
      expect(JSON.stringify(spec.template)).toContain("EXTRA");
      expect((await cluster().get(agent().runtime)).status.ready).toBe("4/4");
    }, SOME_TIME);
    expect(await replicas()).toBe(4);

    await cluster().patch(agent().runtime, { spec: { autoscaling: { enabled: false } } });
    await vi.waitFor(async () => expect(await replicas()).toBe(2), SOON);
    await cluster().patch(agent().runtime, { spec: { autoscaling: { enabled: true } } });
    await vi.waitFor(async () => {
      const { metadata, status } = await cluster().get(agent().runtime);
      expect(status.observedGeneration).toBe(metadata.generation);
    }, SOON);
    await cluster().patch(agent().deployment, { spec: { replicas: 6 } });
    await vi.waitFor(async () => {
      expect((await cluster().get(agent().runtime)).status.ready).toBe("6/6");
    }, SOME_TIME);
  });

  it("may have a name that is hard on labels and on other names", async () => {
    name.replaceBy(`a${"b".repeat(61)}c`);
    agent.replaceBy(new AgentInCluster(cluster(), { name: name(), namespace: NAMESPACE }));
    await running();
  });

  it("leaves a ConfigMap of a user alone that happens to lie beside its own", async () => {
    const beside = aConfigMapManifest(
      { name: `${name()}-notes`, namespace: NAMESPACE },
      { a: "1" },
    );
    await cluster().create(beside);
    await running();
    await cluster().delete(agent().runtime);
    await vi.waitFor(
      async () => expect(await cluster().get(agent().config)).toBeUndefined(),
      SOME_TIME,
    );
    expect(await cluster().get(beside)).toBeDefined();
  });
});
