import type { AgentConfig } from "../../agent-config/agent-config.ts";
import type { PackVersions } from "./pack-version.ts";

/** "<active>" or "<active> <canary>@<weight>"; "" when no version runs. Compared as a whole, never taken apart. */
export function versionsText({ active, canary }: PackVersions): string {
  const trial = canary === undefined ? [] : [`${canary.version.hash}@${canary.weight}`];
  return active === undefined ? "" : [active.hash, ...trial].join(" ");
}

/** The same for the versions that an agent runs. */
export function versionsTextOfConfig({ prompt }: AgentConfig): string {
  if (prompt === undefined) return "";
  const { active, canary } = prompt;
  const trial = canary === undefined ? [] : [`${canary.prompt.version}@${canary.weight}`];
  return [active.version, ...trial].join(" ");
}
