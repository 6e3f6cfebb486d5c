/** The stream of OpenAI's chat completions, which dozens of other servers speak. */
import type { Departures } from "./departures.ts";
import {
  argumentsIn,
  countIn,
  fieldsOf,
  idIn,
  isFields,
  listOf,
  onlyField,
  onlyItem,
  textIn,
  type Fields,
} from "./json-fields.ts";
import { RETURNED_TEXTS } from "./returned-fields.ts";
import type { StreamMender } from "./stream-mender.ts";
import type { TextPiece } from "./text-bypass.ts";

/** The package of OpenAI itself wants every choice to have its number. */
export function createOpenAIChatMender(departures: Departures): StreamMender {
  return createChatMender(departures, { index: 0 });
}

/** `every`: fields that every choice is to have. */
export function createChatMender(departures: Departures, every: Fields = {}): StreamMender {
  let hasSpoken = false;
  let hasEnded = false;
  /** Some servers give a reason in every chunk, so that it does not say that the answer has ended. */
  let goesOn = false;
  /** The fields with thoughts that have come. */
  const thought = new Set<string>();
  /** What came of each call that has an index and an id. */
  const written = new Map<unknown, { id: unknown; text: string }>();
  /** The calls that have begun last, by the index that the server gave them. */
  const begun = new Map<unknown, { id: string | undefined; name: string; index: number }>();

  function mend(chunk: Fields, name?: string): Fields[] {
    const error = errorOf(chunk, name);
    if (chunk["choices"] === undefined && chunk["usage"] == null && error === undefined) {
      departures.add(name === undefined ? `keys:${Object.keys(chunk).join(".")}` : `event:${name}`);
      return [];
    }
    const choice = firstChoice(listOf(chunk["choices"]));
    if (choice !== undefined && !isFields(choice)) return [chunk];
    const mended = mendChoice(fieldsOf(choice), chunk);
    const usage = usageOf(chunk, fieldsOf(choice));
    const events: Fields[] = [];
    if (mended !== undefined || usage !== undefined) {
      hasSpoken = true;
      const list = mended === undefined ? [] : [mended];
      events.push(usage === undefined ? { choices: list } : { choices: list, usage });
    }
    // A package reads an error before anything that stands beside it, or not at all.
    const failed = error ?? meaningful(fieldsOf(choice)["error"]);
    if (failed !== undefined) events.push({ error: mendError(failed) });
    return events;
  }

  function mendChoice(choice: Fields, chunk: Fields): Fields | undefined {
    const delta = mendDelta(deltaOf(choice));
    const reason =
      reasonIn(choice["finish_reason"]) ??
      reasonIn(fieldsOf(choice["delta"])["finish_reason"]) ??
      reasonIn(chunk["finish_reason"]);
    goesOn ||= hasEnded && (delta["content"] ?? delta["tool_calls"]) !== undefined;
    hasEnded ||= reason !== undefined;
    if (Object.keys(delta).length === 0 && reason === undefined) return undefined;
    return reason === undefined ? { ...every, delta } : { ...every, delta, finish_reason: reason };
  }

  function deltaOf({ delta, message, text }: Fields): Fields {
    if (isFields(delta)) return isFields(message) ? withCallsOf(message, delta) : delta;
    if (typeof delta === "string") return { content: delta };
    // Some servers repeat in `message` all that was said so far.
    if (isFields(message) && !hasSpoken) return message;
    return typeof text === "string" ? { content: text } : {};
  }

  /** Some servers give the calls in nothing but the message that they end with. */
  function withCallsOf(message: Fields, delta: Fields): Fields {
    const calls = listOf(message["tool_calls"]);
    const hasCalls = begun.size > 0 || written.size > 0 || listOf(delta["tool_calls"]).length > 0;
    return calls.length === 0 || hasCalls ? delta : { ...delta, tool_calls: calls };
  }

  function mendDelta(delta: Fields): Fields {
    const mended: Fields = {};
    const content = contentOf(delta["content"]);
    if (content !== undefined) mended["content"] = content;
    if (hasOnlyContent(delta)) return mended;
    const thoughts = REASONING_TEXTS.find((field) => textIn(delta[field]) !== undefined);
    for (const field of RETURNED_TEXTS) {
      const isOther =
        thoughts !== undefined && (REASONING_TEXTS as readonly string[]).includes(field);
      if (isOther && field !== thoughts) continue;
      const isFirst = delta[field] === "" && !thought.has(field);
      if (!isFirst && textIn(delta[field]) === undefined) continue;
      thought.add(field);
      mended[field] = delta[field];
    }
    for (const field of RETURNED_LISTS) {
      const list = delta[field];
      if (Array.isArray(list) && list.length > 0) mended[field] = list;
    }
    const refusal = textIn(delta["refusal"]);
    if (refusal !== undefined) mended["refusal"] = refusal;
    const called = listOf(delta["tool_calls"]);
    const calls = (called.length > 0 ? called : oldCallOf(delta))
      .flatMap(mendCall)
      .map(withOwnIndex)
      .filter((call) => !isRepeated(call));
    if (calls.length > 0) mended["tool_calls"] = calls;
    return mended;
  }

  /** Some servers give all calls one index. Then pieces without an id belong to the call that has begun last. */
  function withOwnIndex(call: Fields): Fields {
    const given = call["index"];
    if (typeof given !== "number") return call;
    const id = textIn(call["id"]);
    const name = textIn(fieldsOf(call["function"])["name"]);
    const known = begun.get(given);
    if (name === undefined) {
      const isSame = known !== undefined && (id ?? known.id) === (known.id ?? id);
      return isSame ? { ...call, index: known.index } : call;
    }
    const isOther = known !== undefined && known.name !== name;
    const own = isOther ? known.index + BETWEEN_INDEXES : (known?.index ?? given);
    if (known === undefined || isOther) begun.set(given, { id, name, index: own });
    return { ...call, index: own };
  }

  /** Some servers send each call once more as a whole, when all its pieces have come. */
  function isRepeated(call: Fields): boolean {
    const { index, id } = call;
    const piece = textIn(fieldsOf(call["function"])["arguments"]) ?? "";
    const known = written.get(index);
    if (index === undefined || (known === undefined && id === undefined)) return false;
    const isSame = known !== undefined && id !== undefined && known.id === id;
    // The package would take a begin that came twice for one more call.
    if (isSame && piece === "") return true;
    if (isSame && piece.endsWith("}") && piece === known.text) return true;
    if (known === undefined || (id !== undefined && !isSame))
      written.set(index, { id, text: piece });
    else known.text += piece;
    return false;
  }

  return {
    api: "chat",
    mend,
    fromWhole(answer) {
      const [choice] = listOf(answer["choices"]);
      if (!isFields(choice)) return undefined;
      const message = fieldsOf(choice["message"] ?? choice["delta"]);
      const tool_calls = listOf(message["tool_calls"]).map((call, index) =>
        isFields(call) ? { ...call, index } : call,
      );
      // A chunk that came alone may be the begin of an answer that broke off.
      const end = isFields(choice["message"]) ? "stop" : undefined;
      const finish_reason = reasonIn(choice["finish_reason"]) ?? end;
      const delta = { ...message, tool_calls };
      const events = mend({ ...answer, choices: [{ ...choice, delta, finish_reason }] });
      // Of an answer that says nothing, only the error counts.
      const failed = events.find((event) => event["error"] !== undefined);
      const [first] = listOf(events[0]?.["choices"]);
      const saysNothing = Object.keys(fieldsOf(fieldsOf(first)["delta"])).length === 0;
      return failed !== undefined && saysNothing ? [failed] : events;
    },
    // Without any reason the package takes the end for a fault of the protocol, and not for an answer that broke off.
    atEnd: () => (hasEnded ? [] : [{ choices: [{ ...every, delta: {}, finish_reason: "" }] }]),
    get mayEnd() {
      return hasEnded && !goesOn;
    },
    pieceIn,
    isOver: false,
  };
}

