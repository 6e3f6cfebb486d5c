/** What the frames of a turn told of it. */
import type { ErrorBody, FinishReason, TurnFrame, Usage, Warning } from "../../protocol/frames.ts";
import {
  callsOf,
  mapCalls,
  NO_CALL,
  withCall,
  withText,
  type Call,
  type Part,
} from "./turn-parts.ts";

export type ToldEnd =
  | {
      readonly type: "done";
      readonly content: string;
      readonly finishReason: FinishReason;
      readonly usage: Usage | undefined;
      readonly warnings: readonly Warning[];
      readonly state: string | undefined;
    }
  | { readonly type: "error"; readonly error: ErrorBody };

export interface ToldTurn {
  readonly parts: readonly Part[];
  /** No frame of the turn before its last one that came is missing. */
  readonly isWhole: boolean;
  /** The times of its first frame, its first text and its end, in milliseconds since 1970. */
  readonly startedAt: number;
  readonly firstChunkAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly end: ToldEnd | undefined;
}

/** `isFirst`: the frame is known to be the first one of its turn. */
export function beginTold(frame: TurnFrame, isFirst: boolean): ToldTurn {
  const told: ToldTurn = {
    parts: [],
    isWhole: isFirst,
    startedAt: Date.parse(frame.timestamp),
    firstChunkAt: undefined,
    endedAt: undefined,
    end: undefined,
  };
  return tellOn(told, frame);
}

/** Takes the next frame of the turn. */
export function tellOn(told: ToldTurn, frame: TurnFrame): ToldTurn {
  const at = Date.parse(frame.timestamp);
  switch (frame.type) {
    case "chunk":
      return {
        ...told,
        parts: withText(told.parts, frame.content),
        firstChunkAt: told.firstChunkAt ?? at,
      };
    case "tool_call": {
      const { id, name, arguments: given, parent } = frame.tool_call;
      const call: Call = { ...NO_CALL, id, name, arguments: given, parent, startedAt: at };
      return { ...told, parts: withCall(told.parts, call) };
    }
    case "tool_result": {
      const { id, result, error } = frame.tool_result;
      const known = callsOf(told.parts).find((call) => call.id === id);
      const call: Call = {
        ...(known ?? { ...NO_CALL, id, name: "" }),
        outcome: error === undefined ? "ok" : "error",
        result,
        error,
        state: frame.state,
        ms: known?.startedAt === undefined ? undefined : Math.max(0, at - known.startedAt),
      };
      return { ...told, parts: withCall(told.parts, call) };
    }
    case "approval_request": {
      const { id, name, arguments: given, expires_at: expiresAt } = frame.approval;
      const call: Call = { ...NO_CALL, id, name, arguments: given, outcome: "waiting", expiresAt };
      return { ...told, parts: withCall(told.parts, call) };
    }
    case "done": {
      const { content, finish_reason: finishReason, usage, warnings = [], state } = frame;
      const end: ToldEnd = { type: "done", content, finishReason, usage, warnings, state };
      return { ...told, end, endedAt: at };
    }
    case "error":
      return {
        ...told,
        // A call whose result never came was begun, and nobody knows what it did.
        parts: mapCalls(told.parts, (call) =>
          call.outcome === "running" ? { ...call, outcome: "unknown" } : call,
        ),
        end: { type: "error", error: frame.error },
        endedAt: at,
      };
    default:
      // A frame of a later version of the protocol.
      return told;
  }
}
