/** One turn as it is shown, from what its frames told and what the session remembers of it. */
import type { ErrorBody, Usage, Warning } from "../../protocol/frames.ts";
import type { Conversation, Turn } from "./conversation.ts";
import { callsOf, mapCalls, textOf, type Call, type Part } from "./turn-parts.ts";

export type TurnPhase =
  /** Nothing of the answer has come. */
  | "waiting"
  | "streaming"
  | "tool-running"
  /** Calls wait for an approval. */
  | "approval"
  | "done"
  | "failed";

export interface TurnView {
  readonly key: string;
  readonly id: string | undefined;
  readonly question: string | undefined;
  readonly parts: readonly Part[];
  readonly phase: TurnPhase;
  /** What came before the parts is not known. */
  readonly isCut: boolean;
  readonly finishReason: string | undefined;
  readonly error:
    | { readonly code: string; readonly message: string; readonly details: ErrorBody["details"] }
    | undefined;
  readonly warnings: readonly Warning[];
  /** The state of the workflow at its end. */
  readonly workflowState: string | undefined;
  readonly usage: Usage | undefined;
  readonly model: string | undefined;
  readonly packVersion: string | undefined;
  /** More than one: the later ones took the turn over. */
  readonly replicas: readonly string[];
  /** The part before which the turn was taken over or the connection lost, where that is known. */
  readonly brokenAfter: number | undefined;
  /** In milliseconds since 1970. */
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly firstChunkMs: number | undefined;
  readonly totalMs: number | undefined;
}

const views = new WeakMap<Turn, { isLast: boolean; view: TurnView }>();

/** The turns as they are shown, oldest first. A turn that has not changed gives the same object as before. */
export function turnViews(conversation: Conversation): readonly TurnView[] {
  const { turns } = conversation;
  return turns.map((turn, index) => {
    const isLast = index === turns.length - 1;
    const known = views.get(turn);
    if (known?.isLast === isLast) return known.view;
    const view = turnView(turn, isLast);
    views.set(turn, { isLast, view });
    return view;
  });
}

/** Whether an answer is awaited or comes. */
export function isRunning({ phase }: Pick<TurnView, "phase">): boolean {
  return phase === "waiting" || phase === "streaming" || phase === "tool-running";
}

/** `isLast`: only the last turn of a session may wait for an approval. */
export function turnView(turn: Turn, isLast: boolean): TurnView {
  const { told, recorded, sent } = turn;
  const record = recorded?.record;
  const { parts: best, isCut } = bestParts(turn);
  const parts = isLast ? best : mapCalls(best, decided);
  const done = told?.end?.type === "done" ? told.end : undefined;
  const failure = told?.end?.type === "error" ? told.end.error : record?.error;
  const startedAt = time(record?.startedAt) ?? told?.startedAt ?? sent?.at;
  const firstChunkAt = time(record?.firstChunkAt) ?? told?.firstChunkAt;
  const endedAt = time(record?.endedAt) ?? told?.endedAt;
  // What the reader waited for: from the sending, where this page sent the message.
  const since = sent?.at ?? startedAt;
  return {
    key: turn.key,
    id: turn.id,
    question: sent?.content ?? recorded?.question,
    parts,
    phase: phaseOf(turn, parts, isLast),
    isCut,
    finishReason: done?.finishReason ?? record?.finishReason,
    error: failure && {
      code: failure.code,
      message: failure.message,
      details: told?.end?.type === "error" ? told.end.error.details : undefined,
    },
    warnings: done?.warnings ?? record?.warnings ?? [],
    workflowState: done?.state ?? record?.workflowState ?? lastState(parts),
    usage: done?.usage ?? record?.usage,
    model: record?.model,
    packVersion: record?.packVersion,
    replicas: record?.replicas ?? [],
    brokenAfter: turn.brokenAfter,
    startedAt,
    endedAt,
    firstChunkMs: difference(since, firstChunkAt),
    totalMs: difference(since, endedAt),
  };
}

/**
 * The frames say the most, where none of them is missing. What the session remembers comes next; it knows the text of a turn only
 * when the turn has ended.
 */
function bestParts({ told, recorded }: Turn): { parts: readonly Part[]; isCut: boolean } {
  const remembered = recorded?.parts ?? [];
  if (told === undefined) return { parts: remembered, isCut: false };
  const parts = withMeasures(told.parts, recorded?.record?.calls ?? []);
  const said = told.end?.type === "done" ? told.end.content : undefined;
  const isSaid = said === undefined || said === textOf(parts);
  if (told.isWhole && isSaid) return { parts, isCut: false };
  if (recorded?.isRunning === false && remembered.length > 0) {
    return { parts: remembered, isCut: false };
  }
  if (isSaid) return { parts, isCut: said === undefined };
  // The end holds the whole answer; where its calls stood in it is not known.
  const calls = parts.filter(({ type }) => type === "calls");
  return { parts: [...calls, { type: "text", text: said }], isCut: false };
}

/** The replica measured how long a call took; frames tell only when its result was sent. */
function withMeasures(
  parts: readonly Part[],
  measured: readonly { id: string; ms?: number | undefined; outcome: Call["outcome"] }[],
): readonly Part[] {
  if (measured.length === 0) return parts;
  const byId = new Map(measured.map((call) => [call.id, call]));
  return mapCalls(parts, (call) => {
    const counted = byId.get(call.id);
    if (counted === undefined) return call;
    const outcome = counted.outcome === "unknown" ? "unknown" : call.outcome;
    return { ...call, ms: counted.ms ?? call.ms, outcome };
  });
}

function phaseOf({ id, told, recorded }: Turn, parts: readonly Part[], isLast: boolean): TurnPhase {
  if (id === undefined) return "waiting";
  const record = recorded?.record;
  if (told?.end?.type === "error" || record?.error !== undefined) return "failed";
  const hasEnded =
    told === undefined
      ? recorded?.isRunning !== true
      : told.end !== undefined || record?.endedAt !== undefined;
  const calls = callsOf(parts);
  if (hasEnded) {
    return isLast && calls.some(({ outcome }) => outcome === "waiting") ? "approval" : "done";
  }
  // The end of a turn that asks follows its requests.
  if (isLast && calls.some(({ outcome }) => outcome === "waiting")) return "approval";
  if (calls.some(({ outcome }) => outcome === "running")) return "tool-running";
  return parts.length === 0 ? "waiting" : "streaming";
}

function decided(call: Call): Call {
  return call.outcome === "waiting" ? { ...call, outcome: "decided" } : call;
}

function lastState(parts: readonly Part[]): string | undefined {
  return callsOf(parts).findLast(({ state }) => state !== undefined)?.state;
}

function time(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}

function difference(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : Math.max(0, to - from);
}
