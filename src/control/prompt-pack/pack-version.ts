import { parsePromptPack } from "../../promptpack/check/parse-prompt-pack.ts";
import type { PromptPackDocument } from "../../promptpack/document/prompt-pack-document.ts";

/** One accepted version of a PromptPack. It never changes. */
export interface PackVersion {
  /** Content hash, 12 hex digits. */
  readonly hash: string;
  /** The version that the content gives itself. */
  readonly semver: string;
  readonly document: PromptPackDocument;
}

/** A version with the text that was accepted, JSON or YAML. */
export interface WrittenVersion extends PackVersion {
  readonly content: string;
}

/** A version that is kept and was not read: no more than its hash is known. */
export interface UnreadVersion {
  readonly hash: string;
  readonly document?: undefined;
}

/** A version on trial. */
export interface CanaryVersion {
  /** Percentage of the new sessions. */
  readonly weight: number;
  readonly version: PackVersion;
  /** Names its step to the agents, which count anew in each. `undefined` where nothing is counted. */
  readonly trial?: string | undefined;
}

/** The versions of a PromptPack that agents are to run now. */
export interface RunningVersions {
  readonly active?: PackVersion | undefined;
  readonly canary?: CanaryVersion | undefined;
}

/**
 * The version in a text that was kept under the hash; `undefined` when the text does not hold it any more. `parsed` is the text as
 * a pack, where that was found out before.
 */
export function readVersion(
  hash: string,
  content: string | undefined,
  parsed = content === undefined ? undefined : parsePromptPack(content),
): WrittenVersion | undefined {
  if (content === undefined || parsed === undefined) return undefined;
  if (!parsed.ok || parsed.hash !== hash) return undefined;
  return { hash, semver: parsed.pack.version, document: parsed.pack, content };
}
