/** What a replica says of itself to a gateway. */
import type { ReplicaFacts } from "../http-api/replica-facts.ts";
import type { Facade } from "./facade/facade.ts";
import type { CurrentStore } from "./sessions/current-store.ts";
import type { TurnRunner } from "./turns/turn-runner.ts";

export interface DescribedReplica extends Pick<ReplicaFacts, "name" | "version" | "startedAt"> {
  readonly facade: Pick<Facade, "connections">;
  readonly runner: Pick<TurnRunner, "inFlight" | "tellTokensToday">;
  readonly stores: CurrentStore;
}

/** With `sessionId`, it tells whether it has that session, whoever owns it. */
export async function describeReplica(
  described: DescribedReplica,
  sessionId: string | undefined,
): Promise<ReplicaFacts> {
  const { name, version, startedAt, facade, runner, stores } = described;
  return {
    name,
    version,
    startedAt,
    connections: facade.connections,
    turns: runner.inFlight,
    sessions: stores.peek()?.activeSessions() ?? 0,
    tokensToday: await tokensToday(runner, stores),
    hasSession: sessionId === undefined ? undefined : await hasSession(sessionId, stores),
  };
}

/** It does not count as activity. */
async function hasSession(sessionId: string, stores: CurrentStore): Promise<boolean> {
  if (stores.peek() === undefined) return false;
  const use = stores.use();
  try {
    return (await use.store.timeline(sessionId)) !== undefined;
  } finally {
    use.release();
  }
}

async function tokensToday(
  runner: DescribedReplica["runner"],
  stores: CurrentStore,
): Promise<number | undefined> {
  if (stores.peek() === undefined) return undefined;
  const use = stores.use();
  try {
    return await runner.tellTokensToday(use.store);
  } finally {
    use.release();
  }
}
