/** Lays the turns of a session out over time: what a reader scans for long calls, errors, takeovers and changes of version. */
import type { SessionTimeline } from "../../http-api/session-views.ts";
import type { Usage } from "../../protocol/frames.ts";
import { recordedTurns } from "../chat/recorded-turn.ts";
import { callsOf, textOf, type Call } from "../chat/turn-parts.ts";

export interface RailCall {
  readonly call: Call;
  /** Where its bar begins and how long it is, in parts of its turn (0 to 1). Undefined where its times are not known. */
  readonly bar: { readonly from: number; readonly length: number } | undefined;
  /** How many calls it lies under. */
  readonly depth: number;
}

export interface RailTurn {
  readonly id: string;
  readonly question: string | undefined;
  readonly answer: string;
  readonly calls: readonly RailCall[];
  readonly startedAt: number | undefined;
  readonly ms: number | undefined;
  readonly firstChunkMs: number | undefined;
  readonly isRunning: boolean;
  readonly finishReason: string | undefined;
  readonly error: { readonly code: string; readonly message: string } | undefined;
  readonly warnings: readonly { readonly validator: string; readonly message: string }[];
  readonly usage: Usage | undefined;
  readonly model: string | undefined;
  /** The version of the pack, where it is another one than that of the turn before. */
  readonly newVersion: string | undefined;
  /** The state of the workflow, where it is another one than that of the turn before. */
  readonly newState: string | undefined;
  /** The replicas that took it over, one after the other. */
  readonly takeovers: readonly string[];
  /** How long nothing happened before it. */
  readonly pauseMs: number | undefined;
}

/** `now` is in milliseconds since 1970, and ends the bars of what runs. */
export function railOf({ messages, turns }: SessionTimeline, now: number): readonly RailTurn[] {
  let version: string | undefined;
  let state: string | undefined;
  let endBefore: number | undefined;
  const rail: RailTurn[] = [];
  for (const [id, { question, parts, record, isRunning }] of recordedTurns(messages, turns)) {
    const startedAt = time(record?.startedAt);
    const endedAt = time(record?.endedAt);
    const end = endedAt ?? (isRunning ? now : undefined);
    const ms = between(startedAt, end);
    const packVersion = record?.packVersion;
    const workflowState = record?.workflowState;
    rail.push({
      id,
      question,
      answer: textOf(parts),
      calls: railCalls(callsOf(parts), startedAt, ms),
      startedAt,
      ms,
      firstChunkMs: between(startedAt, time(record?.firstChunkAt)),
      isRunning,
      finishReason: record?.finishReason,
      error: record?.error,
      warnings: record?.warnings ?? [],
      usage: record?.usage,
      model: record?.model,
      newVersion: packVersion === version ? undefined : packVersion,
      newState: workflowState === state ? undefined : workflowState,
      takeovers: record?.replicas.slice(1) ?? [],
      pauseMs: between(endBefore, startedAt),
    });
    version = packVersion ?? version;
    state = workflowState ?? state;
    endBefore = end ?? endBefore;
  }
  return rail;
}

function railCalls(
  calls: readonly Call[],
  startedAt: number | undefined,
  turnMs: number | undefined,
): RailCall[] {
  const depths = new Map<string, number>();
  return calls.map((call) => {
    const depth = call.parent === undefined ? 0 : (depths.get(call.parent) ?? 0) + 1;
    depths.set(call.id, depth);
    return { call, depth, bar: barOf(call, startedAt, turnMs) };
  });
}

function barOf(
  call: Call,
  startedAt: number | undefined,
  turnMs: number | undefined,
): RailCall["bar"] {
  if (call.startedAt === undefined || startedAt === undefined) return undefined;
  if (turnMs === undefined || turnMs === 0) return undefined;
  const from = clamp((call.startedAt - startedAt) / turnMs);
  const ms = call.ms ?? (call.outcome === "running" ? turnMs : 0);
  return { from, length: Math.min(1 - from, Math.max(0, ms / turnMs)) };
}

export const RAIL_FILTERS = ["all", "errors", "tools", "changes"] as const;
export type RailFilter = (typeof RAIL_FILTERS)[number];

/** Whether the turn is shown. `text` is looked for in what was said and in the names of tools. */
export function isShown(turn: RailTurn, filter: RailFilter, text: string): boolean {
  return isOfKind(turn, filter) && holds(turn, text.trim().toLowerCase());
}

function isOfKind(turn: RailTurn, filter: RailFilter): boolean {
  switch (filter) {
    case "all":
      return true;
    case "errors":
      return (
        turn.error !== undefined ||
        turn.calls.some(({ call }) => call.outcome === "error" || call.outcome === "unknown")
      );
    case "tools":
      return turn.calls.length > 0;
    case "changes":
      return (
        turn.newVersion !== undefined || turn.newState !== undefined || turn.takeovers.length > 0
      );
  }
}

function holds({ question, answer, calls }: RailTurn, text: string): boolean {
  if (text === "") return true;
  const texts = [question ?? "", answer, ...calls.map(({ call }) => call.name)];
  return texts.some((each) => each.toLowerCase().includes(text));
}

function time(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}

function between(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : Math.max(0, to - from);
}

function clamp(part: number): number {
  return Math.min(1, Math.max(0, part));
}
