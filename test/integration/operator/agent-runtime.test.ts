/** What the controller of AgentRuntimes asks of the API server, with the caches and the other controllers in this process. */
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { Cache, type CacheChange } from "../../../src/kube/watch/cache.ts";
import type { KubernetesObject } from "../../../src/kube/client/object.ts";
import type { DeploymentObject } from "../../../src/operator/cluster/kubernetes-objects.ts";
import { FILES_REVISION_ANNOTATION } from "../../../src/operator/cluster/labels.ts";
import { AgentInCluster, SOME_TIME, SOON } from "../../support/operator/agent-in-cluster.ts";
import type { Write } from "../../support/kubernetes/audit-log.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { KubeCluster, OPERATOR_USER } from "../../support/kubernetes/kube-cluster.ts";
import {
  aConfigMapManifest,
  anAgentManifest,
  aNamespaceManifest,
  aPackManifest,
  aPromptPackManifest,
  aSecretManifest,
  aToolServiceManifests,
  packSaying,
  PACK_KEY,
  theReferences,
} from "../../support/builders/manifests.ts";
import { OperatorInProcess } from "../../support/operator/operator-in-process.ts";
import { numberedNames } from "../../support/builders/numbered-names.ts";
import { forAllTests, forEachTest } from "../../support/builders/fixtures.ts";

const NAMESPACE = "team";
const names = numberedNames("agent");

/** Follows another cache, or is held behind it. */
class LaggingCache<T extends DeploymentObject> extends Cache<T> {
  #held: CacheChange<T>[] | undefined;

  constructor(followed: Cache<T>) {
    super();
    for (const object of followed.all()) this.set(object);
    followed.subscribe((change) => {
      if (this.#held === undefined) this.#take(change);
      else this.#held.push(change);
    });
  }

  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const changes = this.#held ?? [];
    this.#held = undefined;
    for (const change of changes) this.#take(change);
  }

  #take({ before, after }: CacheChange<T>): void {
    if (after !== undefined) this.set(after);
    else if (before !== undefined)
      this.delete(`${before.metadata.namespace}/${before.metadata.name}`);
  }
}

