/** What a canary was wanted to do, and what it did. */
import type { PackView, VersionCounts } from "../../http-api/pack-views.ts";

export interface VersionFigures {
  readonly version: string;
  readonly isCanary: boolean;
  /** Percent of the new sessions. */
  readonly wanted: number;
  /** Percent of the sessions that were counted. Undefined where there were none, or only one version is counted. */
  readonly observed: number | undefined;
  readonly sessions: number | undefined;
  readonly turns: number | undefined;
  /** Percent of the turns. Undefined where there were none. */
  readonly errors: number | undefined;
  readonly p50FirstChunkMs: number | undefined;
}

/** The version that is tried, and the one beside it. Empty without a canary. */
export function canaryFigures(pack: PackView): VersionFigures[] {
  const { canary } = pack;
  if (canary === undefined) return [];
  const { counts, activeCounts } = canary;
  // A share is known only where both versions were counted.
  const all = counts && activeCounts && counts.sessions + activeCounts.sessions;
  const active = pack.activeSemver ?? pack.activeVersion ?? "the active version";
  return [
    figuresOf(canary.semver ?? canary.version, true, canary.weight, counts, all),
    figuresOf(active, false, 100 - canary.weight, activeCounts, all),
  ];
}

function figuresOf(
  version: string,
  isCanary: boolean,
  wanted: number,
  counts: VersionCounts | undefined,
  allSessions: number | undefined,
): VersionFigures {
  return {
    version,
    isCanary,
    wanted,
    observed: counts === undefined ? undefined : percent(counts.sessions, allSessions),
    sessions: counts?.sessions,
    turns: counts?.turns,
    errors: counts === undefined ? undefined : percent(counts.failures, counts.turns),
    p50FirstChunkMs: counts?.p50FirstChunkMs,
  };
}

function percent(part: number, whole: number | undefined): number | undefined {
  return whole === undefined || whole === 0 ? undefined : (100 * part) / whole;
}

/** `12 %`, `0.4 %`: small shares keep a digit, since they are what one looks for. */
export function percentText(value: number | undefined): string {
  if (value === undefined) return "–";
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}
