/** The events of AG-UI that an agent relies on. What it does not need may be missing, and other events are let pass. */
import { z } from "zod";
import { CheckFailed } from "../harness/check-failed.ts";

const runEventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("RUN_STARTED") }),
  z.object({ type: z.literal("RUN_FINISHED") }),
  z.object({ type: z.literal("RUN_ERROR"), message: z.string() }),
  z.object({ type: z.literal("TEXT_MESSAGE_CONTENT"), delta: z.string() }),
  z.object({ type: z.literal("TEXT_MESSAGE_CHUNK"), delta: z.string().nullish() }),
  z.object({
    type: z.literal("TOOL_CALL_START"),
    toolCallId: z.string().min(1),
    toolCallName: z.string().min(1),
  }),
  z.object({ type: z.literal("TOOL_CALL_ARGS"), toolCallId: z.string(), delta: z.string() }),
  z.object({ type: z.literal("TOOL_CALL_END"), toolCallId: z.string() }),
  z.object({
    type: z.literal("TOOL_CALL_CHUNK"),
    toolCallId: z.string().nullish(),
    toolCallName: z.string().nullish(),
    delta: z.string().nullish(),
  }),
  z.object({ type: z.literal("TOOL_CALL_RESULT"), toolCallId: z.string() }),
]);

const otherEventSchema = z.object({ type: z.string().min(1) });

export type RunEvent = z.output<typeof runEventSchema> | { readonly type: "other" };

const KNOWN: ReadonlySet<string> = new Set(
  runEventSchema.options.map(({ shape }) => shape.type.value),
);

/** Reads the data of one server-sent event. Fails when it is no event of AG-UI. */
export function parseRunEvent(data: string): RunEvent {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    throw new CheckFailed("the data of an event is no JSON");
  }
  const named = otherEventSchema.safeParse(value);
  if (!named.success) throw new CheckFailed("an event has no type");
  const { type } = named.data;
  if (!KNOWN.has(type)) return { type: "other" };
  const event = runEventSchema.safeParse(value);
  if (event.success) return event.data;
  const path = event.error.issues[0]?.path.join(".") ?? "";
  throw new CheckFailed(`${type}: ${JSON.stringify(path)} is missing or invalid`);
}
