import type { PackVersion, RunningVersions, UnreadVersion } from "./pack-version.ts";

/** So many versions of a pack are kept: a canary and a rollback need a version to run after the source was edited in place. */
export const MAX_KEPT_VERSIONS = 10;

/**
 * The hashes of the versions to keep, newest first: those that run, which are never dropped, the one that a rollback goes back to, and
 * the newest of those that were kept before.
 */
export function hashesToKeep(
  { active, canary }: RunningVersions,
  previous: readonly (PackVersion | UnreadVersion)[],
  lastActive?: string,
): string[] {
  const back = previous.find(({ hash }) => hash === lastActive);
  const all = [canary?.version, active, back, ...previous].flatMap(
    (version) => version?.hash ?? [],
  );
  return [...new Set(all)].slice(0, MAX_KEPT_VERSIONS);
}
