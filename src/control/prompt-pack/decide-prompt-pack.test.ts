import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ConditionReason } from "../../api/conditions.ts";
import { CONDITIONS } from "../../api/conditions.ts";
import type { PromptPack } from "../../api/prompt-pack.ts";
import { MAX_PACK_BYTES } from "../../promptpack/check/parse-prompt-pack.ts";
import { aPackText } from "../../../test/support/builders/a-pack.ts";
import { aPromptPack } from "../../../test/support/builders/resources.ts";
import {
  decidePromptPack,
  type PromptPackDecision,
  type PromptPackInput,
  versionsToRead,
} from "./decide-prompt-pack.ts";
import type { PackVersion, RunningVersions } from "./pack-version.ts";
import { type PackSource, packSource } from "./pack-source.ts";
import { MAX_KEPT_VERSIONS } from "./version-retention.ts";

const NOW = Date.parse("2026-03-01T12:00:00.250Z");
const LATER = NOW + 60_000;
const KEY = "promptpack.json";

const content = (version: string): string => aPackText({ version });
const source = (text: string): PackSource => packSource(aPromptPack(), { [KEY]: text });
const canary = (weight: number) => ({ rollout: { strategy: "canary", canary: { weight } } });

function decide(given: Partial<PromptPackInput> = {}): PromptPackDecision {
  return decidePromptPack({
    promptPack: aPromptPack(),
    source: source(content("1.0.0")),
    previous: [],
    agents: () => ({ referencing: 0, notified: 0 }),
    now: NOW,
    ...given,
  });
}

/** A pack with a history: each decision sees what the last one left. */
class Pack {
  spec: Record<string, unknown> = {};
  status: PromptPack["status"];
  kept: PackVersion[] = [];

  decide(at: PackSource, spec = this.spec): PromptPackDecision {
    this.spec = spec;
    const decision = decide({ ...this.facts(at), previous: this.kept });
    this.status = decision.status;
    this.kept = keptAfter(decision, this.kept);
    return decision;
  }

  facts(at: PackSource): Pick<PromptPackInput, "promptPack" | "source" | "previous"> {
    const promptPack = aPromptPack({ spec: this.spec, status: this.status });
    return { promptPack, source: at, previous: this.kept };
  }
}

function keptAfter({ keep, versions }: PromptPackDecision, before: readonly PackVersion[]) {
  const known = [versions.active, versions.canary?.version, ...before];
  return keep.flatMap((hash) => known.find((version) => version?.hash === hash) ?? []);
}

/** What somebody may do to a pack. */
function aChange() {
  const sources = {
    gone: { found: false } as const,
    broken: source("{"),
    one: source(content("1.0.0")),
    two: source(content("2.0.0")),
    three: source(content("3.0.0")),
  };
  return fc.record({
    at: fc.constantFrom<PackSource[]>(...Object.values(sources)),
    spec: fc.constantFrom({}, canary(0), canary(50), canary(100)),
  });
}

const condition = ({ status }: PromptPackDecision, type: string) =>
  status.conditions?.find((one) => one.type === type);

interface Case {
  says: string;
  given: Partial<PromptPackInput>;
  type: "SourceValid" | "AgentsNotified";
  reason:
    | ConditionReason<"PromptPack", "SourceValid">
    | ConditionReason<"PromptPack", "AgentsNotified">;
  phase: string;
  message: string;
}

