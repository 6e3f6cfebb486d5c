/** The stream of Anthropic's Messages, also as other servers speak it. */
import type { Departures } from "./departures.ts";
import {
  argumentsIn,
  countIn,
  fieldsOf,
  idIn,
  isFields,
  textIn,
  type Fields,
} from "./json-fields.ts";
import type { StreamMender } from "./stream-mender.ts";
import type { TextPiece } from "./text-bypass.ts";

/** Deltas by their kind: the field with their text, and the kind of block that they belong to. */
const DELTAS = {
  text_delta: ["text", "text"],
  thinking_delta: ["thinking", "thinking"],
  signature_delta: ["signature", "thinking"],
  input_json_delta: ["partial_json", "tool_use"],
} as const;
type DeltaType = keyof typeof DELTAS;
const DELTA_TYPES = Object.keys(DELTAS) as DeltaType[];

export function createAnthropicMender(departures: Departures): StreamMender {
  return new AnthropicMender(departures);
}

class AnthropicMender implements StreamMender {
  readonly api = "anthropic";
  readonly #departures: Departures;
  /** The kinds of the blocks that have begun and not ended, by index. */
  readonly #open = new Map<number, string>();
  /** The id of the call that has begun last. */
  #lastCall: string | undefined;
  /** Blocks that the agent has no use for. Their further events are left out. */
  readonly #ignored = new Set<number>();
  #lastIndex = -1;
  #outputTokens = 0;
  #stopReason: string | undefined;
  #isOver = false;

  constructor(departures: Departures) {
    this.#departures = departures;
  }

  get isOver(): boolean {
    return this.#isOver;
  }
  get mayEnd(): boolean {
    return this.#stopReason !== undefined;
  }

  mend(event: Fields, name: string | undefined): Fields[] {
    const { error } = event;
    const type = textIn(event["type"]) ?? (isFields(error) ? "error" : name);
    const isError = name === "error" || type === "error";
    const events = isError ? [errorEvent(error ?? event)] : this.#mendAnswer(event, type ?? "");
    const isBeside = !isError && isFields(error) && Object.keys(error).length > 0;
    return isBeside ? [...events, errorEvent(error)] : events;
  }

