/** Brings about each fault of docs/troubleshooting.md, and finds what its row says: the condition, the event, the cause, the cure. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { MANAGED_BY_ANNOTATION } from "../../../src/api/group.ts";
import { explain, type ExplainedResource } from "../../../src/control/explain/explain.ts";
import type { NotReadyReason } from "../../../src/observability/readiness-answer.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { KubeCluster, OPERATOR_USER } from "../../support/kubernetes/kube-cluster.ts";
import type { Pod } from "../../support/kubernetes/node/pod.ts";
import type { PodBehaviour } from "../../support/kubernetes/node/simulated-pod.ts";
import { AgentInCluster, SOME_TIME } from "../../support/operator/agent-in-cluster.ts";
import { OperatorInProcess } from "../../support/operator/operator-in-process.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import {
  aConfigMapManifest,
  anAgentManifest,
  aNamespaceManifest,
  aPromptPackManifest,
  aSecretManifest,
  theReferences,
} from "../../support/builders/manifests.ts";
import { numberedNames } from "../../support/builders/numbered-names.ts";
import { timeFor } from "../../support/processes/busy-machine.ts";

const PAGE = join(import.meta.dirname, "../../../docs/troubleshooting.md");
const NAME = "agent";
const ECHO = {
  facade: { handler: "echo" },
  provider: undefined,
  promptPackRef: undefined,
  toolRegistryRef: undefined,
};
const namespaces = numberedNames("fault");
const says = new Map<string, readonly NotReadyReason[]>();

const cluster = forAllTests(
  () => KubeCluster.start({ givesFiles: false }),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
forAllTests(
  () =>
    OperatorInProcess.start(cluster(), {
      runsAgents: true,
      async askReplica({ host }) {
        const found = [...says].find(([agent]) =>
          cluster()
            .kubelet.podsOf(agent)
            .some(({ status }) => status?.podIP === host),
        );
        return found && { ready: false, reasons: found[1] };
      },
    }),
  (operator) => operator.stop(),
);

/** A namespace with an agent in it, to which something is to happen. */
class Place {
  readonly namespace = namespaces.next();
  readonly agent = new AgentInCluster(cluster(), this.at(NAME));

  at(name: string): { name: string; namespace: string } {
    return { name, namespace: this.namespace };
  }

  /** Everything that the agent refers to, but for objects of this kind and name. */
  async references(without?: string): Promise<void> {
    const all = theReferences(this.namespace);
    await cluster().create(
      ...all.filter(({ kind, metadata }) => `${kind} ${metadata.name}` !== without),
    );
  }

  async create(spec: object = ECHO): Promise<void> {
    await cluster().create(anAgentManifest(this.at(NAME), spec));
  }

  behave(behaviour: PodBehaviour | ((pod: Pod) => PodBehaviour)): void {
    cluster().kubelet.setBehaviour(`${this.namespace}/${NAME}`, behaviour);
  }

  say(...reasons: NotReadyReason[]): void {
    says.set(`${this.namespace}/${NAME}`, reasons);
    this.behave({ state: "unready" });
  }

  async post(path: string, object: object): Promise<void> {
    const answer = await cluster().server.request("POST", path, object);
    expect(answer).toMatchObject({ status: 201 });
  }

  /** Refuses the pods of the namespace from now on, in these words. */
  async refusesPods(message: string): Promise<void> {
    const api = "/apis/admissionregistration.k8s.io/v1";
    const metadata = { name: `${this.namespace}.example` };
    const rule = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"] };
    await this.post(`${api}/validatingadmissionpolicies`, {
      metadata,
      spec: {
        matchConstraints: { resourceRules: [{ ...rule, resources: ["pods"] }] },
        validations: [{ expression: `object.metadata.namespace != '${this.namespace}'`, message }],
      },
    });
    await this.post(`${api}/validatingadmissionpolicybindings`, {
      metadata,
      spec: { policyName: metadata.name, validationActions: ["Deny"] },
    });
    const pod = { metadata: { name: "trial" }, spec: { containers: [{ name: "a", image: "a" }] } };
    await vi.waitFor(async () => {
      const path = `/api/v1/namespaces/${this.namespace}/pods?dryRun=All`;
      expect((await cluster().server.request("POST", path, pod)).status).toBe(422);
    }, SOME_TIME);
  }

  /** What the controller of quotas would do: the hard limits count from now on. */
  async quota(hard: Record<string, string>): Promise<void> {
    const path = `/api/v1/namespaces/${this.namespace}/resourcequotas`;
    await this.post(path, { metadata: { name: "small" }, spec: { hard } });
    const used = Object.fromEntries(Object.entries(hard).map(([name, most]) => [name, most]));
    const status = { hard, used };
    await cluster().server.request("PATCH", `${path}/small/status`, { status });
  }

