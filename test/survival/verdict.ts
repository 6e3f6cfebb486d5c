/** What is to be true of every session when all is over. Each breach is a sentence. */
import { sessionClientOf } from "../../src/agent/sessions/session-client.ts";
import type { SessionStore } from "../../src/agent/sessions/session-store.ts";
import type { TurnFrame } from "../../src/protocol/frames.ts";
import type { RedisProbe } from "../support/redis/redis-sessions.ts";
import type { SurvivalTalker, Talk } from "./talker.ts";
import { answerOf, callIdOf, expectedHistory, isInDoubt, shownHistory } from "./turn.ts";

/** The replicas are of one agent, which lets everybody in. */
const { owner: OWNER } = sessionClientOf({
  agent: { namespace: "default", name: "support" },
  subject: undefined,
  address: undefined,
});

export async function breachesOfSession(
  talker: SurvivalTalker,
  store: SessionStore,
): Promise<string[]> {
  const { sessionId, talks, frames } = talker;
  const kept: TurnFrame[] = [];
  for await (const page of store.frames(sessionId, 0, AbortSignal.timeout(30_000)))
    kept.push(...page);
  const history = shownHistory(await store.history(sessionId));
  const { runningTurnId, abandonedTurnId } = (await store.find(sessionId, OWNER)) ?? {};
  const expected = talks.flatMap(({ turn, end }) => expectedHistory(turn, end));
  return [
    ...(runningTurnId === undefined && abandonedTurnId === undefined
      ? []
      : [`its turn ${runningTurnId ?? abandonedTurnId} has come to no end`]),
    ...difference("history", history, expected),
    ...difference(
      "frames",
      frames.map((frame) => JSON.stringify(frame)),
      kept.map((frame) => JSON.stringify(frame)),
    ),
  ]
    .map((breach) => `session ${sessionId}: ${breach}`)
    .concat(breachesOfTalker(talker));
}

/** Of what a client has heard alone, whatever is kept of it. */
export function breachesOfTalker({ sessionId, talks, frames }: SurvivalTalker): string[] {
  return [...breachesOfOrder(frames), ...breachesOfTurns(frames, talks)].map(
    (breach) => `session ${sessionId}: ${breach}`,
  );
}

/** Of all sessions together: a call has its effect once, or, when that is in doubt, once at most. */
export function breachesOfLedger(ledger: readonly string[], talks: readonly Talk[]): string[] {
  const effects = new Map<string, number>();
  for (const call of ledger) effects.set(call, (effects.get(call) ?? 0) + 1);
  const breaches: string[] = [];
  for (const { turn, end } of talks) {
    if (!turn.pays) continue;
    const call = callIdOf(turn);
    const count = effects.get(call) ?? 0;
    effects.delete(call);
    const isRight = count === 1 || (count === 0 && isInDoubt(turn, end));
    if (!isRight) breaches.push(`${call} had its effect ${count} times`);
  }
  for (const [call, count] of effects)
    breaches.push(`${call} had its effect ${count} times, and nobody asked for it`);
  return breaches;
}

/** The first messages of sessions that none of them is in: each is of a message that was taken twice. */
export async function strayMessages(
  talkers: readonly SurvivalTalker[],
  probe: RedisProbe,
): Promise<string[]> {
  const known = new Set(talkers.map(({ sessionId }) => `omnia:{${sessionId}}:messages`));
  const kept = (await probe.command("KEYS", "omnia:{*}:messages")) as string[];
  const first = kept
    .filter((key) => !known.has(key))
    .map(async (key) => (await probe.command("LINDEX", key, "0")) as string);
  return Promise.all(first);
}

/** The first place where frames are missing, doubled or out of order. */
function breachesOfOrder(frames: readonly TurnFrame[]): string[] {
  const at = frames.findIndex(({ seq }, index) => seq !== index + 1);
  return at === -1 ? [] : [`frame ${at + 1} that was heard has the seq ${frames[at]?.seq}`];
}

function breachesOfTurns(frames: readonly TurnFrame[], talks: readonly Talk[]): string[] {
  const turns = new Map<string, TurnFrame[]>();
  for (const frame of frames) {
    const own = turns.get(frame.turn_id);
    if (own === undefined) turns.set(frame.turn_id, [frame]);
    else own.push(frame);
  }
  const breaches: string[] = [];
  if (turns.size !== talks.length)
    breaches.push(`it had ${turns.size} turns for ${talks.length} messages`);
  for (const [at, own] of [...turns.values()].entries()) {
    const talk = talks[at];
    if (talk === undefined) break;
    const breach = breachOfTurn(own, talk);
    if (breach !== undefined) breaches.push(`message ${talk.turn.turn}: ${breach}`);
  }
  return breaches;
}

function breachOfTurn(frames: readonly TurnFrame[], { turn, end }: Talk): string | undefined {
  const last = frames.at(-1);
  const ends = frames.filter(({ type }) => type === "done" || type === "error");
  if (ends.length !== 1 || ends[0] !== last) return `it has ${ends.length} ends`;
  const chunks = frames.map((frame) => (frame.type === "chunk" ? frame.content : "")).join("");
  if (end.type === "error") {
    if (!isInDoubt(turn, end)) return `it ended in ${end.error.code}: ${end.error.message}`;
    return answerOf(turn).startsWith(chunks) ? undefined : `it said "${chunks}"`;
  }
  if (end.finishReason !== "stop") return `it ended as ${end.finishReason}`;
  if (end.content !== chunks) return `its chunks are "${chunks}", and it is "${end.content}"`;
  return end.content === answerOf(turn) ? undefined : `it is answered with "${end.content}"`;
}

/** The first place where two lists differ. */
function difference(what: string, found: readonly string[], wanted: readonly string[]): string[] {
  const length = Math.max(found.length, wanted.length);
  for (let at = 0; at < length; at++) {
    if (found[at] === wanted[at]) continue;
    return [`${what}, number ${at + 1}: found ${found[at]}, wanted ${wanted[at]}`];
  }
  return [];
}
