import type { Call } from "./turn-parts.ts";

/** Puts calls together of which one began before the other had ended. Calls whose times are not known stand alone. */
export function parallelGroups(calls: readonly Call[]): readonly (readonly Call[])[] {
  const groups: Call[][] = [];
  let busyUntil = Number.NEGATIVE_INFINITY;
  for (const call of calls) {
    const { startedAt, ms, outcome } = call;
    const last = groups.at(-1);
    const isBeside = last !== undefined && startedAt !== undefined && startedAt < busyUntil;
    if (isBeside) last.push(call);
    else groups.push([call]);
    const isOpen = outcome === "running" && ms === undefined;
    const end =
      startedAt === undefined
        ? busyUntil
        : isOpen
          ? Number.POSITIVE_INFINITY
          : startedAt + (ms ?? 0);
    busyUntil = isBeside ? Math.max(busyUntil, end) : end;
  }
  return groups;
}