  async runs(spec: object = ECHO): Promise<void> {
    await this.create(spec);
    await vi.waitFor(async () => {
      expect(await this.agent.condition("Ready")).toMatchObject({ status: "True" });
    }, SOME_TIME);
  }

  async changes(spec: object): Promise<void> {
    await cluster().patch(this.agent.runtime, { spec });
  }
}

const redis = { ...ECHO, session: { type: "redis", storeRef: { name: "store", key: "url" } } };
const storeSecret = (place: Place, url: string) =>
  cluster().create(aSecretManifest(place.at("store"), { url }));
const NO_ANSWER = "the session store does not answer";

const FAULTS: Readonly<Record<string, (place: Place) => Promise<void>>> = {
  "The PromptPack is not there": async (place) => {
    await place.references("PromptPack prompts");
    await place.create({});
  },
  "The ConfigMap of the pack is not there": async (place) => {
    await place.references("ConfigMap prompts-content");
    await place.create({});
  },
  "The content of the pack is no pack": async (place) => {
    await place.references("PromptPack prompts");
    await cluster().create(
      aConfigMapManifest(place.at("bad"), { "promptpack.json": "{" }),
      aPromptPackManifest(place.at("prompts"), "bad"),
    );
    await place.create({});
  },
  "The ToolRegistry is not there": async (place) => {
    await place.references("ToolRegistry tools");
    await place.create({});
  },
  "The Secret of the API key is not there": async (place) => {
    await place.references("Secret model");
    await place.create({});
  },
  "The Secret has no such key, or an empty one": async (place) => {
    await place.references("Secret model");
    await cluster().create(aSecretManifest(place.at("model"), { "api-key": "" }));
    await place.create({});
  },
  "The API key holds what no key has": async (place) => {
    await place.references("Secret model");
    await cluster().create(aSecretManifest(place.at("model"), { "api-key": "sk two words" }));
    await place.create({});
  },
  "A replica cannot use the API key that it has": async (place) => {
    await place.references();
    place.say({ about: "provider", message: "the provider's API key is missing" });
    await place.create({});
  },
  "The Secret of the session store is not there": (place) => place.create(redis),
  "The URL of the session store is none": async (place) => {
    await storeSecret(place, "http://store");
    await place.create(redis);
  },
  "The session store is down": async (place) => {
    await storeSecret(place, "redis://store:6379/0");
    place.say({ about: "session-store", message: NO_ANSWER });
    await place.create(redis);
  },
  "The session store refuses the password": async (place) => {
    await storeSecret(place, "redis://:wrong@store:6379/0");
    const message = `${NO_ANSWER} as it should: it refuses the user name or password of its URL`;
    place.say({ about: "session-store", message });
    await place.create(redis);
  },
  "The program ends again and again": async (place) => {
    place.behave({ state: "crash-loop", message: "no such model" });
    await place.create();
  },
  "The program takes more memory than its limit": async (place) => {
    place.behave({ state: "crash-loop", message: "", reason: "OOMKilled", exitCode: 137 });
    await place.create();
  },
  "The image has no such program": async (place) => {
    const message = 'exec: "agent": executable file not found in $PATH';
    place.behave({ state: "start-fails", reason: "RunContainerError", message });
    await place.create();
  },
  "A variable takes its value from what is not there": async (place) => {
    const message = 'secret "tokens" not found';
    place.behave({ state: "start-fails", reason: "CreateContainerConfigError", message });
    await place.create();
  },
  "A replica runs and is not ready for another reason": async (place) => {
    place.say({ message: "the model is being loaded" });
    await place.create();
  },
  "A replica is not ready, and the operator cannot ask it": async (place) => {
    place.behave({ state: "unready" });
    await place.create();
  },
  "New replicas fail while those of before serve": async (place) => {
    place.behave(({ spec }) =>
      spec.containers[0]?.env?.some(({ name }) => name === "NEW") === true
        ? { state: "crash-loop", message: "no such model" }
        : { state: "ready" },
    );
    await place.runs();
    await place.changes({ env: [{ name: "NEW", value: "1" }] });
  },
  "A rollout makes no progress for five minutes": async (place) => {
    place.say({ message: "the model is being loaded" });
    await place.create();
    await vi.waitFor(async () => {
      expect((await place.agent.condition("Available")).message).toContain("being loaded");
      expect((await cluster().get(place.agent.deployment)).status.updatedReplicas).toBe(1);
    }, SOME_TIME);
    const path = `/apis/apps/v1/namespaces/${place.namespace}/deployments/${NAME}/status`;
    const condition = { type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" };
    const at = new Date(0).toISOString();
    const times = { lastUpdateTime: at, lastTransitionTime: at };
    const conditions = [{ ...condition, ...times, message: "timed out" }];
    await cluster().server.request("PATCH", path, { status: { conditions } });
  },
  "The image is not there": async (place) => {
    const message = 'failed to pull image "a:1": not found';
    place.behave({ state: "image-pull-fails", message });
    await place.create();
  },
  "The registry asks for a login": async (place) => {
    const message = 'failed to authorize: 401 Unauthorized for "registry.example/a:1"';
    place.behave({ state: "image-pull-fails", message });
    await place.create();
  },
  "A quota is used up": async (place) => {
    await place.runs();
    await place.quota({ pods: "1" });
    await place.changes({ replicas: 3 });
  },
  "A quota counts what the pods do not state": async (place) => {
    await place.quota({ "limits.cpu": "1" });
    await place.create();
  },
  "A LimitRange refuses the pods": async (place) => {
    await place.post(`/api/v1/namespaces/${place.namespace}/limitranges`, {
      metadata: { name: "small" },
      spec: { limits: [{ type: "Container", max: { memory: "1Gi" } }] },
    });
    await place.create({ ...ECHO, resources: { limits: { memory: "2Gi" } } });
  },
  "An admission webhook or policy refuses the pods": async (place) => {
    await place.refusesPods("not on a Sunday");
    await place.create();
  },
  "The service account of the namespace is not there": async (place) => {
    await place.refusesPods('error looking up service account: serviceaccount "default" not found');
    await place.create();
  },
  "No node has room": async (place) => {
    place.behave({ state: "unschedulable" });
    await place.create();
  },
  "No node has the labels of `nodeSelector`": async (place) => {
    const message = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";
    place.behave({ state: "unschedulable", message });
    await place.create();
  },
  "Every node has a taint that is not tolerated": async (place) => {
    const message = "0/1 nodes are available: 1 node(s) had untolerated taint {a: b}.";
    place.behave({ state: "unschedulable", message });
    await place.create();
  },
  "A node is not heard of": async (place) => {
    await place.runs();
    place.behave({ state: "node-silent" });
  },
  "A pod was evicted, and the next one is not ready": async (place) => {
    place.behave({ state: "evicted", message: "The node was low on resource: memory." });
    await place.create();
    await vi.waitFor(
      () => expect(place.agent.pods.some(({ status }) => status?.phase === "Failed")).toBe(true),
      SOME_TIME,
    );
    place.behave({ state: "ready", afterMs: 60_000 });
  },
  "KEDA is not in the cluster": (place) =>
    place.create({ ...ECHO, autoscaling: { enabled: true, type: "keda" } }),
  "Replicas request no CPU and no memory": (place) =>
    place.create({ ...ECHO, autoscaling: { enabled: true } }),
  "Somebody else has an autoscaler of the agent's name": async (place) => {
    const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "other" };
    await place.post(
      `/apis/autoscaling/v2/namespaces/${place.namespace}/horizontalpodautoscalers`,
      { metadata: { name: NAME }, spec: { scaleTargetRef, maxReplicas: 2 } },
    );
    await place.create({ ...ECHO, autoscaling: { enabled: true } });
  },
  "Another operator looks after the agent": async (place) => {
    const { metadata, ...agent } = anAgentManifest(place.at(NAME), ECHO);
    const annotations = { [MANAGED_BY_ANNOTATION]: "other" };
    const claimed = { ...metadata, annotations };
    await cluster().create({ ...agent, metadata: claimed });
  },
  "An object has the name of one of the agent's": async (place) => {
    await cluster().create({ kind: "ConfigMap", metadata: place.at(`${NAME}-config`) });
    await place.create();
  },
};