const cluster = forAllTests(
  () => KubeCluster.start(),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
beforeAll(async () => {
  await cluster().create(aNamespaceManifest(NAMESPACE), ...theReferences(NAMESPACE));
});
const seen = forAllTests(() => Promise.withResolvers<LaggingCache<DeploymentObject>>());
const operator = forAllTests(
  () =>
    OperatorInProcess.start(cluster(), {
      runsAgents: true,
      seenAs: (caches) => {
        const deployments = new LaggingCache(caches.deployments);
        seen().resolve(deployments);
        return { ...caches, deployments };
      },
    }),
  (operator) => operator.stop(),
);
const deployments = forAllTests(() => seen().promise);
const controller = forAllTests(() => operator().agentRuntimes);

const name = forEachTest(() => names.next());
const agent = forEachTest(
  () => new AgentInCluster(cluster(), { name: name(), namespace: NAMESPACE }),
);
afterEach(() => deployments().release());

const at = (of = name()): { name: string; namespace: string } => ({
  name: of,
  namespace: NAMESPACE,
});

async function isRunning(spec: object = {}): Promise<void> {
  await cluster().create(anAgentManifest(at(), spec));
  await agent().becomes("Running", SOME_TIME);
}

/** Looks at the agents once more, as a resync does. */
async function lookAt(...names: string[]): Promise<void> {
  const before = operator().reconciled.length;
  for (const of of names) controller().queue.add(`${NAMESPACE}/${of}`);
  await vi.waitFor(() => {
    const keys = new Set(
      operator()
        .reconciled.slice(before)
        .map(({ key }) => key),
    );
    for (const of of names) expect(keys).toContain(`${NAMESPACE}/${of}`);
  }, SOME_TIME);
}

/** Nothing is on its way any more. */
async function settled(): Promise<void> {
  let last = -1;
  await vi.waitFor(
    () => {
      const count = operator().reconciled.length;
      const isQuiet = count === last && controller().activeWorkers === 0;
      last = count;
      expect(isQuiet).toBe(true);
    },
    { ...SOME_TIME, interval: 600 },
  );
}

async function writesOn(pattern: RegExp, since = 0): Promise<Write[]> {
  const writes = await cluster().audit.writes({ by: OPERATOR_USER, since });
  return writes.filter(({ what }) => pattern.test(what) && !what.startsWith("events "));
}

/** No object of this kind is made for the agent while it stands. */
async function aPolicyAgainst(resource: string): Promise<{ remove(): Promise<void> }> {
  const apiVersion = "admissionregistration.k8s.io/v1";
  const metadata = { name: `no-${resource}-for-${name()}` };
  const matches = { apiGroups: ["*"], apiVersions: ["*"], operations: ["CREATE"] };
  const policies = `/apis/${apiVersion}/validatingadmissionpolicies`;
  const bindings = `/apis/${apiVersion}/validatingadmissionpolicybindings`;
  const ask = async (method: string, path: string, body?: object): Promise<number> =>
    (await cluster().server.request(method, path, body)).status;
  await ask("POST", policies, {
    apiVersion,
    kind: "ValidatingAdmissionPolicy",
    metadata,
    spec: {
      matchConstraints: { resourceRules: [{ ...matches, resources: [resource] }] },
      validations: [{ expression: `object.metadata.name != '${name()}'`, message: "not here" }],
    },
  });
  await ask("POST", bindings, {
    apiVersion,
    kind: "ValidatingAdmissionPolicyBinding",
    metadata,
    spec: { policyName: metadata.name, validationActions: ["Deny"] },
  });
  const isRefused = async (): Promise<boolean> => {
    const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments?dryRun=All`;
    const labels = { app: "trial" };
    const template = {
      metadata: { labels },
      spec: { containers: [{ name: "trial", image: "trial" }] },
    };
    const spec = { selector: { matchLabels: labels }, template };
    return (await ask("POST", path, { metadata: at(), spec })) !== 201;
  };
  await vi.waitFor(async () => expect(await isRefused()).toBe(true), SOME_TIME);
  return {
    async remove() {
      await ask("DELETE", `${bindings}/${metadata.name}`);
      await ask("DELETE", `${policies}/${metadata.name}`);
      await vi.waitFor(async () => expect(await isRefused()).toBe(false), SOME_TIME);
    },
  };
}

describe("what is asked of the API server", () => {
  it("one agent is one write an object, its Deployment last, and a few of its status", async () => {
    await isRunning({ replicas: 2 });
    await settled();
    const writes = await writesOn(new RegExp(`/${name()}(-config)?$`));
    const { false: objects = [], true: statuses = [] } = Object.groupBy(
      writes.map(({ verb, status, what }) => `${verb} ${what.split(" ")[0]} ${status}`),
      (write) => String(write.includes("/status")) as "true" | "false",
    );
    expect(objects.toSorted()).toEqual([
      "create configmaps 201",
      "create deployments 201",
      "create poddisruptionbudgets 201",
      "create services 201",
      "patch agentruntimes 200",
    ]);
    // The claim comes before all else.
    expect(objects[0]).toBe("patch agentruntimes 200");
    expect(objects.slice(3)).toEqual(["create deployments 201", "create poddisruptionbudgets 201"]);
    // Waiting, with replicas, with each of them ready.
    expect(statuses.length).toBeLessThanOrEqual(4);
    expect(new Set(statuses)).toEqual(new Set(["patch agentruntimes/status 200"]));
  });

  it("of thirty at once no write is refused or repeated, and another look at them is none", async () => {
    const names = Array.from({ length: 30 }, (_, index) => `many-${index}`);
    await Promise.all(names.map((of) => cluster().create(anAgentManifest(at(of)))));
    await Promise.all(
      names.map((of) => new AgentInCluster(cluster(), at(of)).becomes("Running", SOME_TIME)),
    );
    await settled();
    const writes = await writesOn(/\/many-/);
    expect(writes.filter(({ status }) => status >= 400)).toEqual([]);
    const isStatus = ({ what }: Write): boolean => what.includes("/status");
    expect(writes.filter((write) => !isStatus(write))).toHaveLength(4 * names.length);
    expect(writes.filter(isStatus).length).toBeLessThanOrEqual(3 * names.length);

    const since = Date.now();
    await lookAt(...names);
    expect(await writesOn(/./, since)).toEqual([]);
  });

  it("a change that needs new replicas is one write, whatever else is written meanwhile", async () => {
    await isRunning();
    await settled();
    const since = Date.now();
    await cluster().patch(agent().runtime, { spec: { env: [{ name: "EXTRA", value: "1" }] } });
    await vi.waitFor(async () => {
      expect((await cluster().get(agent().deployment)).metadata.generation).toBe(2);
    }, SOON);
    await agent().becomes("Running", SOME_TIME);
    await settled();
    expect((await cluster().get(agent().deployment)).metadata.generation).toBe(2);
    expect(await writesOn(/configmaps|services|poddisruption/, since)).toEqual([]);
  });

  it("what is refused is said, and not asked for over and over", async () => {
    const policy = await aPolicyAgainst("deployments");
    const since = Date.now();
    await cluster().create(anAgentManifest(at()));
    await vi.waitFor(async () => {
      const { message } = await agent().condition("Available");
      expect(message).toContain(`the API server refuses Deployment "${name()}"`);
    }, SOON);
    await lookAt(name());
    await cluster().patch(agent().runtime, { metadata: { labels: { looked: "at" } } });
    await lookAt(name());
    expect(await writesOn(/deployments/, since)).toHaveLength(1);

    await policy.remove();
    await cluster().patch(agent().runtime, { spec: { env: [{ name: "EXTRA", value: "1" }] } });
    await agent().becomes("Running");
  });
});

describe("the files of a running agent", () => {
  const revisions = async (): Promise<{ config: string; pods: (string | undefined)[] }> => ({
    config: (await cluster().get(agent().config)).metadata.annotations[FILES_REVISION_ANNOTATION],
    pods: agent().pods.map(({ metadata }) => metadata.annotations?.[FILES_REVISION_ANNOTATION]),
  });

  it("a rotated key is a new revision that every pod is told of, and no new pod", async () => {
    const secret = aSecretManifest(at(`${name()}-key`), { "api-key": "sk-1" });
    await cluster().create(secret);
    const apiKeySecretRef = { name: `${name()}-key`, key: "api-key" };
    await isRunning({ replicas: 2, provider: { name: "openai", model: "m", apiKeySecretRef } });
    await settled();
    const before = await agent().footprint();
    await cluster().patch(secret, { metadata: { labels: { touched: "yes" } } });
    await cluster().patch(secret, { stringData: { unused: "1" } });
    await settled();
    expect(await agent().footprint()).toEqual(before);
    expect(await revisions()).toEqual({ config: "1", pods: [undefined, undefined] });

    await cluster().patch(secret, { stringData: { "api-key": "sk-2" } });
    await vi.waitFor(
      async () => expect(await revisions()).toEqual({ config: "2", pods: ["2", "2"] }),
      SOON,
    );
    expect((await cluster().get(agent().deployment)).metadata.generation).toBe(1);
  });

  it("the last good config comes back while its pack is broken, deleted or spoiled", async () => {
    const content = aPackManifest(at(`${name()}-content`));
    const pack = aPromptPackManifest(at(`${name()}-pack`), `${name()}-content`);
    await cluster().create(content, pack);
    await isRunning({ promptPackRef: { name: `${name()}-pack` } });
    await cluster().patch(content, { data: { [PACK_KEY]: packSaying("You were edited.") } });
    const said = async (): Promise<unknown> =>
      JSON.parse((await cluster().get(agent().config))?.data?.["agent.json"] ?? "{}").prompt?.active
        .system;
    await vi.waitFor(async () => expect(await said()).toBe("You were edited."), SOON);

    await cluster().delete(pack);
    await vi.waitFor(async () => {
      expect(await agent().condition("PromptPackReady")).toMatchObject({ reason: "NotFound" });
    }, SOON);
    expect(await said()).toBe("You were edited.");

    const { uid } = (await cluster().get(agent().config)).metadata;
    await cluster().delete(agent().config);
    await vi.waitFor(async () => {
      expect((await cluster().get(agent().config))?.metadata.uid).not.toBe(uid);
      expect(await said()).toBe("You were edited.");
    }, SOON);
    const theirs = (await cluster().get(agent().config)).data["agent.json"].replace(
      "edited",
      "spoiled",
    );
    await cluster().patch(agent().config, { data: { "agent.json": theirs } });
    await vi.waitFor(async () => expect(await said()).toBe("You were edited."), SOON);
    expect(await agent().phase()).toBe("Running");
  });

  it("variables that are taken from elsewhere make new pods when they change", async () => {
    const settings = aConfigMapManifest(at(`${name()}-settings`), { level: "1", other: "1" });
    await cluster().create(settings);
    const configMapKeyRef = { name: `${name()}-settings`, key: "level" };
    await isRunning({ env: [{ name: "LEVEL", valueFrom: { configMapKeyRef } }] });
    const generation = async (): Promise<number> =>
      (await cluster().get(agent().deployment)).metadata.generation;
    await cluster().patch(settings, { data: { other: "2" } });
    await settled();
    expect(await generation()).toBe(1);
    await cluster().patch(settings, { data: { level: "2" } });
    await vi.waitFor(async () => expect(await generation()).toBe(2), SOON);
    await cluster().delete(settings);
    await settled();
    expect(await generation()).toBe(2);
  });
});

describe("a cache that is behind", () => {
  it("what was made and does not show yet is not made again", async () => {
    deployments().hold();
    await cluster().create(anAgentManifest(at()));
    await vi.waitFor(
      async () => expect(await cluster().get(agent().deployment)).toBeDefined(),
      SOON,
    );
    await lookAt(name());
    expect(await writesOn(new RegExp(`deployments .*/${name()}$`))).toHaveLength(1);
    deployments().release();
    await agent().becomes("Running");
  });

  it("what was changed and does not show yet is not changed back", async () => {
    await isRunning();
    await settled();
    deployments().hold();
    await cluster().patch(agent().runtime, { spec: { replicas: 3 } });
    await vi.waitFor(async () => {
      expect((await cluster().get(agent().deployment)).metadata.generation).toBe(2);
    }, SOON);
    await lookAt(name());
    deployments().release();
    await vi.waitFor(async () => {
      expect((await cluster().get(agent().runtime)).status.ready).toBe("3/3");
    }, SOME_TIME);
    expect((await cluster().get(agent().deployment)).metadata.generation).toBe(2);
  });
});

describe("an object of a later version", () => {
  it.each(["agentRuntimes", "promptPacks", "toolRegistries"] as const)(
    "that this version cannot read is told of once and left alone, and the others are still seen: %s",
    async (kind) => {
      const cache: Cache<KubernetesObject> = operator().caches[kind] as never;
      const key = `${NAMESPACE}/${name()}`;
      for (const resourceVersion of ["1", "2"]) {
        const before = operator().reconciled.length;
        cache.set({ metadata: { ...at(), uid: `unreadable-${kind}`, resourceVersion } });
        await vi.waitFor(() => {
          const outcomes = operator()
            .reconciled.slice(before)
            .filter((done) => done.key === key);
          expect(outcomes).toMatchObject([{ outcome: "terminal_error" }]);
        }, SOON);
      }
      await cluster().create(...aToolServiceManifests(at(`${name()}-tool`), "others"));
      await cluster().create(anAgentManifest(at(`${name()}-other`)));
      await new AgentInCluster(cluster(), at(`${name()}-other`)).becomes("Running");
      cache.delete(key);
      const events = await cluster().list("Event", NAMESPACE);
      const about = events.filter(({ regarding }) => regarding.name === name());
      expect(about).toMatchObject([{ type: "Warning", reason: "InvalidSpec" }]);
      expect(await writesOn(new RegExp(`/${name()}$`))).toEqual([]);
    },
  );
});
