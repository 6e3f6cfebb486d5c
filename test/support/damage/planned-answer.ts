/** Answers of a model, of any kind, and the events in which each of the protocols streams them. */
import fc from "fast-check";
import type { WireApi } from "../wire/wire-case.ts";

export interface PlannedAnswer {
  thoughts: string[];
  texts: string[];
  calls: PlannedCall[];
}

export interface PlannedCall {
  city: string;
  /** How many pieces the arguments come in. */
  pieces: number;
  /** Whether they begin with an empty one, where the protocol has them in pieces. */
  beginsEmpty: boolean;
}

export interface PlannedEvent {
  /** What the stream calls the event, if it does. */
  name?: string | undefined;
  data: unknown;
  /** Where the event says how the answer ended: the way to the field, or none when the event itself says it. */
  finish?: readonly (string | number)[] | undefined;
}

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });

export const aPlannedAnswer: fc.Arbitrary<PlannedAnswer> = fc
  .record({
    thoughts: fc.array(text, { maxLength: 2 }),
    texts: fc.array(text, { maxLength: 4 }),
    calls: fc.array(
      fc.record({
        city: text,
        pieces: fc.integer({ min: 1, max: 4 }),
        beginsEmpty: fc.boolean(),
      }),
      { maxLength: 3 },
    ),
  })
  .filter(({ texts, calls }) => texts.join("").trim() !== "" || calls.length > 0);

/** Which tokens every planned answer costs. */
export const PLANNED_USAGE = { input_tokens: 11, output_tokens: 7 };

/** The arguments of a call. `number` is the call's own in the whole test. */
export function argumentsOf({ city }: PlannedCall, number: number): { city: string; n: number } {
  return { city, n: number };
}

/** `firstNumber` is the number of the first call. */
export function plannedEvents(
  api: WireApi,
  answer: PlannedAnswer,
  firstNumber: number,
): PlannedEvent[] {
  const calls = answer.calls.map((call, index) => {
    const number = firstNumber + index;
    const given = argumentsOf(call, number);
    const pieces = inPieces(JSON.stringify(given), call.pieces);
    return { id: `call_${number}`, given, pieces: call.beginsEmpty ? ["", ...pieces] : pieces };
  });
  return EVENTS[api]({ ...answer, calls });
}

interface Spoken {
  thoughts: string[];
  texts: string[];
  calls: { id: string; given: object; pieces: string[] }[];
}

function inPieces(whole: string, count: number): string[] {
  const size = Math.ceil(whole.length / count);
  return Array.from({ length: count }, (_, index) => whole.slice(index * size, (index + 1) * size));
}

const TOOL = "weather";

