/**
 * Decides which replicas to start, start again and drain, from what is wanted and what exists. It is a pure function, and gives no
 * steps when everything is as it is wanted.
 *
 * A change that needs new processes (another revision) is rolled out: while it lasts, there is one replica more than wanted, and an
 * old replica that serves is drained only when enough others serve.
 */

export interface WantedReplicas {
  count: number;
  /** Replicas of another revision are to be replaced. */
  revision: string;
}

export type ReplicaState =
  /** Its process runs and has not been ready yet. */
  | "starting"
  | "ready"
  /** Its process runs, was ready before, and says that it is not ready now. */
  | "unready"
  /** Its process has ended by itself. Another one is started at `restartAt`. */
  | "waiting"
  /** Its process was told to end. */
  | "draining";

export interface ObservedReplica {
  /** A small number, which a replica keeps when its process is started again. */
  id: number;
  revision: string;
  state: ReplicaState;
  /** When a replica in the state `waiting` is started again, by the same clock as `now`. */
  restartAt?: number | undefined;
}

export type ReplicaAction =
  | { type: "start"; id: number }
  | { type: "restart"; id: number }
  | { type: "drain"; id: number };

/** How many replicas there may be above the wanted number during a rollout. Replicas that drain are not counted. */
const SURGE = 1;

export function planReplicas(
  wanted: WantedReplicas,
  observed: readonly ObservedReplica[],
  now: number,
): ReplicaAction[] {
  const staying = observed
    .filter(({ state }) => state !== "draining")
    .toSorted((a, b) => a.id - b.id);
  const fresh = staying.filter(({ revision }) => revision === wanted.revision);
  const stale = staying.filter(({ revision }) => revision !== wanted.revision);
  const drained = new Set<number>();

  // Old replicas that serve nobody need not wait for new ones.
  for (const { id, state } of stale) if (state !== "ready") drained.add(id);

  let ready = staying.filter(({ state }) => state === "ready").length;
  for (const { id } of stale.filter(({ state }) => state === "ready")) {
    if (ready <= wanted.count) break;
    drained.add(id);
    ready -= 1;
  }

  // When fewer are wanted during a rollout, old replicas that serve stay, and new ones that do not serve yet are too many.
  const stayingNow = staying.length - drained.size;
  const surplus = Math.max(0, fresh.length - wanted.count, stayingNow - (wanted.count + SURGE));
  for (const { id } of fresh.toSorted(leastUsefulFirst).slice(0, surplus)) drained.add(id);

  const kept = staying.filter(({ id }) => !drained.has(id));
  const missing = wanted.count - fresh.length;
  const room = wanted.count + SURGE - kept.length;
  const starts = Math.max(0, Math.min(missing, room));

  return [
    ...freeIds(observed, starts).map((id): ReplicaAction => ({ type: "start", id })),
    ...kept
      .filter(({ state, restartAt = 0 }) => state === "waiting" && restartAt <= now)
      .map(({ id }): ReplicaAction => ({ type: "restart", id })),
    ...[...drained].map((id): ReplicaAction => ({ type: "drain", id })),
  ];
}

const USEFULNESS: Record<ReplicaState, number> = {
  draining: 0,
  waiting: 1,
  unready: 2,
  starting: 3,
  ready: 4,
};

function leastUsefulFirst(a: ObservedReplica, b: ObservedReplica): number {
  return USEFULNESS[a.state] - USEFULNESS[b.state] || b.id - a.id;
}

function freeIds(observed: readonly ObservedReplica[], count: number): number[] {
  const taken = new Set(observed.map(({ id }) => id));
  const ids: number[] = [];
  for (let id = 1; ids.length < count; id += 1) if (!taken.has(id)) ids.push(id);
  return ids;
}
