import type { AgentConfig } from "../../agent-config/agent-config.ts";
import type { AgentCounts } from "./agents-notified.ts";
import type { RunningVersions } from "./pack-version.ts";

/**
 * Names the versions in one text: "<active>" or "<active> <canary>@<weight>", and "" when no version runs. The text is compared
 * as a whole and never taken apart.
 */
export function versionsText({ active, canary }: RunningVersions): string {
  const trial = canary === undefined ? [] : [`${canary.version.hash}@${canary.weight}`];
  return active === undefined ? "" : [active.hash, ...trial].join(" ");
}

/** Does the same for the versions that an agent runs. */
export function versionsTextOfConfig({ prompt }: AgentConfig): string {
  if (prompt === undefined) return "";
  const { active, canary } = prompt;
  const trial = canary === undefined ? [] : [`${canary.prompt.version}@${canary.weight}`];
  return [active.version, ...trial].join(" ");
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
