/** The pure decision about a PromptPack: which versions run, which are kept, and its status. */
import type { PromptPack, PromptPackStatus } from "../api/prompt-pack.ts";
import type { KeptVersion, PackVersions } from "./kept-version.ts";

export interface PromptPackInput {
  /** Its `status` is the last one written. */
  promptPack: PromptPack;
  /** The ConfigMap. */
  source: { found: false } | { found: true; data: Readonly<Record<string, string>> };
  /** Newest first. */
  previous: readonly KeptVersion[];
  agents: { referencing: number; notified: number };
  /** Milliseconds since 1970. */
  now: number;
}

export interface PromptPackDecision {
  status: PromptPackStatus;
  versions: PackVersions;
  /** What is to be kept, newest first; what is not in here may go. */
  keep: KeptVersion[];
}

export function decidePromptPack(_input: PromptPackInput): PromptPackDecision {
  throw new Error("not yet written");
}
