/** The stream of OpenAI's Responses, also as other servers speak it. */
import type { Departures } from "./departures.ts";
import {
  argumentsIn,
  countIn,
  fieldsOf,
  idIn,
  isFields,
  listOf,
  textIn,
  type Fields,
} from "./json-fields.ts";
import type { StreamMender } from "./stream-mender.ts";
import type { TextPiece } from "./text-bypass.ts";

/** One item of the answer: a message, a thought or a call. */
interface OutputItem {
  readonly index: number;
  readonly id: string;
  readonly type: string;
  name: string | undefined;
  readonly callId: string | undefined;
  /** The arguments that came so far. */
  written: string;
  /** The text that stood in the item when it began. */
  readonly begun: string;
  /** Whether the package was told of the item. It is told of no call without a name. */
  isGiven: boolean;
  hasText: boolean;
  isDone: boolean;
}

export function createResponsesMender(departures: Departures): StreamMender {
  return new ResponsesMender(departures);
}

class ResponsesMender implements StreamMender {
  readonly api = "responses";
  readonly #departures: Departures;
  readonly #items = new Map<number, OutputItem>();
  readonly #itemsById = new Map<string, OutputItem>();
  #last: OutputItem | undefined;
  #isOver = false;

  constructor(departures: Departures) {
    this.#departures = departures;
  }

  get isOver(): boolean {
    return this.#isOver;
  }
  get mayEnd(): boolean {
    return this.#isOver;
  }

  mend(event: Fields, name: string | undefined): Fields[] {
    const type = textIn(event["type"]) ?? name ?? "";
    switch (name === "error" ? name : type) {
      case "response.output_item.added":
        return this.#add(fieldsOf(event["item"]), event);
      case "response.output_item.done":
        return this.#finish(fieldsOf(event["item"]), event);
      case "response.output_text.delta":
      case "response.refusal.delta":
        return this.#text(type, event);
      case "response.output_text.done":
        return this.#wholeText(event, event["text"]);
      case "response.refusal.done":
        return this.#wholeText(event, event["refusal"]);
      case "response.content_part.done":
        return isReasoning(event["part"]) ? [] : this.#wholeText(event, textOf([event["part"]]));
      case "response.function_call_arguments.delta":
        return this.#arguments(event);
      case "response.function_call_arguments.done": {
        const item = this.#itemOf(event);
        if (item !== undefined) item.written = argumentsIn(event["arguments"]) || item.written;
        return [];
      }
      case "response.reasoning_summary_part.added":
      case "response.reasoning_summary_part.done":
        return this.#thought(type, event, {});
      case "response.reasoning_summary_text.delta": {
        const delta = textIn(event["delta"]);
        return delta === undefined ? [] : this.#thought(type, event, { delta });
      }
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
      case "response.done":
        return this.#end(type, fieldsOf(event["response"]));
      case "error":
      case "response.error":
        return [errorEvent(event)];
      default:
        return this.#other(event, type);
    }
  }

  fromWhole(answer: Fields): Fields[] | undefined {
    const hasOutput =
      Array.isArray(answer["output"]) || textIn(answer["output_text"]) !== undefined;
    return hasOutput ? this.#end("response.done", answer) : undefined;
  }

  atEnd(): Fields[] {
    return [];
  }

  pieceIn(event: Fields): TextPiece | undefined {
    return event["type"] === "response.output_text.delta"
      ? { holder: event, field: "delta", block: event["item_id"] }
      : undefined;
  }