const CASES: Case[] = [
  {
    says: "a pack that is read",
    given: {},
    type: "SourceValid",
    reason: "Valid",
    phase: "Active",
    message:
      'ConfigMap "prompts-content", key "promptpack.json" holds the valid pack "customer-service" 1.0.0',
  },
  {
    says: "a ConfigMap that is not there yet",
    given: { source: { found: false } },
    type: "SourceValid",
    reason: "ConfigMapNotFound",
    phase: "Pending",
    message: 'ConfigMap "prompts-content" is not there; make it in namespace "agents"',
  },
  {
    says: "a ConfigMap without the key",
    given: { source: packSource(aPromptPack(), { "pack.json": "" }) },
    type: "SourceValid",
    reason: "KeyNotFound",
    phase: "Failed",
    message: 'has no key "promptpack.json"; it has "pack.json"',
  },
  {
    says: "a text that is no JSON",
    given: { source: source('{\n "id": }') },
    type: "SourceValid",
    reason: "InvalidJSON",
    phase: "Failed",
    message: "line 2, column 8",
  },
  {
    says: "a pack with a wrong field",
    given: { source: source(aPackText({ id: "X" })) },
    type: "SourceValid",
    reason: "InvalidPack",
    phase: "Failed",
    message: "id: must be of a-z",
  },
  {
    says: "a pack that is too large",
    given: { source: source("x".repeat(MAX_PACK_BYTES + 1)) },
    type: "SourceValid",
    reason: "TooLarge",
    phase: "Failed",
    message: "1000 kB",
  },
  {
    says: "a pack that no agent uses",
    given: {},
    type: "AgentsNotified",
    reason: "NoAgents",
    phase: "Active",
    message: "No AgentRuntime",
  },
  {
    says: "agents that have not heard of it yet",
    given: { agents: () => ({ referencing: 3, notified: 1 }) },
    type: "AgentsNotified",
    reason: "Notifying",
    phase: "Active",
    message: "Notified 1 of 3 AgentRuntimes",
  },
  {
    says: "agents that have all heard of it",
    given: { agents: () => ({ referencing: 3, notified: 3 }) },
    type: "AgentsNotified",
    reason: "Notified",
    phase: "Active",
    message: "Notified 3 AgentRuntimes",
  },
];

describe("the status of a PromptPack", () => {
  it.each(CASES)("tells of $says: $reason", ({ given, type, reason, phase, message }) => {
    const decision = decide(given);
    const reasons: { true: readonly string[] } = CONDITIONS.PromptPack[type];
    expect(condition(decision, type)).toMatchObject({
      status: reasons.true.includes(reason) ? "True" : "False",
      reason,
      message: expect.stringContaining(message) as string,
      observedGeneration: 1,
      lastTransitionTime: "2026-03-01T12:00:00Z",
    });
    expect(decision.status.phase).toBe(phase);
  });

  it("knows every reason of the table", () => {
    for (const [type, reasons] of Object.entries(CONDITIONS.PromptPack)) {
      const told = CASES.filter((one) => one.type === type).map(({ reason }) => reason);
      expect(told.toSorted()).toEqual([...reasons.true, ...reasons.notTrue].toSorted());
    }
  });

  it("counts the agents of the versions that it chose, once", () => {
    const counted: RunningVersions[] = [];
    const { versions } = decide({
      agents: (chosen) => {
        counted.push(chosen);
        return { referencing: 0, notified: 0 };
      },
    });
    expect(versions.active?.semver).toBe("1.0.0");
    expect(counted).toEqual([versions]);
  });

  it("names warnings, and is valid all the same", () => {
    const text = aPackText({ template_engine: { version: "v1", syntax: "jinja" } });
    const found = condition(decide({ source: source(text) }), "SourceValid");
    expect(found).toMatchObject({ status: "True" });
    expect(found?.message).toContain("only {{variable}} is rendered");
  });

  it("names what is not run, and is valid all the same", () => {
    const text = aPackText({ skills: ["./skills"] });
    expect(condition(decide({ source: source(text) }), "SourceValid")).toMatchObject({
      status: "True",
      message: expect.stringMatching(/\. Not run: skills\[0\]$/) as string,
    });
  });

  it("keeps the time of a condition while its status stays, and carries the generation", () => {
    const { status } = decide();
    const promptPack = aPromptPack({ metadata: { generation: 2 }, status });
    const second = decide({
      promptPack,
      source: { found: false },
      previous: keptAfter(decide(), []),
      now: LATER,
    });
    expect(condition(second, "SourceValid")).toMatchObject({
      status: "False",
      lastTransitionTime: "2026-03-01T12:01:00Z",
      observedGeneration: 2,
    });
    expect(condition(second, "AgentsNotified")?.lastTransitionTime).toBe("2026-03-01T12:00:00Z");
  });
});

