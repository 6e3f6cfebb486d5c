/**
 * The pure decision about a PromptPack: which versions run, which are kept, and its status.
 *
 * Every valid content of the source is a version. With strategy `immediate` the newest one is active. With `canary` the
 * active one stays, and the newest one gets `weight` percent of the sessions. A canary ends in one of three ways:
 *  - weight 100 promotes it. A version that no session sees any more is not worth a state of its own: the way back is
 *    the same as from any active version, to put the old content into the source again;
 *  - the strategy `immediate` promotes it;
 *  - the source goes back to the active content, and there is no canary.
 * Weight 0 keeps the canary, and gives it nothing.
 *
 * A source that is broken or gone changes no agent: the newest version that was valid counts as the source.
 */
import type { PromptPack, PromptPackStatus } from "../api/prompt-pack.ts";
import { type ParsedPromptPack, parsePromptPack } from "../promptpack/parse-prompt-pack.ts";
import { type Finding, holds, toConditions } from "./condition.ts";
import { agentsNotified } from "./conditions/agents-notified.ts";
import { sourceValid } from "./conditions/source-valid.ts";
import { type KeptVersion, MAX_KEPT_VERSIONS, type PackVersions } from "./kept-version.ts";

export interface PromptPackInput {
  /** Its `status` is the last one written. */
  promptPack: PromptPack;
  /** The ConfigMap. */
  source: PackSource;
  /** Newest first. */
  previous: readonly KeptVersion[];
  agents: { referencing: number; notified: number };
  /** Milliseconds since 1970. */
  now: number;
}

export type PackSource = { found: false } | { found: true; data: Readonly<Record<string, string>> };

export interface PromptPackDecision {
  status: PromptPackStatus;
  versions: PackVersions;
  /** What is to be kept, newest first; what is not in here may go. */
  keep: KeptVersion[];
}

export function decidePromptPack(input: PromptPackInput): PromptPackDecision {
  const { promptPack, source, previous, agents, now } = input;
  const content = readContent(promptPack, source);
  const parsed = content === undefined ? undefined : parsePromptPack(content);
  const candidate = parsed?.ok === true ? toVersion(parsed, content ?? "") : undefined;
  const versions = chooseVersions(promptPack, candidate, previous);

  const findings: Finding<"PromptPack">[] = [
    sourceValid({ promptPack, source, parsed, versions }),
    agentsNotified(agents),
  ];
  const generation = promptPack.metadata.generation ?? 1;
  const conditions = toConditions("PromptPack", findings, {
    previous: promptPack.status?.conditions,
    generation,
    now,
  });
  const [validity] = findings;
  const isValid = validity !== undefined && holds("PromptPack", validity);
  return {
    status: {
      phase: phaseOf(versions, isValid || !source.found),
      ...statusOf(versions),
      observedGeneration: generation,
      conditions,
    },
    versions,
    keep: chooseKept(versions, candidate, previous),
  };
}

function readContent({ spec }: PromptPack, source: PackSource): string | undefined {
  const { key } = spec.source.configMapRef;
  return source.found && Object.hasOwn(source.data, key) ? source.data[key] : undefined;
}

function toVersion(
  { pack, hash }: Extract<ParsedPromptPack, { ok: true }>,
  content: string,
): KeptVersion {
  return { hash, semver: pack.version, document: pack, content };
}

function chooseVersions(
  { spec, status }: PromptPack,
  candidate: KeptVersion | undefined,
  previous: readonly KeptVersion[],
): PackVersions {
  const kept = (hash: string | undefined): KeptVersion | undefined =>
    previous.find((version) => version.hash === hash);
  const stable = kept(status?.activeVersion);
  const newest = candidate ?? kept(status?.canaryVersion) ?? stable ?? previous[0];
  if (newest === undefined) return {};
  const { strategy, canary } = spec.rollout;
  const weight = canary?.weight ?? 0;
  const isTrial =
    strategy === "canary" && weight < 100 && stable !== undefined && stable.hash !== newest.hash;
  return isTrial ? { active: stable, canary: { weight, version: newest } } : { active: newest };
}

function chooseKept(
  { active, canary }: PackVersions,
  candidate: KeptVersion | undefined,
  previous: readonly KeptVersion[],
): KeptVersion[] {
  const kept = new Map<string, KeptVersion>();
  // What runs is never dropped; the content of a version that is kept already stays as it is written there.
  for (const version of [canary?.version, active, candidate, ...previous]) {
    if (version === undefined || kept.has(version.hash)) continue;
    if (kept.size === MAX_KEPT_VERSIONS) break;
    kept.set(version.hash, previous.find(({ hash }) => hash === version.hash) ?? version);
  }
  return [...kept.values()];
}

/** Without a version: a source that is not there may still come, one that is wrong has failed. */
function phaseOf(
  { active, canary }: PackVersions,
  mayStillCome: boolean,
): PromptPackStatus["phase"] {
  if (canary !== undefined) return "Canary";
  if (active !== undefined) return "Active";
  return mayStillCome ? "Pending" : "Failed";
}

function statusOf({ active, canary }: PackVersions): PromptPackStatus {
  return {
    ...(active === undefined ? {} : { activeVersion: active.hash, activeSemver: active.semver }),
    ...(canary === undefined
      ? {}
      : {
          canaryVersion: canary.version.hash,
          canarySemver: canary.version.semver,
          canaryWeight: canary.weight,
        }),
  };
}
