/** PromptPacks in a cluster: their versions, what is kept of them, and what is said about them. */
import { describe, expect, it, vi } from "vitest";
import { GROUP } from "../../../src/api/group.ts";
import type { PromptPackStatus } from "../../../src/api/prompt-pack.ts";
import { MAX_KEPT_VERSIONS } from "../../../src/control/prompt-pack/version-retention.ts";
import { agentLabels, PACK_VERSIONS_ANNOTATION } from "../../../src/operator/cluster/labels.ts";
import { parsePromptPack } from "../../../src/promptpack/check/parse-prompt-pack.ts";
import { aPackText } from "../../support/builders/a-pack.ts";
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
  aPromptPackManifest,
  PACK_KEY,
} from "../../support/builders/manifests.ts";
import { SOME_TIME, SOON } from "../../support/operator/agent-in-cluster.ts";
import { OperatorInProcess } from "../../support/operator/operator-in-process.ts";
import { numberedNames } from "../../support/builders/numbered-names.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

const namespaces = numberedNames("packs");

const cluster = forAllTests(
  () => KubeCluster.start({ withControllers: false }),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const operator = forAllTests(
  () => OperatorInProcess.start(cluster()),
  (operator) => operator.stop(),
);

const textOf = (version: string): string => aPackText({ version });
function hashOf(text: string): string {
  const parsed = parsePromptPack(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.hash;
}
const versionHash = (version: string): string => hashOf(textOf(version));

/** A PromptPack `prompts` with its source, in a namespace of its own. */
class PackInCluster {
  readonly namespace: string;

  private constructor(namespace: string) {
    this.namespace = namespace;
  }

  static async create(text?: string, rollout?: object): Promise<PackInCluster> {
    const pack = new PackInCluster(namespaces.next());
    await cluster().create(aNamespaceManifest(pack.namespace));
    if (text !== undefined) await cluster().create(pack.sourceWith(text));
    const manifest = aPromptPackManifest(pack.at("prompts"), "prompts-content");
    const spec = { ...(manifest["spec"] as object), ...(rollout === undefined ? {} : { rollout }) };
    await cluster().create({ ...manifest, spec } as KubeObject);
    return pack;
  }

  at(name: string): { name: string; namespace: string } {
    return { name, namespace: this.namespace };
  }

  get key(): string {
    return `${this.namespace}/prompts`;
  }

  get object(): KubeObject {
    return { kind: "PromptPack", metadata: this.at("prompts") };
  }

  get source(): KubeObject {
    return { kind: "ConfigMap", metadata: this.at("prompts-content") };
  }

  sourceWith(text: string): KubeObject {
    return aConfigMapManifest(this.at("prompts-content"), { [PACK_KEY]: text });
  }

  versionObject(hash: string): KubeObject {
    return { kind: "ConfigMap", metadata: this.at(`prompts-${hash}`) };
  }

  async edit(text: string): Promise<void> {
    await cluster().patch(this.source, { data: { [PACK_KEY]: text } });
  }

  async rollOut(rollout: object): Promise<void> {
    await cluster().patch(this.object, { spec: { rollout } });
  }

  async status(): Promise<PromptPackStatus> {
    return (await cluster().get(this.object)).status ?? {};
  }

  async condition(type: string): Promise<Record<string, unknown> | undefined> {
    return (await this.status()).conditions?.find((condition) => condition.type === type);
  }

  async becomes(expected: object, within = SOON): Promise<void> {
    await vi.waitFor(async () => expect(await this.status()).toMatchObject(expected), within);
  }

  async says(type: string, expected: object, within = SOON): Promise<void> {
    await vi.waitFor(
      async () => expect(await this.condition(type)).toMatchObject(expected),
      within,
    );
  }

  /** The hashes of what is kept. */
  async kept(): Promise<string[]> {
    const configMaps = await cluster().list("ConfigMap", this.namespace);
    return configMaps.flatMap(({ metadata }) =>
      metadata.ownerReferences === undefined ? [] : [metadata.name.slice("prompts-".length)],
    );
  }

  async writes(since: number): Promise<string[]> {
    const writes = await cluster().audit.writes({ by: OPERATOR_USER, since });
    return writes
      .filter(({ what }) => what.includes(` ${this.namespace}/`))
      .map(({ verb, what }) => `${verb} ${what}`);
  }
}

const canary = (weight: number) => ({ strategy: "canary", canary: { weight } });
const immediate = { strategy: "immediate", canary: null };

describe("a PromptPack", () => {
  it("is active with the content of its source, which is kept as an object of its own", async () => {
    const pack = await PackInCluster.create(textOf("1.0.0"));
    const hash = versionHash("1.0.0");
    await pack.becomes({
      phase: "Active",
      activeVersion: hash,
      activeSemver: "1.0.0",
      observedGeneration: 1,
    });
    const { metadata } = await cluster().get(pack.object);
    expect(await cluster().get(pack.versionObject(hash))).toMatchObject({
      immutable: true,
      data: { [PACK_KEY]: textOf("1.0.0") },
      metadata: {
        labels: {
          "app.kubernetes.io/name": "omnia-prompt-pack",
          "app.kubernetes.io/instance": "prompts",
          "app.kubernetes.io/managed-by": "omnia-operator",
          "app.kubernetes.io/component": "prompt-pack",
        },
        ownerReferences: [{ kind: "PromptPack", name: "prompts", uid: metadata.uid }],
      },
    });
    expect(await operator().promptPacks.reference(pack.key, operator().signal)).toMatchObject({
      found: true,
      name: "prompts",
      namespace: pack.namespace,
      versions: { active: { hash, semver: "1.0.0", document: { version: "1.0.0" } } },
    });
  });

  it("says what is wrong with its source, step by step, and comes right by itself", async () => {
    const pack = await PackInCluster.create();
    await pack.says("SourceValid", { status: "False", reason: "ConfigMapNotFound" });
    await pack.becomes({ phase: "Pending" });
    await cluster().create(aConfigMapManifest(pack.at("prompts-content"), { other: "{}" }));
    await pack.says("SourceValid", { reason: "KeyNotFound" });
    await pack.edit('{\n "id": }');
    await pack.says("SourceValid", { reason: "InvalidJSON" });
    expect((await pack.condition("SourceValid"))?.["message"]).toContain("line 2, column 8");
    await pack.edit(aPackText({ id: "X" }));
    await pack.says("SourceValid", { reason: "InvalidPack" });
    await pack.becomes({ phase: "Failed" });
    await pack.edit(" ".repeat(1_000_001));
    await pack.says("SourceValid", { reason: "TooLarge" });
    await pack.edit(textOf("1.0.0"));
    await pack.says("SourceValid", { status: "True", reason: "Valid" });
    const events = await cluster().list("Event", pack.namespace);
    expect(events.filter(({ type }) => type === "Warning").map(({ reason }) => reason)).toEqual(
      expect.arrayContaining([
        "ConfigMapNotFound",
        "KeyNotFound",
        "InvalidJSON",
        "InvalidPack",
        "TooLarge",
      ]),
    );
  });

  it("goes on with its last good version while the source is broken or gone", async () => {
    const pack = await PackInCluster.create(textOf("1.0.0"));
    await pack.becomes({ phase: "Active" });
    await pack.edit("{");
    await pack.says("SourceValid", { status: "False", reason: "InvalidJSON" });
    await pack.becomes({ phase: "Active", activeSemver: "1.0.0" });
    await cluster().delete(pack.source);
    await pack.says("SourceValid", { status: "False", reason: "ConfigMapNotFound" });
    await pack.becomes({ phase: "Active", activeSemver: "1.0.0" });
    const reference = await operator().promptPacks.reference(pack.key, operator().signal);
    expect(reference).toMatchObject({ versions: { active: { semver: "1.0.0" } } });
    await cluster().create(pack.sourceWith(textOf("2.0.0")));
    await pack.becomes({ phase: "Active", activeSemver: "2.0.0" });
  });

  it("takes packs of a megabyte, in YAML too, and keeps them whole", async () => {
    const big = (version: string): string =>
      aPackText({ version, fragments: { long: "x".repeat(990_000) } });
    const pack = await PackInCluster.create(big("1.0.0"));
    await pack.becomes({ phase: "Active", activeSemver: "1.0.0" }, SOME_TIME);
    const kept = await cluster().get(pack.versionObject(hashOf(big("1.0.0"))));
    expect(kept.data[PACK_KEY]).toBe(big("1.0.0"));
    await pack.edit(`# In YAML\n${textOf("2.0.0")}`);
    await pack.becomes({ activeVersion: versionHash("2.0.0") });
  });

  it("is read under another key or from another ConfigMap when its spec says so", async () => {
    const pack = await PackInCluster.create(textOf("1.0.0"));
    await pack.becomes({ activeSemver: "1.0.0" });
    await cluster().patch(pack.source, { data: { "other.json": textOf("2.0.0") } });
    await cluster().patch(pack.object, {
      spec: { source: { configMapRef: { key: "other.json" } } },
    });
    await pack.becomes({ activeSemver: "2.0.0", observedGeneration: 2 });
    await cluster().create(aConfigMapManifest(pack.at("third"), { "other.json": textOf("3.0.0") }));
    await cluster().patch(pack.object, { spec: { source: { configMapRef: { name: "third" } } } });
    await pack.becomes({ activeSemver: "3.0.0", observedGeneration: 3 });
    await pack.edit(textOf("9.0.0"));
    await cluster().patch(
      { kind: "ConfigMap", metadata: pack.at("third") },
      {
        data: { "other.json": textOf("4.0.0") },
      },
    );
    await pack.becomes({ activeSemver: "4.0.0" });
  });

  it("has its status put right when somebody else has written it", async () => {
    const pack = await PackInCluster.create(textOf("1.0.0"), canary(10));
    await pack.becomes({ phase: "Active" });
    const path = `/apis/${GROUP}/v1alpha1/namespaces/${pack.namespace}/promptpacks/prompts/status`;
    const status = { phase: "Failed", activeVersion: "0123456789ab" };
    expect((await cluster().server.request("PATCH", path, { status })).status).toBe(200);
    await pack.becomes({ phase: "Active", activeVersion: versionHash("1.0.0") });
  });

  it("of another schema than the operator's is told of once, and its agents keep what they have", async () => {
    const pack = await PackInCluster.create(textOf("1.0.0"));
    await pack.becomes({ phase: "Active" });
    const { promptPacks } = operator().caches;
    const stored = await vi.waitFor(() => {
      const found = promptPacks.get(pack.key);
      expect(found?.status?.phase).toBe("Active");
      return found;
    }, SOON);
    if (stored === undefined) throw new Error("unreachable");
    await settled();
    const metadata = { ...stored.metadata, resourceVersion: "another", generation: 2 };
    const spec = { ...stored.spec, later: true };
    promptPacks.set({ ...stored, metadata, spec });
    const warnings = async () =>
      (await cluster().list("Event", pack.namespace)).filter(({ type }) => type === "Warning");
    await vi.waitFor(async () => expect(await warnings()).toHaveLength(1), SOON);
    expect((await warnings())[0]).toMatchObject({
      reason: "InvalidSpec",
      note: expect.stringContaining("spec.later"),
    });
    const outcomes = () =>
      operator().reconciled.filter(({ outcome }) => outcome === "terminal_error");
    await vi.waitFor(() => expect(outcomes()).toHaveLength(1), SOON);
    operator().resync();
    await vi.waitFor(() => expect(outcomes()).toHaveLength(2), SOON);
    const since = Date.now();
    await settled();
    expect(await pack.writes(since)).toEqual([]);
    expect(await operator().promptPacks.reference(pack.key, operator().signal)).toMatchObject({
      found: true,
      versions: { active: { semver: "1.0.0" } },
    });
    promptPacks.set(stored);
    await settled();
    operator().reconciled.length = 0;
  });

  it("that is not there is found as soon as it is, and not any more when it is gone", async () => {
    const namespace = namespaces.peek();
    const key = `${namespace}/prompts`;
    const reference = () => operator().promptPacks.reference(key, operator().signal);
    expect(await reference()).toEqual({ found: false });
    const pack = await PackInCluster.create(textOf("1.0.0"));
    await vi.waitFor(() => expect(operator().told).toContain(key), SOON);
    expect(await reference()).toMatchObject({ found: true });
    await pack.becomes({ phase: "Active" });
    operator().told.length = 0;
    await cluster().delete(pack.object);
    await vi.waitFor(() => expect(operator().told).toContain(key), SOON);
    expect(await reference()).toEqual({ found: false });
  });
});

describe("a canary", () => {
  it("starts, changes its weight, and is promoted by weight 100", async () => {
    const pack = await PackInCluster.create(textOf("1.0.0"), canary(10));
    await pack.becomes({ phase: "Active", activeSemver: "1.0.0" });
    await pack.edit(textOf("2.0.0"));
    await pack.becomes({
      phase: "Canary",
      activeSemver: "1.0.0",
      canarySemver: "2.0.0",
      canaryWeight: 10,
    });
    await pack.rollOut(canary(50));
    await pack.becomes({ canaryWeight: 50, activeSemver: "1.0.0" });
    const reference = await operator().promptPacks.reference(pack.key, operator().signal);
    expect(reference).toMatchObject({
      versions: {
        active: { document: { version: "1.0.0" } },
        canary: { weight: 50, version: { document: { version: "2.0.0" } } },
      },
    });
    await pack.rollOut(canary(100));
    await pack.becomes({ phase: "Active", activeSemver: "2.0.0" });
    expect(await pack.status()).not.toHaveProperty("canaryVersion");
  });

  it("is promoted by strategy immediate, and ended by the old content", async () => {
    const pack = await PackInCluster.create(textOf("1.0.0"), canary(10));
    await pack.becomes({ phase: "Active" });
    await pack.edit(textOf("2.0.0"));
    await pack.becomes({ phase: "Canary" });
    await pack.edit(textOf("1.0.0"));
    await pack.becomes({ phase: "Active", activeSemver: "1.0.0" });
    await pack.edit(textOf("3.0.0"));
    await pack.becomes({ phase: "Canary", canarySemver: "3.0.0" });
    await pack.rollOut(immediate);
    await pack.becomes({ phase: "Active", activeSemver: "3.0.0" });
  });

  it("goes on after the operator was started again, also while the source is broken", async () => {
    const pack = await PackInCluster.create(textOf("1.0.0"), canary(10));
    await pack.becomes({ phase: "Active" });
    await pack.edit(textOf("2.0.0"));
    await pack.becomes({ phase: "Canary" });
    await settled();
    const before = await pack.status();
    const since = Date.now();
    await operator().stop();
    operator.replaceBy(await OperatorInProcess.start(cluster()));
    const versions = {
      active: { document: { version: "1.0.0" } },
      canary: { version: { document: { version: "2.0.0" } } },
    };
    const reference = () => operator().promptPacks.reference(pack.key, operator().signal);
    expect(await reference()).toMatchObject({ versions });
    await vi.waitFor(() => {
      expect(operator().reconciled.map(({ key }) => key)).toContain(pack.key);
    }, SOON);
    expect(await pack.status()).toEqual(before);
    expect(await pack.writes(since)).toEqual([]);
    await operator().stop();
    await pack.edit("{");
    operator.replaceBy(await OperatorInProcess.start(cluster()));
    expect(await reference()).toMatchObject({ versions });
    await pack.says("SourceValid", { status: "False" });
    await pack.becomes({ phase: "Canary", activeSemver: "1.0.0", canarySemver: "2.0.0" });
  });

  it("never falls back to an older choice while the cache has not seen what was written", async () => {
    const pack = await PackInCluster.create(textOf("1.0.0"), canary(10));
    await pack.becomes({ phase: "Active" });
    const chosen: string[] = [];
    const { promptPacks } = operator().caches;
    promptPacks.subscribe(({ after }) => {
      if (after?.metadata.namespace !== pack.namespace) return;
      const { activeSemver = "", canarySemver = "" } = after.status ?? {};
      const choice = `${activeSemver} ${canarySemver}`.trim();
      if (chosen.at(-1) !== choice) chosen.push(choice);
    });
    for (const version of ["2.0.0", "3.0.0", "4.0.0"]) await pack.edit(textOf(version));
    await pack.becomes({ canarySemver: "4.0.0" });
    await pack.rollOut(canary(100));
    await pack.edit(textOf("5.0.0"));
    await pack.rollOut(canary(20));
    await pack.edit(textOf("6.0.0"));
    await pack.becomes({ canarySemver: "6.0.0" });
    const active = chosen.map((choice) => choice.split(" ")[0] ?? "");
    expect(active).toEqual([...active].sort());
  });
});

describe("kept versions", () => {
  it("are ten at most, never without those that run", async () => {
    const pack = await PackInCluster.create(textOf("1.0.0"), canary(5));
    await pack.becomes({ phase: "Active" });
    for (let minor = 1; minor <= 12; minor += 1) {
      await pack.edit(textOf(`1.${minor}.0`));
      await pack.becomes({ canarySemver: `1.${minor}.0` });
    }
    await vi.waitFor(async () => expect(await pack.kept()).toHaveLength(MAX_KEPT_VERSIONS), SOON);
    const kept = await pack.kept();
    const newest = Array.from({ length: 9 }, (_, index) => `1.${12 - index}.0`);
    expect(kept.toSorted()).toEqual(["1.0.0", ...newest].map(versionHash).toSorted());
  });

  it("that run come back when somebody deletes them", async () => {
    const pack = await PackInCluster.create(textOf("1.0.0"), canary(10));
    await pack.becomes({ phase: "Active" });
    const [one, two] = [versionHash("1.0.0"), versionHash("2.0.0")];
    const comesBack = async (hash: string, text: string): Promise<void> => {
      const { metadata } = await cluster().get(pack.versionObject(hash));
      await cluster().delete(pack.versionObject(hash));
      await vi.waitFor(async () => {
        const back = await cluster().get(pack.versionObject(hash));
        expect(back?.metadata.uid).not.toBe(metadata.uid);
        expect(back?.data).toEqual({ [PACK_KEY]: text });
      }, SOON);
    };
    await comesBack(one, textOf("1.0.0"));
    await pack.edit(textOf("2.0.0"));
    await pack.becomes({ phase: "Canary" });
    await comesBack(one, textOf("1.0.0"));
    await comesBack(two, textOf("2.0.0"));
    await pack.edit("{");
    await pack.says("SourceValid", { status: "False" });
    await comesBack(two, textOf("2.0.0"));
    await pack.becomes({ phase: "Canary", activeSemver: "1.0.0", canarySemver: "2.0.0" });
  });

  it("never take over what is somebody else's, and say so until it is gone", async () => {
    const hash = versionHash("1.0.0");
    const namespace = namespaces.peek();
    const foreign = aConfigMapManifest({ name: `prompts-${hash}`, namespace }, { mine: "yes" });
    const pack = await PackInCluster.create();
    await cluster().create(foreign, pack.sourceWith(textOf("1.0.0")));
    await pack.becomes({ phase: "Active", activeSemver: "1.0.0" });
    await pack.says("SourceValid", {
      status: "True",
      message: expect.stringContaining(`ConfigMap "prompts-${hash}" that is somebody else's`),
    });
    const untouched = await cluster().get(foreign);
    expect(untouched.data).toEqual({ mine: "yes" });
    expect(untouched.metadata.ownerReferences).toBeUndefined();
    await cluster().delete(foreign);
    await vi.waitFor(async () => expect(await pack.kept()).toEqual([hash]), SOON);
    await pack.says("SourceValid", { message: expect.not.stringContaining("somebody else") });
  });

  it("do not come back in a namespace that is being deleted, and nothing fails for it", async () => {
    const pack = await PackInCluster.create(textOf("1.0.0"));
    await pack.becomes({ phase: "Active" });
    await settled();
    await cluster().delete({ kind: "Namespace", metadata: { name: pack.namespace } });
    const before = operator().reconciled.length;
    await cluster().delete(pack.versionObject(versionHash("1.0.0")));
    await vi.waitFor(() => expect(operator().reconciled.length).toBeGreaterThan(before), SOON);
    await settled();
    expect(
      operator()
        .reconciled.slice(before)
        .map(({ outcome }) => outcome),
    ).not.toContain("error");
    expect(await pack.condition("SourceValid")).toMatchObject({
      message: expect.not.stringContaining("not kept"),
    });
    await cluster().delete(pack.object);
  });

  it("that the API server refuses are told of, and the version runs all the same", async () => {
    const pack = await PackInCluster.create("{");
    const api = `/api/v1/namespaces/${pack.namespace}`;
    const hard = { "count/configmaps": "1" };
    const quota = { metadata: { name: "few" }, spec: { hard } };
    await cluster().server.request("POST", `${api}/resourcequotas`, quota);
    // Without its controller nobody counts: the quota needs a status before it is enforced.
    await cluster().server.request("PATCH", `${api}/resourcequotas/few/status`, {
      status: { hard, used: { "count/configmaps": "0" } },
    });
    let fillers = 0;
    await vi.waitFor(async () => {
      const metadata = { name: `filler-${fillers++}` };
      const { status } = await cluster().server.request("POST", `${api}/configmaps`, { metadata });
      expect(status).toBe(403);
    }, SOME_TIME);
    await pack.edit(textOf("1.0.0"));
    await pack.becomes({ phase: "Active", activeSemver: "1.0.0" });
    await pack.says("SourceValid", {
      status: "True",
      message: expect.stringContaining("is not kept, for the API server refuses"),
    });
    await cluster().delete(pack.object);
  });
});

describe("the agents of a PromptPack", () => {
  /** What the controller of agents does. */
  async function giveTo(pack: PackInCluster, name: string, versions: string): Promise<void> {
    const { metadata } = await cluster().get({ kind: "AgentRuntime", metadata: pack.at(name) });
    const config = aConfigMapManifest(pack.at(`${name}-config`), {});
    const { uid } = metadata;
    const owner = { apiVersion: `${GROUP}/v1alpha1`, kind: "AgentRuntime", name, uid };
    await cluster().create({
      ...config,
      metadata: {
        ...config.metadata,
        labels: agentLabels(name),
        annotations: { [PACK_VERSIONS_ANNOTATION]: versions },
        ownerReferences: [owner],
      },
    } as KubeObject);
  }

  it("are counted, in few writes however many there are", async () => {
    const pack = await PackInCluster.create(textOf("1.0.0"));
    await pack.says("AgentsNotified", { status: "True", reason: "NoAgents" });
    const names = Array.from({ length: 60 }, (_, index) => `agent-${index}`);
    const since = Date.now();
    for (const name of names) await cluster().create(anAgentManifest(pack.at(name)));
    for (const name of names) await giveTo(pack, name, versionHash("1.0.0"));
    await pack.says(
      "AgentsNotified",
      { status: "True", reason: "Notified", message: "Notified 60 AgentRuntimes" },
      SOME_TIME,
    );
    const seconds = (Date.now() - since) / 1_000;
    const writes = await pack.writes(since);
    const ofStatus = writes.filter((write) => write.startsWith("patch promptpacks/status"));
    expect(ofStatus.length).toBeLessThanOrEqual(Math.ceil(seconds * 2) + 1);
    await cluster().delete({ kind: "AgentRuntime", metadata: pack.at("agent-0") });
    await pack.says("AgentsNotified", { message: "Notified 59 AgentRuntimes" });
  });

  it("are being notified until they have the new version", async () => {
    const pack = await PackInCluster.create(textOf("1.0.0"));
    await cluster().create(anAgentManifest(pack.at("one")), anAgentManifest(pack.at("two")));
    await pack.says("AgentsNotified", {
      status: "False",
      reason: "Notifying",
      message: "Notified 0 of 2 AgentRuntimes",
    });
    await giveTo(pack, "one", versionHash("1.0.0"));
    await giveTo(pack, "two", versionHash("1.0.0"));
    await pack.says("AgentsNotified", { message: "Notified 2 AgentRuntimes" });
    operator().told.length = 0;
    await pack.edit(textOf("2.0.0"));
    await pack.says("AgentsNotified", { message: "Notified 0 of 2 AgentRuntimes" });
    // Told once of the version, and never of counts.
    expect(operator().told.filter((key) => key === pack.key)).toEqual([pack.key]);
  });
});

describe("the controller of PromptPacks", () => {
  it("writes nothing while nothing changes, a resync included", async () => {
    const packs = [
      await PackInCluster.create(textOf("1.0.0")),
      await PackInCluster.create("{"),
      await PackInCluster.create(),
      await PackInCluster.create(textOf("1.0.0"), canary(10)),
    ];
    await packs[3]?.becomes({ phase: "Active" });
    await packs[3]?.edit(textOf("2.0.0"));
    await packs[3]?.becomes({ phase: "Canary" });
    for (const pack of packs) {
      await vi.waitFor(async () => expect(await pack.condition("SourceValid")).toBeDefined(), SOON);
    }
    await settled();
    const since = Date.now();
    operator().resync();
    await settled();
    expect(await cluster().audit.writes({ by: OPERATOR_USER, since })).toEqual([]);
    // No reconciliation failed in all of these tests, but for the quota.
    const failed = operator().reconciled.filter(({ outcome }) => outcome.endsWith("error"));
    expect(failed.map(({ error }) => String(error)).filter((e) => !e.includes("quota"))).toEqual(
      [],
    );
  });
});

/** Until nothing was reconciled for a while. */
async function settled(): Promise<void> {
  for (let quiet = 0; quiet < 10;) {
    const before = operator().reconciled.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    quiet = operator().reconciled.length === before ? quiet + 1 : 0;
  }
}