  #mendAnswer(event: Fields, type: string): Fields[] {
    switch (type) {
      case "message_start":
        return this.#start(fieldsOf(event["message"]));
      case "content_block_start":
        return this.#startBlock(event);
      case "content_block_delta":
        return this.#delta(event);
      case "content_block_stop":
        return this.#stopBlock(this.#indexOf(event));
      case "message_delta":
        return this.#messageDelta(event);
      case "message_stop":
        return this.#stop();
      case "message":
        // The whole answer as one event.
        return this.fromWhole(event) ?? [];
      case "ping":
        return [];
      default:
        this.#departures.add(`event:${type}`);
        return [];
    }
  }

  fromWhole(answer: Fields): Fields[] | undefined {
    const { content } = answer;
    if (typeof content !== "string" && !Array.isArray(content)) return undefined;
    const blocks: unknown[] =
      typeof content === "string" ? [{ type: "text", text: content }] : content;
    const stop_reason = textIn(answer["stop_reason"]) ?? "end_turn";
    return [
      ...this.#start(answer),
      ...blocks.flatMap((block, index) => [
        ...this.#startBlock({ index, content_block: block }),
        ...this.#stopBlock(index),
      ]),
      ...this.#messageDelta({ delta: { stop_reason }, usage: answer["usage"] }),
      ...(isFields(answer["error"]) ? [errorEvent(answer["error"])] : this.#stop()),
    ];
  }

  /** A server that gave the reason why the answer stopped has said all. */
  atEnd(): Fields[] {
    return this.#stopReason === undefined || this.#isOver ? [] : this.#stop();
  }

  pieceIn({ type, index, delta }: Fields): TextPiece | undefined {
    return type === "content_block_delta" && isFields(delta) && delta["type"] === "text_delta"
      ? { holder: delta, field: "text", block: index }
      : undefined;
  }

  #start(message: Fields): Fields[] {
    const usage = fieldsOf(message["usage"]);
    const counts: Fields = { input_tokens: countIn(usage["input_tokens"]) ?? 0 };
    for (const field of ["cache_creation_input_tokens", "cache_read_input_tokens"]) {
      const count = countIn(usage[field]);
      if (count !== undefined) counts[field] = count;
    }
    if (!isFields(message["usage"])) this.#departures.add("message_start.usage");
    return [{ type: "message_start", message: { id: idIn(message["id"]), usage: counts } }];
  }

  #startBlock(event: Fields): Fields[] {
    const index = countIn(event["index"]) ?? this.#lastIndex + 1;
    const block = fieldsOf(event["content_block"]);
    // The begin came twice. Taken for the begin of another block, it would end the call before its arguments came.
    const id = idIn(block["id"]);
    if (id !== undefined && id === this.#lastCall && this.#open.get(index) === "tool_use")
      return [];
    this.#lastCall = id;
    const events = this.#open.has(index) ? this.#stopBlock(index) : [];
    this.#lastIndex = index;
    const start = (content: Fields, ...deltas: Fields[]): Fields[] => {
      this.#open.set(index, content["type"] as string);
      this.#ignored.delete(index);
      events.push(
        { type: "content_block_start", index, content_block: content },
        ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
      );
      return events;
    };
    const type = block["type"];
    switch (type) {
      case "text":
      case "thinking": {
        const deltas = DELTA_TYPES.flatMap((kind) => {
          const [field, of] = DELTAS[kind];
          const text = of === type ? textIn(block[field]) : undefined;
          return text === undefined ? [] : [{ type: kind, [field]: text }];
        });
        return start({ type, [type]: "" }, ...deltas);
      }
      case "redacted_thinking":
        if (typeof block["data"] !== "string") break;
        return start({ type, data: block["data"] });
      case "tool_use": {
        const { input, name } = block;
        const id = idIn(block["id"]) ?? `call_${index}`;
        if (isFields(input)) return start({ type, id, name, input });
        const written = textIn(input);
        const delta = { type: "input_json_delta", partial_json: written };
        return start({ type, id, name }, ...(written === undefined ? [] : [delta]));
      }
    }
    this.#ignored.add(index);
    this.#departures.add(`block:${String(type)}`);
    return events;
  }

  #delta(event: Fields): Fields[] {
    const index = this.#indexOf(event);
    if (this.#ignored.has(index)) return [];
    const delta = fieldsOf(event["delta"]);
    const type =
      DELTA_TYPES.find((kind) => kind === delta["type"]) ??
      DELTA_TYPES.find((kind) => delta["type"] === undefined && DELTAS[kind][0] in delta);
    if (type === undefined) {
      this.#departures.add(`delta:${String(delta["type"])}`);
      return [];
    }
    const [field, block] = DELTAS[type];
    const text = field === "partial_json" ? argumentsIn(delta[field]) : textIn(delta[field]);
    if (text === undefined || text === "") return [];
    const events: Fields[] = [];
    if (!this.#open.has(index)) {
      this.#departures.add("content_block_start");
      // The name of a tool stands nowhere but in the start of its block.
      if (block === "tool_use") return [];
      events.push(...this.#startBlock({ index, content_block: { type: block } }));
    }
    events.push({ type: "content_block_delta", index, delta: { type, [field]: text } });
    return events;
  }

  #stopBlock(index: number): Fields[] {
    this.#ignored.delete(index);
    return this.#open.delete(index) ? [{ type: "content_block_stop", index }] : [];
  }

  #stopBlocks(): Fields[] {
    const open = [...this.#open.keys()];
    if (open.length > 0) this.#departures.add("content_block_stop");
    return open.flatMap((index) => this.#stopBlock(index));
  }

  #messageDelta(event: Fields): Fields[] {
    const delta = fieldsOf(event["delta"]);
    const usage = fieldsOf(event["usage"]);
    const stopReason = textIn(delta["stop_reason"]) ?? textIn(event["stop_reason"]);
    this.#stopReason = stopReason ?? this.#stopReason;
    if (!isFields(event["usage"])) this.#departures.add("message_delta.usage");
    this.#outputTokens = countIn(usage["output_tokens"]) ?? this.#outputTokens;
    const counts: Fields = { output_tokens: this.#outputTokens };
    for (const field of [
      "input_tokens",
      "cache_creation_input_tokens",
      "cache_read_input_tokens",
    ]) {
      const count = countIn(usage[field]);
      if (count !== undefined) counts[field] = count;
    }
    const ended = stopReason === undefined ? [] : this.#stopBlocks();
    // The package takes a reason that is missing for one that is taken back.
    const mended = { stop_reason: this.#stopReason, stop_sequence: textIn(delta["stop_sequence"]) };
    return [...ended, { type: "message_delta", delta: mended, usage: counts }];
  }

  #stop(): Fields[] {
    this.#isOver = true;
    return [...this.#stopBlocks(), { type: "message_stop" }];
  }

  #indexOf(event: Fields): number {
    return countIn(event["index"]) ?? Math.max(this.#lastIndex, 0);
  }
}

function errorEvent(error: unknown): Fields {
  const { type, message, code } = fieldsOf(error);
  const said = textIn(message) ?? textIn(error) ?? "error";
  const kind = type === "error" ? undefined : textIn(type);
  const known = typeof code === "string" || typeof code === "number" ? { code } : {};
  return { type: "error", error: { type: kind ?? "api_error", message: said, ...known } };
}