describe("the versions of a PromptPack", () => {
  it("with strategy immediate follow the source", () => {
    const pack = new Pack();
    const first = pack.decide(source(content("1.0.0")));
    const second = pack.decide(source(content("2.0.0")));
    expect(second.status).toMatchObject({ phase: "Active", activeSemver: "2.0.0" });
    expect(second.status.activeVersion).not.toBe(first.status.activeVersion);
    expect(pack.kept.map(({ semver }) => semver)).toEqual(["2.0.0", "1.0.0"]);
  });

  it("outlive a source that breaks or goes", () => {
    const pack = new Pack();
    pack.decide(source(content("1.0.0")));
    for (const broken of [source("{"), source(aPackText({ id: 1 })), { found: false } as const]) {
      const decision = pack.decide(broken);
      expect(decision.status).toMatchObject({ phase: "Active", activeSemver: "1.0.0" });
      expect(decision.versions.active?.semver).toBe("1.0.0");
      const found = condition(decision, "SourceValid");
      expect(found?.status).toBe("False");
      expect(found?.message).toContain("Version 1.0.0 goes on serving");
    }
  });

  it("with strategy canary begin with an active one, and try the next", () => {
    const pack = new Pack();
    expect(pack.decide(source(content("1.0.0")), canary(20)).status).toMatchObject({
      phase: "Active",
      activeSemver: "1.0.0",
    });
    const trial = pack.decide(source(content("2.0.0")));
    expect(trial.status).toMatchObject({
      phase: "Canary",
      activeSemver: "1.0.0",
      canarySemver: "2.0.0",
      canaryWeight: 20,
    });
    expect(trial.versions.canary).toMatchObject({ weight: 20, version: { semver: "2.0.0" } });
    const next = pack.decide(source(content("3.0.0")));
    expect(next.status).toMatchObject({ activeSemver: "1.0.0", canarySemver: "3.0.0" });
  });

  it("keep a canary of weight 0, which gets no sessions", () => {
    const pack = new Pack();
    pack.decide(source(content("1.0.0")), canary(0));
    expect(pack.decide(source(content("2.0.0"))).status).toMatchObject({
      phase: "Canary",
      canaryWeight: 0,
      activeSemver: "1.0.0",
    });
  });

  it.each([
    ["weight 100", canary(100)],
    ["strategy immediate", { rollout: { strategy: "immediate" } }],
  ])("promote a canary by %s, also while the source is broken", (_how, spec) => {
    for (const after of [source(content("2.0.0")), source("{")]) {
      const pack = new Pack();
      pack.decide(source(content("1.0.0")), canary(20));
      pack.decide(source(content("2.0.0")));
      const { status, versions } = pack.decide(after, spec);
      expect(status).toMatchObject({ phase: "Active", activeSemver: "2.0.0" });
      expect(status).not.toHaveProperty("canaryVersion");
      expect(versions.canary).toBeUndefined();
    }
  });

  it("go on with a canary while the source is broken, and end it when the source goes back", () => {
    const pack = new Pack();
    pack.decide(source(content("1.0.0")), canary(20));
    pack.decide(source(content("2.0.0")));
    expect(pack.decide(source("{")).status).toMatchObject({
      phase: "Canary",
      canarySemver: "2.0.0",
    });
    expect(pack.decide(source(content("1.0.0"))).status).toMatchObject({
      phase: "Active",
      activeSemver: "1.0.0",
    });
  });

  it("take the newest kept one when the status was lost", () => {
    const pack = new Pack();
    pack.decide(source(content("1.0.0")));
    pack.decide(source(content("2.0.0")));
    pack.status = undefined;
    expect(pack.decide({ found: false }).status).toMatchObject({
      phase: "Active",
      activeSemver: "2.0.0",
    });
  });

  it("are kept up to a number, never without those that run", () => {
    const pack = new Pack();
    pack.decide(source(content("1.0.0")), canary(5));
    for (let minor = 1; minor <= 20; minor += 1) pack.decide(source(content(`1.${minor}.0`)));
    expect(pack.kept).toHaveLength(MAX_KEPT_VERSIONS);
    const kept = pack.kept.map(({ semver }) => semver);
    expect(kept).toContain("1.0.0");
    expect(kept).toContain("1.20.0");
    expect(kept).not.toContain("1.5.0");
  });

  it("say when the newest one cannot be kept, and run it all the same", () => {
    const decision = decide({ notKept: "it is not kept, for a reason" });
    expect(condition(decision, "SourceValid")).toMatchObject({
      status: "True",
      message: expect.stringContaining("; it is not kept, for a reason") as string,
    });
    expect(decision.versions.active?.semver).toBe("1.0.0");
  });

  it("are decided alike when no more of the kept ones were read than need be", () => {
    fc.assert(
      fc.property(fc.array(aChange(), { minLength: 1, maxLength: 8 }), (changes) => {
        const pack = new Pack();
        for (const { at, spec } of changes) {
          pack.spec = spec;
          const facts = pack.facts(at);
          const read = versionsToRead({
            ...facts,
            previous: facts.previous.map(({ hash }) => ({ hash })),
          });
          const previous = pack.kept.map((version) =>
            read.includes(version.hash) ? version : { hash: version.hash },
          );
          const sparing = decide({ ...facts, previous });
          expect(sparing).toEqual(pack.decide(at, spec));
        }
      }),
    );
  });

  it("need nothing of what is kept while the source is all that runs", () => {
    const pack = new Pack();
    pack.decide(source(content("1.0.0")));
    pack.decide(source(content("2.0.0")));
    expect(versionsToRead(pack.facts(source(content("2.0.0"))))).toEqual([]);
    expect(versionsToRead(pack.facts(source(content("3.0.0"))))).toEqual([]);
    expect(versionsToRead(pack.facts({ found: false }))).toEqual([pack.status?.activeVersion]);
  });

  it("are decided alike a second time, whatever came before", () => {
    fc.assert(
      fc.property(fc.array(aChange(), { minLength: 1, maxLength: 8 }), (changes) => {
        const pack = new Pack();
        for (const { at, spec } of changes) {
          const first = pack.decide(at, spec);
          const promptPack = aPromptPack({ spec: pack.spec, status: pack.status });
          const second = decide({ promptPack, source: at, previous: pack.kept, now: LATER });
          expect(second).toEqual(first);
          const hashes = first.keep;
          const running = [first.versions.active, first.versions.canary?.version];
          expect(hashes).toEqual(expect.arrayContaining(running.flatMap((one) => one?.hash ?? [])));
        }
      }),
    );
  });
});