/** Nobody asked for more than one choice, so that another one beside it is left out. */
function firstChoice(choices: readonly unknown[]): unknown {
  if (choices.length === 1) return choices[0] ?? undefined;
  const given = choices.filter((choice) => choice !== null);
  return given.find((choice) => fieldsOf(choice)["index"] === 0) ?? given[0];
}

/** Most deltas are so, and of the role nothing is made. */
function hasOnlyContent(delta: Fields): boolean {
  for (const field in delta) if (field !== "content" && field !== "role") return false;
  return true;
}

function pieceIn(event: Fields): TextPiece | undefined {
  const delta = onlyField(onlyItem(onlyField(event, "choices")), "delta", "index");
  return textIn(onlyField(delta, "content")) === undefined
    ? undefined
    : { holder: delta as Fields, field: "content", block: "content" };
}

/** Python writes its null as a text. */
function reasonIn(reason: unknown): string | undefined {
  const word = textIn(reason);
  return word === undefined || /^(null|none)$/i.test(word) ? undefined : word;
}

/** Some servers write the same thought into both. */
const REASONING_TEXTS = ["reasoning_content", "reasoning"] as const;
const RETURNED_LISTS = ["reasoning_details", "thinking_blocks"];

/** The content as a text or, when there are thoughts in it, as the parts that the package knows. */
function contentOf(content: unknown): string | Fields[] | undefined {
  if (typeof content === "string") return textIn(content);
  if (typeof content === "number") return String(content);
  const parts = listOf(content).flatMap((part): Fields[] => {
    const fields = typeof part === "string" ? { type: "text", text: part } : fieldsOf(part);
    const thought = isThought(fields["type"]) ? thoughtIn(fields) : "";
    if (thought !== "") return [{ type: "thinking", thinking: [{ type: "text", text: thought }] }];
    const text = isThought(fields["type"]) ? undefined : textIn(fields["text"]);
    return text === undefined ? [] : [{ type: "text", text }];
  });
  if (parts.length === 0) return undefined;
  const isText = parts.every(({ type }) => type === "text");
  return isText ? parts.map(({ text }) => text as string).join("") : parts;
}

