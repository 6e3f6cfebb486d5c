import type { AgentConfig } from "../../agent-config/agent-config.ts";
import type { PromptPack } from "../../api/prompt-pack.ts";
import {
  type CrossNamespaceReferences,
  isGranted,
  type NamespaceFacts,
} from "../namespace-grant.ts";
import type { AgentCounts } from "./agents-notified.ts";
import type { RunningVersions } from "./pack-version.ts";

/**
 * Names the versions in one text: "<active>" or "<active> <canary>@<weight>", with "#<trial>" where the canary has steps, and ""
 * when no version runs. The text is compared as a whole and never taken apart.
 */
export function versionsText({ active, canary }: RunningVersions): string {
  const trial = canary === undefined ? [] : [canaryText(canary.version.hash, canary)];
  return active === undefined ? "" : [active.hash, ...trial].join(" ");
}

/** Does the same for the versions that an agent runs. */
export function versionsTextOfConfig({ prompt }: AgentConfig): string {
  if (prompt === undefined) return "";
  const { active, canary } = prompt;
  const trial = canary === undefined ? [] : [canaryText(canary.prompt.version, canary)];
  return [active.version, ...trial].join(" ");
}

function canaryText(
  version: string,
  { weight, trial }: { weight: number; trial?: string | undefined },
): string {
  return `${version}@${weight}${trial === undefined ? "" : `#${trial}`}`;
}

/**
 * Counts the agents whose configs have these versions. `running` has one text for each agent that refers to the pack, `undefined`
 * for an agent that has no config yet. `refused` more agents refer to it that may not.
 */
export function countAgents(
  running: readonly (string | undefined)[],
  versions: RunningVersions,
  refused = 0,
): AgentCounts {
  const wanted = versionsText(versions);
  const notified = wanted === "" ? [] : running.filter((text) => text === wanted);
  return { referencing: running.length, notified: notified.length, refused };
}

export interface ReferringAgent {
  readonly from: NamespaceFacts;
  /** As for `countAgents`. */
  readonly running: string | undefined;
}

/** Counts the agents that refer to a pack: those that may do so, by the versions that they run, and those that may not. */
export function countReferringAgents(
  { metadata, spec }: PromptPack,
  referring: readonly ReferringAgent[],
  crossNamespaceReferences: CrossNamespaceReferences,
  versions: RunningVersions,
): AgentCounts {
  const object = { namespace: metadata.namespace, allowedNamespaces: spec.allowedNamespaces };
  const granted = referring.filter(({ from }) => isGranted(object, from, crossNamespaceReferences));
  const running = granted.map((agent) => agent.running);
  return countAgents(running, versions, referring.length - granted.length);
}
