/** Reads the frames of a server, for clients. */
import { ERROR_CODES, FINISH_REASONS, type ServerFrame } from "./frames.ts";

export type ParsedServerFrame = { ok: true; frame: ServerFrame } | { ok: false; problem: string };

type Check = (value: unknown) => boolean;
type Shape = Record<string, Check>;

const isString: Check = (value) => typeof value === "string";
const isSeq: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isOneOf =
  (values: readonly string[]): Check =>
  (value) =>
    values.includes(value as string);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const object =
  (shape: Shape): Check =>
  (value) =>
    isObject(value) && Object.entries(shape).every(([field, check]) => check(value[field]));

const stamped: Shape = { session_id: isString, timestamp: isTimestamp };
const ofTurn: Shape = {
  ...stamped,
  turn_id: isString,
  seq: isSeq,
  message_id: optional(isString),
};
const shapes: Record<ServerFrame["type"], Shape> = {
  connected: { ...stamped, resumed: (value) => typeof value === "boolean", seq: isSeq },
  chunk: { ...ofTurn, content: isString },
  tool_call: {
    ...ofTurn,
    tool_call: object({
      id: isString,
      name: isString,
      arguments: isObject,
      parent: optional(isString),
    }),
  },
  tool_result: { ...ofTurn, tool_result: isToolResult, state: optional(isString) },
  approval_request: {
    ...ofTurn,
    approval: object({
      id: isString,
      name: isString,
      arguments: isObject,
      expires_at: isTimestamp,
    }),
  },
  done: {
    ...ofTurn,
    content: isString,
    usage: optional(object({ input_tokens: isSeq, output_tokens: isSeq, cost: optional(isCost) })),
    finish_reason: isOneOf(FINISH_REASONS),
    state: optional(isString),
    warnings: optional(listOf(object({ validator: isString, message: isString }))),
  },
  // An error outside a turn has neither turn_id nor seq.
  error: {
    ...stamped,
    turn_id: optional(isString),
    seq: optional(isSeq),
    message_id: optional(isString),
    error: object({ code: isOneOf(ERROR_CODES), message: isString, details: optional(isObject) }),
  },
};

export const SERVER_FRAME_TYPES: readonly string[] = Object.keys(shapes);

/** Reads one text frame of a server. Fields that the protocol does not know are ignored. */
export function parseServerFrame(text: string): ParsedServerFrame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, problem: "the frame is not valid JSON" };
  }
  if (!isObject(value)) return { ok: false, problem: "the frame must be a JSON object" };
  const type = value["type"];
  if (typeof type !== "string" || !Object.hasOwn(shapes, type)) {
    return { ok: false, problem: `"type" must be one of ${SERVER_FRAME_TYPES.join(", ")}` };
  }
  const shape = shapes[type as ServerFrame["type"]];
  const wrong = Object.keys(shape).find((field) => shape[field]?.(value[field]) === false);
  if (wrong !== undefined) return { ok: false, problem: `"${wrong}" is missing or invalid` };
  return { ok: true, frame: value as unknown as ServerFrame };
}

function isTimestamp(value: unknown): boolean {
  return (
    typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value))
  );
}

function isCost(value: unknown): boolean {
  return isObject(value) && Number.isFinite(value["amount"]) && isString(value["currency"]);
}

function isToolResult(value: unknown): boolean {
  return isObject(value) && isString(value["id"]) && "result" in value !== isString(value["error"]);
}
