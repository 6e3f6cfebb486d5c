import { PROMPT_PACK } from "../../api/group.ts";
import {
  type PromptPack,
  promptPackSpecSchema,
  type PromptPackStatus,
} from "../../api/prompt-pack.ts";
import {
  decideVersions,
  type PackFacts,
  type VersionsDecision,
  versionsToRead,
} from "../../control/prompt-pack/decide-prompt-pack.ts";
import type { PackVersion, UnreadVersion } from "../../control/prompt-pack/pack-version.ts";
import type { KubernetesObject } from "../../kube/client/object.ts";
import { contentHash } from "../../promptpack/document/content-hash.ts";
import { versionsText } from "../../control/prompt-pack/versions-text.ts";
import { Decisions } from "../cluster/decisions.ts";
import type { StoredPromptPack } from "../cluster/kubernetes-objects.ts";
import type { OperatorContext } from "../cluster/operator-context.ts";
import { readSpec, toResource } from "../cluster/read-stored.ts";
import { sourceOf } from "../cluster/references-of.ts";
import type { WrittenStatuses } from "../cluster/written-statuses.ts";
import { type VersionConfigMaps, type OtherHolder, versionOf } from "./version-config-maps.ts";
import type { PackParser } from "./pack-parser.ts";
import { readSource, type SourceReading } from "./source-reader.ts";

/** A version that runs. It has its content if it was read from a ConfigMap of a kept version. */
type HeldVersion = PackVersion & { readonly content?: string | undefined };

export interface PackDecision extends VersionsDecision {
  readonly facts: PackFacts;
  readonly reading: SourceReading;
  /** Hash → version, for those that run. No other version is in memory. */
  readonly held: ReadonlyMap<string, HeldVersion>;
}

export interface PackOutcome {
  readonly stored: StoredPromptPack;
  /** `undefined`: no spec of the object could ever be read. */
  readonly decision: PackDecision | undefined;
  /** Why the spec could not be read. The decision is then about an earlier spec. */
  readonly problem?: string;
}

type PackWorld = readonly [
  stored: StoredPromptPack,
  status: PromptPackStatus | undefined,
  source: KubernetesObject | undefined,
  kept: string,
  holder: OtherHolder,
];

export type PackDecisions = Decisions<PackWorld, PackOutcome>;

export function createPackDecisions(
  { client, caches }: Pick<OperatorContext, "client" | "caches">,
  parts: {
    statuses: WrittenStatuses<PromptPackStatus>;
    versionConfigMaps: VersionConfigMaps;
    parser: PackParser;
  },
): PackDecisions {
  const { statuses, versionConfigMaps, parser } = parts;

  async function decide(
    [stored, status, sourceThere]: PackWorld,
    spec: PromptPack["spec"],
    before: PackDecision | undefined,
    signal: AbortSignal,
  ): Promise<PackDecision> {
    const promptPack = toResource(PROMPT_PACK, stored, spec, status);
    const kept = versionConfigMaps.of(stored).flatMap((version) => versionOf(version)?.hash ?? []);
    const isKeepable = (hash: string): boolean =>
      !kept.includes(hash) && versionConfigMaps.otherHolder(stored, hash) === "nobody";
    const reusable = isContentAtHand(before?.reading, isKeepable) ? before?.reading : undefined;
    const reading = await readSource({ client, parser }, promptPack, sourceThere, reusable, signal);
    const { source } = reading;
    const newest = hashIn(reading);

    const held = new Map(before?.held);
    const hashes = [...new Set([...kept, ...held.keys()])];
    const previous = (): (PackVersion | UnreadVersion)[] =>
      hashes.map((hash) => held.get(hash) ?? { hash });
    for (const hash of versionsToRead({ promptPack, source, previous: previous() })) {
      // Its text is kept in memory too. If somebody deletes the ConfigMap, no other copy is left.
      if (held.get(hash)?.content !== undefined || !kept.includes(hash)) continue;
      const version = await versionConfigMaps.read(stored, hash, signal);
      if (version !== undefined) held.set(hash, version);
    }

    const facts: PackFacts = {
      promptPack,
      source,
      previous: previous(),
      notKept:
        newest !== undefined && versionConfigMaps.otherHolder(stored, newest) === "stranger"
          ? nameTaken(stored, newest)
          : undefined,
    };
    const decision = decideVersions(facts);
    return {
      ...decision,
      facts,
      reading: withoutKept(reading, isKeepable),
      held: runningOf(decision, held, newest),
    };
  }

  return new Decisions<PackWorld, PackOutcome>({
    gather(key, before) {
      const stored = caches.promptPacks.get(key);
      if (stored === undefined) return undefined;
      const kept = versionConfigMaps.of(stored).map(({ metadata }) => metadata.name);
      const newest = before?.decision && hashIn(before.decision.reading);
      const holder =
        newest === undefined ? "nobody" : versionConfigMaps.otherHolder(stored, newest);
      const source = caches.configMaps.get(sourceOf(stored) ?? "");
      return [stored, statuses.of(stored), source, kept.join(), holder];
    },
    async decide(_key, world, before, signal) {
      const [stored] = world;
      const isSameObject = before?.stored.metadata.uid === stored.metadata.uid;
      const last = isSameObject ? before?.decision : undefined;
      const read = readSpec(promptPackSpecSchema, stored.spec);
      if (!read.ok) return { stored, decision: last, problem: read.problem };
      return { stored, decision: await decide(world, read.spec, last, signal) };
    },
    toText({ decision }) {
      if (decision === undefined) return "";
      const { versions, validity, facts } = decision;
      const { allowedNamespaces, rollout } = facts.promptPack.spec;
      const { reason, message } = validity;
      const running = [versionsText(versions), rollout.strategy, rollout.evals];
      return contentHash([running, reason, message, allowedNamespaces]);
    },
  });
}

/** The hash of the valid content. */
export function hashIn({ source }: SourceReading): string | undefined {
  return source.found && source.parsed?.ok === true ? source.parsed.hash : undefined;
}

/** Whether the reading still has the text, where the version has to be kept. */
function isContentAtHand(
  reading: SourceReading | undefined,
  isKeepable: (hash: string) => boolean,
): boolean {
  const hash = reading && hashIn(reading);
  return hash === undefined || reading?.content !== undefined || !isKeepable(hash);
}

function withoutKept(reading: SourceReading, isKeepable: (hash: string) => boolean): SourceReading {
  const hash = hashIn(reading);
  const isNeeded = hash !== undefined && isKeepable(hash);
  return isNeeded || reading.content === undefined ? reading : { ...reading, content: undefined };
}

/** The versions that run. The version that the source holds is not held in memory a second time. */
function runningOf(
  { versions: { active, canary } }: VersionsDecision,
  held: ReadonlyMap<string, HeldVersion>,
  newest: string | undefined,
): Map<string, HeldVersion> {
  const running = [active, canary?.version].filter((version) => version !== undefined);
  return new Map(
    running.map((version) => {
      const { hash } = version;
      return [hash, (hash === newest ? undefined : held.get(hash)) ?? version];
    }),
  );
}

function nameTaken({ metadata }: StoredPromptPack, hash: string): string {
  const configMap = `${metadata.name}-${hash}`;
  return `this version is not kept, for a ConfigMap "${configMap}" that is somebody else's is in the way; delete or rename it`;
}