interface Row {
  readonly fault: string;
  readonly type: string;
  readonly reason: string;
  readonly event: string;
  readonly cause: string;
  readonly cure: string;
}

/** The rows of the table with these columns: fault, condition, event, what explain names as the cause, its cure. */
async function rowsOfPage(): Promise<Row[]> {
  return (await readFile(PAGE, "utf8"))
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .filter((cells) => /^`\w+` \w+$/.test(cells[2] ?? ""))
    .map(([, fault = "", condition = "", event = "", cause = "", cure = ""]) => {
      const [type = "", reason = ""] = condition.replaceAll("`", "").split(" ");
      return { fault, type, reason, event, cause, cure };
    });
}

const rows = await rowsOfPage();

describe("the table of faults", () => {
  it("has a row for each fault that is tried here", () => {
    expect(rows.map(({ fault }) => fault).toSorted()).toEqual(Object.keys(FAULTS).toSorted());
  });

  it.each(rows)("is right: $fault", async ({ fault, type, reason, event, cause, cure }) => {
    const place = new Place();
    await cluster().create(aNamespaceManifest(place.namespace));
    await FAULTS[fault]?.(place);
    await vi.waitFor(async () => {
      const resource = (await cluster().get(place.agent.runtime)) as ExplainedResource;
      const explained = explain(resource);
      expect(explained.summary).toContain(`${type} is False, ${reason}`);
      expect(explained.cause).toContain(cause);
      expect(explained.cure).toBe(cure);
    }, SOME_TIME);
    expect(await place.agent.condition(type)).toMatchObject({ status: "False", reason });
    // Replicas that are all available are as wanted, although nothing changes their number.
    const ready = type === "AutoscalingReady" ? { status: "True" } : { status: "False", reason };
    expect(await place.agent.condition("Ready")).toMatchObject(ready);
    await vi.waitFor(async () => {
      const events = await cluster().list("Event", place.namespace);
      const told = events
        .filter(({ regarding }) => regarding?.kind === "AgentRuntime")
        .map((one) => `${one.type} ${one.reason}`);
      expect(told).toContain(event);
    }, SOME_TIME);
  });
});