const EVENTS: Record<WireApi, (spoken: Spoken) => PlannedEvent[]> = {
  chat({ thoughts, texts, calls }) {
    const head = { id: "c", object: "chat.completion.chunk", created: 1, model: "m" };
    const delta = (fields: object): PlannedEvent => ({
      data: { ...head, choices: [{ index: 0, delta: fields, finish_reason: null }] },
    });
    const finish_reason = calls.length > 0 ? "tool_calls" : "stop";
    const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
    return [
      delta({ role: "assistant", content: "" }),
      ...thoughts.map((reasoning_content) => delta({ reasoning_content })),
      ...texts.map((content) => delta({ content })),
      ...calls.flatMap(({ id, pieces }, index) =>
        pieces.map((piece, at) => {
          const begin = { index, id, type: "function", function: { name: TOOL, arguments: piece } };
          const goOn = { index, function: { arguments: piece } };
          return delta({ tool_calls: [at === 0 ? begin : goOn] });
        }),
      ),
      {
        data: { ...head, choices: [{ index: 0, delta: {}, finish_reason }] },
        finish: ["choices", 0, "finish_reason"],
      },
      { data: { ...head, choices: [], usage } },
      { data: "[DONE]" },
    ];
  },

  responses({ thoughts, texts, calls }) {
    const response = { id: "resp_1", object: "response", created_at: 1, model: "m" };
    const events: Record<string, unknown>[] = [
      { type: "response.created", response: { ...response, status: "in_progress", output: [] } },
    ];
    let output_index = 0;
    if (thoughts.length > 0) {
      const item = { type: "reasoning", id: "rs_1", summary: [] };
      const at = { item_id: "rs_1", output_index, summary_index: 0 };
      const part = { type: "summary_text", text: "" };
      events.push(
        { type: "response.output_item.added", output_index, item },
        { type: "response.reasoning_summary_part.added", ...at, part },
        ...thoughts.map((delta) => ({
          type: "response.reasoning_summary_text.delta",
          ...at,
          delta,
        })),
        { type: "response.reasoning_summary_part.done", ...at, part },
        { type: "response.output_item.done", output_index, item },
      );
      output_index += 1;
    }
    if (texts.length > 0) {
      const item = { type: "message", id: "msg_1", role: "assistant" };
      const at = { item_id: "msg_1", output_index, content_index: 0 };
      const whole = { type: "output_text", text: texts.join(""), annotations: [] };
      events.push(
        { type: "response.output_item.added", output_index, item: { ...item, content: [] } },
        { type: "response.content_part.added", ...at, part: { ...whole, text: "" } },
        ...texts.map((delta) => ({ type: "response.output_text.delta", ...at, delta })),
        { type: "response.output_text.done", ...at, text: whole.text },
        { type: "response.content_part.done", ...at, part: whole },
        { type: "response.output_item.done", output_index, item: { ...item, content: [whole] } },
      );
      output_index += 1;
    }
    for (const { id, pieces } of calls) {
      const item = { type: "function_call", id: `fc_${id}`, call_id: id, name: TOOL };
      const at = { item_id: item.id, output_index };
      const whole = pieces.join("");
      events.push(
        { type: "response.output_item.added", output_index, item: { ...item, arguments: "" } },
        ...pieces.map((delta) => ({
          type: "response.function_call_arguments.delta",
          ...at,
          delta,
        })),
        { type: "response.function_call_arguments.done", ...at, arguments: whole },
        {
          type: "response.output_item.done",
          output_index,
          item: { ...item, arguments: whole, status: "completed" },
        },
      );
      output_index += 1;
    }
    const usage = { ...PLANNED_USAGE, total_tokens: 18 };
    const completed = { ...response, status: "completed", output: [], usage };
    const numbered = events.map((event, sequence_number) => ({ ...event, sequence_number }));
    return [
      ...numbered.map((data): PlannedEvent => ({
        name: (data as unknown as { type: string }).type,
        data,
      })),
      {
        name: "response.completed",
        data: { type: "response.completed", response: completed },
        finish: [],
      },
    ];
  },

  anthropic({ thoughts, texts, calls }) {
    const message = { id: "msg_1", type: "message", role: "assistant", content: [], model: "m" };
    const events: Record<string, unknown>[] = [
      {
        type: "message_start",
        message: { ...message, usage: { input_tokens: 11, output_tokens: 1 } },
      },
      { type: "ping" },
    ];
    let index = 0;
    function addBlock(content_block: object, deltas: object[]): void {
      events.push(
        { type: "content_block_start", index, content_block },
        ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
        { type: "content_block_stop", index },
      );
      index += 1;
    }
    if (thoughts.length > 0) {
      const said = thoughts.map((thinking) => ({ type: "thinking_delta", thinking }));
      const signed = { type: "signature_delta", signature: "c2lnbmVk" };
      addBlock({ type: "thinking", thinking: "" }, [...said, signed]);
    }
    if (texts.length > 0) {
      const said = texts.map((delta) => ({ type: "text_delta", text: delta }));
      addBlock({ type: "text", text: "" }, said);
    }
    for (const { id, pieces } of calls) {
      const written = pieces.map((partial_json) => ({ type: "input_json_delta", partial_json }));
      addBlock({ type: "tool_use", id, name: TOOL, input: {} }, written);
    }
    const stop_reason = calls.length > 0 ? "tool_use" : "end_turn";
    const named = (data: Record<string, unknown>): PlannedEvent => ({
      name: data["type"] as string,
      data,
    });
    return [
      ...events.map(named),
      {
        ...named({ type: "message_delta", delta: { stop_reason }, usage: { output_tokens: 7 } }),
        finish: ["delta", "stop_reason"],
      },
      named({ type: "message_stop" }),
    ];
  },

  google({ thoughts, texts, calls }) {
    const chunk = (part: object, more: object = {}) => ({
      candidates: [{ index: 0, content: { role: "model", parts: [part] }, ...more }],
      modelVersion: "m",
    });
    const usageMetadata = { promptTokenCount: 11, candidatesTokenCount: 7, totalTokenCount: 18 };
    return [
      ...thoughts.map((thought) => ({ data: chunk({ text: thought, thought: true }) })),
      ...texts.map((said) => ({ data: chunk({ text: said }) })),
      ...calls.map(({ id, given }) => ({
        data: chunk({ functionCall: { id, name: TOOL, args: given } }),
      })),
      {
        data: { ...chunk({ text: "" }, { finishReason: "STOP" }), usageMetadata },
        finish: ["candidates", 0, "finishReason"],
      },
    ];
  },
};