describe("previousVersion of the status", () => {
  const texts = ["1.0.0", "2.0.0", "3.0.0", "4.0.0"].map(content);
  const hashes = texts.map((text) => {
    const read = source(text);
    return read.found && read.parsed?.ok === true ? read.parsed.hash : "";
  });
  const [one, two, three] = hashes;
  const edit = (pack: Pack, index: number, spec?: Record<string, unknown>) =>
    pack.decide(source(texts[index] ?? ""), spec).status.previousVersion;

  it("is the version that was active before, also one that was gone back to", () => {
    const pack = new Pack();
    expect(edit(pack, 0)).toBeUndefined();
    expect(edit(pack, 1)).toBe(one);
    expect(edit(pack, 2)).toBe(two);
    expect(edit(pack, 1)).toBe(three);
    expect(edit(pack, 3)).toBe(two);
    expect(edit(pack, 3)).toBe(two);
  });

  it("changes with a canary only when that is promoted", () => {
    const pack = new Pack();
    edit(pack, 0);
    expect(edit(pack, 1, canary(20))).toBeUndefined();
    expect(edit(pack, 1, canary(100))).toBe(one);
  });

  it("stays while the source is broken or gone", () => {
    const pack = new Pack();
    edit(pack, 0);
    edit(pack, 1);
    expect(pack.decide(source("{")).status.previousVersion).toBe(one);
    expect(pack.decide({ found: false }).status.previousVersion).toBe(one);
  });
});

describe("a version that was rolled back to", () => {
  it("runs in place of the content of the source, and SourceValid says so", () => {
    const pack = new Pack();
    pack.decide(source(content("1.0.0")));
    const { versions } = pack.decide(source(content("2.0.0")));
    const two = versions.active?.hash;
    const [, one] = pack.kept;
    const decision = decide({ ...pack.facts(source(content("2.0.0"))), rolledBackTo: one });
    expect(decision.versions).toEqual({ active: one });
    expect(decision.keep).toEqual([one?.hash, two]);
    expect(decision.status).toMatchObject({ activeSemver: "1.0.0", previousVersion: two });
    expect(condition(decision, "SourceValid")).toMatchObject({
      status: "True",
      message: expect.stringContaining(
        `2.0.0; it was rolled back, and version 1.0.0 (${one?.hash}) runs until its text changes`,
      ),
    });
  });
});