function isThought(type: unknown): boolean {
  return type === "thinking" || type === "reasoning";
}

function thoughtIn(part: Fields): string {
  const thought = part["thinking"] ?? part["reasoning"] ?? part["text"];
  if (typeof thought === "string") return thought;
  return listOf(thought)
    .map((piece) => textIn(piece) ?? textIn(fieldsOf(piece)["text"]) ?? "")
    .join("");
}

/** The package puts calls into the order of their indexes. */
const BETWEEN_INDEXES = 1 / 1024;

/** A call in the form that stood before `tool_calls`. */
function oldCallOf(delta: Fields): Fields[] {
  const call = fieldsOf(delta["function_call"]);
  const isEmpty = (textIn(call["name"]) ?? argumentsIn(call["arguments"]) ?? "") === "";
  return isEmpty ? [] : [{ index: 0, function: call }];
}

function mendCall(call: unknown): Fields[] {
  if (!isFields(call)) return [];
  const described = [call["function"], call["custom"]].find(isFields) ?? call;
  const mended: Fields = {};
  const index = countIn(call["index"]);
  if (index !== undefined) mended["index"] = index;
  const id = idIn(call["id"]);
  if (id !== undefined) mended["id"] = id;
  const asked: Fields = {};
  const name = textIn(described["name"]);
  if (name !== undefined) asked["name"] = name;
  const written = argumentsIn(
    described["arguments"] ?? described["parameters"] ?? described["input"],
  );
  if (written !== undefined) asked["arguments"] = written;
  mended["function"] = asked;
  const signature = textIn(
    fieldsOf(fieldsOf(call["extra_content"])["google"])["thought_signature"],
  );
  if (signature !== undefined) {
    mended["extra_content"] = { google: { thought_signature: signature } };
  }
  return [mended];
}

/** An error in the form that packages know. Some servers have a word for it where others have a number. */
function mendError(error: Fields): Fields {
  const { code, status, type } = error;
  const known = [code, status].find((word) => typeof word === "number" || textIn(word));
  const mended: Fields = { message: textIn(error["message"]) ?? textIn(error["msg"]) ?? "error" };
  if (known !== undefined) mended["code"] = known;
  if (textIn(type) !== undefined) mended["type"] = type;
  if (textIn(error["param"]) !== undefined) mended["param"] = error["param"];
  return mended;
}

/** The error that a chunk has or is. */
function errorOf(chunk: Fields, name: string | undefined): Fields | undefined {
  const error = meaningful(chunk["error"]) ?? errorOfMiniMax(chunk);
  if (error !== undefined) return isOfTheAnswer(chunk, name) ? error : undefined;
  if (chunk["choices"] !== undefined) return undefined;
  const isError = name === "error" || chunk["object"] === "error" || chunk["type"] === "error";
  const message = ERROR_TEXTS.map((field) => textIn(chunk[field])).find((text) => text);
  const isUnnamed = name === undefined || name === "message";
  const hasDetails = [chunk["errors"], chunk["detail"]].some(
    (details) => typeof details === "object" && listOf(details).length > 0,
  );
  return isError || (isUnnamed && (hasDetails || message !== undefined))
    ? { ...chunk, message: message ?? "error" }
    : undefined;
}

/** MiniMax has no choices then, and says with a code how it went, which is 0 where all is well. */
function errorOfMiniMax(chunk: Fields): Fields | undefined {
  const { status_code, status_msg } = fieldsOf(chunk["base_resp"]);
  const code = countIn(status_code) ?? 0;
  if (code === 0 || listOf(chunk["choices"]).length > 0) return undefined;
  return { message: textIn(status_msg) ?? "error" };
}

/** Where servers write what went wrong when they have no answer. */
const ERROR_TEXTS = ["message", "detail", "msg", "error_msg", "errorMsg", "error_message"];

/** A server may have events of its own beside the answer, and errors in them. */
function isOfTheAnswer(chunk: Fields, name: string | undefined): boolean {
  return chunk["choices"] !== undefined || name === undefined || NAMES.has(name);
}

const NAMES: ReadonlySet<string> = new Set(["error", "message"]);

/** An error field is often there and says nothing. */
function meaningful(error: unknown): Fields | undefined {
  if (typeof error === "string") return error === "" ? undefined : { message: error };
  if (typeof error === "number" && error !== 0) return { message: "error", code: error };
  if (!isFields(error)) return error === true ? { message: "error" } : undefined;
  return Object.keys(error).length === 0 ? undefined : error;
}

function usageOf(chunk: Fields, choice: Fields): Fields | undefined {
  const usage = chunk["usage"] ?? choice["usage"] ?? fieldsOf(chunk["x_groq"])["usage"];
  const { prompt_tokens, completion_tokens, input_tokens, output_tokens } = fieldsOf(usage);
  const prompt = countIn(prompt_tokens) ?? countIn(input_tokens);
  const completion = countIn(completion_tokens) ?? countIn(output_tokens);
  if (prompt === undefined && completion === undefined) return undefined;
  return { prompt_tokens: prompt ?? 0, completion_tokens: completion ?? 0 };
}