describe("Ready", () => {
  const kubectl = (place: Place, ...args: string[]): Promise<string> =>
    cluster().server.kubectl([...args, "-n", place.namespace]);
  const awaitReady = (place: Place): Promise<string> =>
    kubectl(place, "wait", "--for=condition=Ready", `ar/${NAME}`, "--timeout=20s");

  it("is awaited until every replica has what a change asks for, and until none has more", async () => {
    const place = new Place();
    await cluster().create(aNamespaceManifest(place.namespace));
    await place.create({ ...ECHO, replicas: 2 });
    await awaitReady(place);
    for (const [change, replicas] of [
      [{ env: [{ name: "ROUND", value: "1" }] }, 2],
      [{ replicas: 4 }, 4],
      [{ env: [{ name: "ROUND", value: "2" }], replicas: 3 }, 3],
      [{ replicas: 1 }, 1],
    ] as [{ env?: object[]; replicas?: number }, number][]) {
      await place.changes(change);
      await awaitReady(place);
      const pods = await cluster().list("Pod", place.namespace);
      const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      expect(staying).toHaveLength(replicas);
      for (const { spec, status } of staying) {
        expect(spec.containers[0].env).toEqual(expect.arrayContaining(change.env ?? []));
        expect(status.containerStatuses[0].ready).toBe(true);
      }
    }
  });

  it("is not awaited in vain: an image that is not there never becomes ready, and the old replica serves", async () => {
    const place = new Place();
    await cluster().create(aNamespaceManifest(place.namespace));
    place.behave(({ spec }) => ({
      state: spec.containers[0]?.image === "none:1" ? "image-pull-fails" : "ready",
    }));
    await place.runs();
    await place.changes({ image: "none:1" });
    const wait = kubectl(place, "wait", "--for=condition=Ready", `ar/${NAME}`, "--timeout=2s");
    await expect(wait).rejects.toThrow("timed out");
    expect(await place.agent.condition("Available")).toMatchObject({ status: "True" });
    await place.changes({ image: null });
    await awaitReady(place);
  });

  it("follows a session store within five seconds, and nothing is written while it stays away", async () => {
    const place = new Place();
    await cluster().create(aNamespaceManifest(place.namespace));
    await storeSecret(place, "redis://store:6379/0");
    await place.runs({ ...redis, replicas: 2 });
    const within5s = { timeout: timeFor(5_000), interval: 50 };
    place.say({ about: "session-store", message: NO_ANSWER });
    for (const type of ["SessionStoreReady", "Ready"]) {
      await vi.waitFor(
        async () =>
          expect(await place.agent.condition(type)).toMatchObject({ reason: "Unreachable" }),
        within5s,
      );
    }
    expect(await place.agent.condition("Available")).toMatchObject({
      reason: "WaitingForPods",
      message: expect.stringContaining(NO_ANSWER),
    });
    await delay(1_000);
    const since = Date.now();
    await delay(5_000);
    const writes = await cluster().audit.writes({ by: OPERATOR_USER, since });
    expect(writes.filter(({ what }) => what.includes(place.namespace))).toEqual([]);

    place.behave({ state: "ready" });
    for (const type of ["SessionStoreReady", "Ready"]) {
      await vi.waitFor(
        async () => expect(await place.agent.condition(type)).toMatchObject({ status: "True" }),
        within5s,
      );
    }
  });
});