  #other(event: Fields, type: string): Fields[] {
    if (isFields(event["error"])) return [errorEvent(event)];
    if (type === "" || type === "message") {
      const whole = this.fromWhole(event);
      if (whole !== undefined) return whole;
    }
    // The package says of an answer in chat completions that it is one.
    if (type === "" && event["choices"] !== undefined) return [event];
    // The rest of the protocol's own events repeats what other events say.
    if (!type.startsWith("response.")) this.#departures.add(`event:${type}`);
    return [];
  }

  #add(item: Fields, event: Fields): Fields[] {
    const index = countIn(event["output_index"]) ?? this.#items.size;
    const kept = readItem(item, index);
    if (kept === undefined) return [];
    if (event["output_index"] == null) this.#departures.add("output_index");
    this.#items.set(index, kept);
    this.#itemsById.set(kept.id, kept);
    this.#last = kept;
    return kept.type === "function_call" && kept.name === undefined ? [] : [give(item, kept)];
  }

  #finish(item: Fields, event: Fields): Fields[] {
    const known = this.#itemOf({ item_id: item["id"], output_index: event["output_index"] });
    const events: Fields[] = [];
    let kept = known;
    if (kept === undefined || kept.isDone || kept.type !== item["type"]) {
      if (known?.isDone === true && known.type === item["type"]) return [];
      events.push(...this.#add(item, event));
      kept = events.length === 0 ? undefined : this.#last;
    }
    if (kept === undefined) return events;
    if (!kept.isGiven) {
      kept.name = textIn(item["name"]);
      events.push(give(item, kept));
    }
    if (kept.type === "message" && !kept.hasText) {
      const text = textOf(item["content"]) || kept.begun;
      const delta = { output_index: kept.index, item_id: kept.id, delta: text };
      events.push(...this.#text("response.output_text.delta", delta));
    }
    kept.written = argumentsIn(item["arguments"]) || kept.written;
    kept.isDone = true;
    events.push({
      type: "response.output_item.done",
      output_index: kept.index,
      item: writeItem(item, kept),
    });
    return events;
  }

  #text(type: string, event: Fields): Fields[] {
    const delta = textIn(event["delta"]);
    if (delta === undefined) return [];
    const known = this.#itemOf(event);
    const item = known?.type === "message" ? known : undefined;
    const begun =
      item === undefined
        ? this.#add(
            { type: "message", id: event["item_id"] },
            { output_index: event["output_index"] },
          )
        : [];
    const spoken = item ?? this.#last;
    if (spoken === undefined) return [];
    spoken.hasText = true;
    const { index, id } = spoken;
    return [...begun, { type, item_id: id, output_index: index, delta }];
  }

  /** A text that is said to be whole, of which maybe nothing was said before. */
  #wholeText(event: Fields, text: unknown): Fields[] {
    return this.#itemOf(event)?.hasText === true
      ? []
      : this.#text("response.output_text.delta", { ...event, delta: text });
  }

  #arguments(event: Fields): Fields[] {
    const item = this.#itemOf(event);
    const delta = argumentsIn(event["delta"]) ?? "";
    if (item === undefined || delta === "") return [];
    item.written += delta;
    if (!item.isGiven) return [];
    return [
      {
        type: "response.function_call_arguments.delta",
        item_id: item.id,
        output_index: item.index,
        delta,
      },
    ];
  }

  #thought(type: string, event: Fields, more: Fields): Fields[] {
    const item = this.#itemOf(event);
    if (item === undefined) return [];
    const summary_index = countIn(event["summary_index"]) ?? 0;
    return [{ type, item_id: item.id, output_index: item.index, summary_index, ...more }];
  }

  #end(type: string, response: Fields): Fields[] {
    this.#isOver = true;
    const error = response["error"];
    const words = [type.slice("response.".length), textIn(response["status"])];
    const ends = words.filter((word) => word !== undefined && !ENDS_OF_WHOLE.has(word));
    if (ends.includes("failed") || isError(error)) {
      return [{ type: "response.failed", sequence_number: 0, response: failureOf(error) }];
    }
    const usage = usageOf(response["usage"]);
    // An incomplete response without a reason would count as a whole one.
    const reason = textIn(fieldsOf(response["incomplete_details"])["reason"]) ?? ends.at(-1);
    return [
      ...this.#unsaid(response),
      {
        type: ends.length > 0 ? "response.incomplete" : "response.completed",
        response: {
          ...(usage === undefined ? {} : { usage }),
          ...(reason === undefined ? {} : { incomplete_details: { reason } }),
        },
      },
    ];
  }

  /** What only the last event says, and what was not said to be done before it. */
  #unsaid(response: Fields): Fields[] {
    const output = listOf(response["output"]).filter(isFields);
    const said = textIn(response["output_text"]);
    if (output.length === 0 && this.#items.size === 0 && said !== undefined) {
      output.push({ type: "message", content: said });
    }
    const known = this.#knownOf(output);
    let free = Math.max(-1, ...this.#items.keys()) + 1;
    const fresh = output.flatMap((item) => {
      const index = known.get(item)?.index ?? free++;
      return this.#items.get(index)?.isDone === true
        ? []
        : this.#finish(item, { output_index: index });
    });
    const open = [...this.#items.values()].filter(({ isDone }) => !isDone);
    if (open.length > 0) this.#departures.add("response.output_item.done");
    return [
      ...fresh,
      ...open.flatMap((item) => this.#finish({ type: item.type, id: item.id }, {})),
    ];
  }

  /**
   * The items of which others were told that come in the last event. Servers give them other ids and places there, and leave
   * some out. So the first one of a kind that has no known id is the first one of its kind.
   */
  #knownOf(output: readonly Fields[]): Map<Fields, OutputItem> {
    const known = new Map<Fields, OutputItem>();
    const left = new Set(this.#items.values());
    const pair = (item: Fields, kept: OutputItem | undefined): void => {
      if (kept === undefined || !left.delete(kept)) return;
      known.set(item, kept);
    };
    for (const item of output) pair(item, this.#itemsById.get(idIn(item["id"]) ?? ""));
    for (const item of output) {
      if (known.has(item)) continue;
      pair(
        item,
        [...left].find(({ type }) => type === item["type"]),
      );
    }
    return known;
  }

  /** The item that an event is about. */
  #itemOf(event: Fields): OutputItem | undefined {
    const index = countIn(event["output_index"]);
    if (index !== undefined) return this.#items.get(index);
    const id = idIn(event["item_id"]);
    if (id === undefined) return this.#last;
    // Some servers give one item another id in every event.
    const open = this.#last?.isDone === false ? this.#last : undefined;
    return this.#itemsById.get(id) ?? open;
  }
}

/** Tells the package of an item. */
function give(item: Fields, kept: OutputItem): Fields {
  kept.isGiven = true;
  return {
    type: "response.output_item.added",
    output_index: kept.index,
    item: writeItem(item, kept),
  };
}

function isReasoning(part: unknown): boolean {
  const type = textIn(fieldsOf(part)["type"]) ?? "";
  return type.startsWith("reasoning") || type.startsWith("summary");
}

function isError(error: unknown): boolean {
  return textIn(error) !== undefined || (isFields(error) && Object.keys(error).length > 0);
}

/** Words for the end of a response, in its event's name or as its status, that take nothing from it. */
const ENDS_OF_WHOLE: ReadonlySet<string> = new Set(["done", "completed", "in_progress", "queued"]);

function readItem(item: Fields, index: number): OutputItem | undefined {
  const type = textIn(item["type"]);
  if (type !== "message" && type !== "reasoning" && type !== "function_call") return undefined;
  const id = idIn(item["id"]) ?? `item_${index}`;
  return {
    index,
    id,
    type,
    name: textIn(item["name"]),
    callId: idIn(item["call_id"]) ?? idIn(item["id"]) ?? `call_${index}`,
    written: argumentsIn(item["arguments"]) ?? "",
    begun: textOf(item["content"]),
    isGiven: false,
    hasText: false,
    isDone: false,
  };
}

function writeItem(item: Fields, { id, type, name, callId, written, isDone }: OutputItem): Fields {
  switch (type) {
    case "message": {
      const phase = item["phase"];
      const isPhase = phase === "commentary" || phase === "final_answer";
      return { type, id, ...(isPhase && { phase }) };
    }
    case "reasoning":
      return { type, id, encrypted_content: textIn(item["encrypted_content"]) ?? null };
    default:
      return {
        type,
        id,
        call_id: callId,
        name: name ?? textIn(item["name"]),
        arguments: written,
        ...(isDone && { status: "completed" }),
      };
  }
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  return listOf(content)
    .map((part) => textIn(fieldsOf(part)["text"]) ?? textIn(fieldsOf(part)["refusal"]) ?? "")
    .join("");
}

function usageOf(usage: unknown): Fields | undefined {
  const fields = fieldsOf(usage);
  const input = countIn(fields["input_tokens"]) ?? countIn(fields["prompt_tokens"]);
  const output = countIn(fields["output_tokens"]) ?? countIn(fields["completion_tokens"]);
  if (input === undefined && output === undefined) return undefined;
  return { input_tokens: input ?? 0, output_tokens: output ?? 0 };
}

function failureOf(error: unknown): Fields {
  const fields = fieldsOf(error);
  const code = idIn(fields["code"]) ?? textIn(fields["type"]) ?? null;
  return { error: { code, message: textIn(fields["message"]) ?? textIn(error) ?? "error" } };
}

function errorEvent(event: Fields): Fields {
  const error = isFields(event["error"]) ? event["error"] : event;
  const code = idIn(error["code"]) ?? (error === event ? null : (textIn(error["type"]) ?? null));
  const message = textIn(error["message"]) ?? textIn(event["error"]) ?? "error";
  return {
    type: "error",
    sequence_number: 0,
    code,
    message,
    param: textIn(error["param"]) ?? null,
  };
}
