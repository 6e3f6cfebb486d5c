/** What an answer consists of, in the order in which it came. */
import type { SessionTimeline, TurnView } from "../../http-api/session-views.ts";

export type CallOutcome =
  | "running"
  | "ok"
  | "error"
  /** It was begun, and may have had its effect. */
  | "unknown"
  /** It waits for an approval. */
  | "waiting"
  /** It waited for an approval, and was not made in its turn. */
  | "decided";

export interface Call {
  readonly id: string;
  readonly name: string;
  /** Undefined where the session does not remember them. */
  readonly arguments: Readonly<Record<string, unknown>> | undefined;
  /** The call of another agent of the pack that made this call. */
  readonly parent: string | undefined;
  readonly outcome: CallOutcome;
  readonly result: unknown;
  readonly error: string | undefined;
  /** The state of the workflow to which it moved the session. */
  readonly state: string | undefined;
  /** In milliseconds since 1970. */
  readonly startedAt: number | undefined;
  readonly ms: number | undefined;
  /** When the wait for an approval ends, as RFC 3339 writes it. */
  readonly expiresAt: string | undefined;
}

export type Part =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "calls"; readonly calls: readonly Call[] };

export type SessionMessage = SessionTimeline["messages"][number];
export type TurnRecord = TurnView;

export const NO_CALL: Omit<Call, "id" | "name"> = {
  arguments: undefined,
  parent: undefined,
  outcome: "running",
  result: undefined,
  error: undefined,
  state: undefined,
  startedAt: undefined,
  ms: undefined,
  expiresAt: undefined,
};

export function withText(parts: readonly Part[], text: string): readonly Part[] {
  if (text === "") return parts;
  const last = parts.at(-1);
  if (last?.type !== "text") return [...parts, { type: "text", text }];
  return parts.with(parts.length - 1, { type: "text", text: last.text + text });
}

/** Adds the call, beside the call that made it, or puts it in the place of the one with its id. */
export function withCall(parts: readonly Part[], call: Call): readonly Part[] {
  const at = parts.findIndex(
    (part) =>
      part.type === "calls" && part.calls.some(({ id }) => id === call.id || id === call.parent),
  );
  const place = at === -1 ? parts.length - 1 : at;
  const part = parts[place];
  if (part?.type !== "calls") return [...parts, { type: "calls", calls: [call] }];
  const index = part.calls.findIndex(isSame(call));
  const calls = index === -1 ? [...part.calls, call] : part.calls.with(index, call);
  return parts.with(place, { type: "calls", calls });
}

export function callsOf(parts: readonly Part[]): readonly Call[] {
  return parts.flatMap((part) => (part.type === "calls" ? part.calls : []));
}

export function mapCalls(parts: readonly Part[], change: (call: Call) => Call): readonly Part[] {
  return parts.map((part) =>
    part.type === "calls" ? { type: "calls", calls: part.calls.map(change) } : part,
  );
}

export function textOf(parts: readonly Part[]): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function isSame({ id }: Call): (other: Call) => boolean {
  return (other) => other.id === id;
}
