import type { PackVersions } from "../../control/kept-version.ts";

/** "<active>" or "<active> <canary>@<weight>"; "" when no version runs. Compared as a whole, never taken apart. */
export function versionsText({ active, canary }: PackVersions): string {
  const trial = canary === undefined ? [] : [`${canary.version.hash}@${canary.weight}`];
  return active === undefined ? "" : [active.hash, ...trial].join(" ");
}
