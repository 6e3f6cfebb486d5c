/** The stream of Google's `streamGenerateContent`. */
import type { Departures } from "./departures.ts";
import {
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
import type { StreamMender } from "./stream-mender.ts";
import type { TextPiece } from "./text-bypass.ts";

export function createGoogleMender(departures: Departures): StreamMender {
  let mayEnd = false;
  let goesOn = false;
  /** The last event, if it has a call. */
  let lastCall: string | undefined;

  /** Calls may go without an id: then no more than the event tells whether it came twice. */
  function isRepeatedCall(event: Fields, candidate: Fields): boolean {
    const hasCall = partsOf(candidate["content"]).some((part) =>
      isFields(fieldsOf(part)["functionCall"] ?? fieldsOf(part)["function_call"]),
    );
    const before = lastCall;
    lastCall = hasCall ? JSON.stringify(event) : undefined;
    return hasCall && lastCall === before;
  }

  function mend(given: Fields, name?: string): Fields[] {
    const event = inCamelCase(given);
    const chunk = inCamelCase(
      event["candidates"] === undefined ? fieldsOf(event["response"] ?? event) : event,
    );
    const mended: Fields = {};
    const [candidate] = listOf(chunk["candidates"]).filter((item) => item !== null);
    if (candidate !== undefined) {
      if (!isFields(candidate)) return [event];
      if (isRepeatedCall(event, candidate)) {
        departures.add("event:twice");
        return [];
      }
      const kept = mendCandidate(inCamelCase(candidate), departures);
      // Some servers give a reason in every chunk, so that it does not say that the answer has ended.
      goesOn ||= mayEnd && kept["content"] !== undefined;
      // An answer that is longer than one request goes on in another one.
      mayEnd ||= kept["finishReason"] !== undefined && kept["finishReason"] !== "CONTINUATION";
      mended["candidates"] = [kept];
    }
    const usage = countsIn(chunk["usageMetadata"]);
    if (usage !== undefined) mended["usageMetadata"] = usage;
    const blockReason = textIn(inCamelCase(fieldsOf(chunk["promptFeedback"]))["blockReason"]);
    if (blockReason !== undefined) mended["promptFeedback"] = { blockReason };
    const error = errorOf(chunk["error"] ?? (name === "error" ? chunk : undefined));
    if (error !== undefined) {
      // The package reads an error before anything that stands beside it.
      return Object.keys(mended).length === 0 ? [{ error }] : [mended, { error }];
    }
    if (Object.keys(mended).length > 0) return [mended];
    departures.add(`keys:${Object.keys(event).join(".")}`);
    return [];
  }
  return {
    api: "google",
    mend,
    fromWhole: (answer) =>
      Array.isArray(answer["candidates"]) ||
      isFields(answer["promptFeedback"] ?? answer["prompt_feedback"])
        ? mend(answer)
        : undefined,
    atEnd: () => [],
    get mayEnd() {
      return mayEnd && !goesOn;
    },
    pieceIn,
    isOver: false,
  };
}

function pieceIn({ candidates, usageMetadata, ...others }: Fields): TextPiece | undefined {
  if (Object.keys(others).length > 0) return undefined;
  const part = onlyItem(onlyField(onlyField(onlyItem(candidates), "content"), "parts"));
  if (textIn(onlyField(part, "text")) === undefined) return undefined;
  const beside = usageMetadata === undefined ? undefined : { usageMetadata };
  return { holder: part as Fields, field: "text", block: "text", beside };
}

function mendCandidate(candidate: Fields, departures: Departures): Fields {
  const mended: Fields = {};
  const parts = partsOf(candidate["content"]).flatMap((part) => mendPart(part, departures));
  if (parts.length > 0) mended["content"] = { parts };
  for (const field of ["finishReason", "finishMessage", "continuationToken"]) {
    const text = textIn(candidate[field]);
    if (text !== undefined) mended[field] = text;
  }
  return mended;
}

function partsOf(content: unknown): unknown[] {
  return typeof content === "string" ? [{ text: content }] : listOf(fieldsOf(content)["parts"]);
}

function mendPart(given: unknown, departures: Departures): Fields[] {
  if (typeof given === "string") return [{ text: given }];
  if (!isFields(given)) return [];
  const part = inCamelCase(given);
  const signature = textIn(part["thoughtSignature"]);
  const signed = signature === undefined ? {} : { thoughtSignature: signature };
  if (isFields(part["functionCall"])) {
    return [{ functionCall: mendCall(part["functionCall"]), ...signed }];
  }
  const { text } = part;
  if (typeof text !== "string" && signature === undefined) {
    departures.add(`part:${Object.keys(part).join(".")}`);
    return [];
  }
  const thought = part["thought"] === true || part["thought"] === "true";
  return [{ text: typeof text === "string" ? text : "", ...(thought && { thought }), ...signed }];
}

function mendCall(fields: Fields): Fields {
  const call = inCamelCase(fields);
  const { args, name, partialArgs, willContinue } = call;
  const mended: Fields = {};
  const id = idIn(call["id"]);
  if (id !== undefined) mended["id"] = id;
  if (typeof name === "string") mended["name"] = name;
  const given = typeof args === "string" ? objectIn(args) : args;
  if (given !== undefined && given !== null) mended["args"] = given;
  if (Array.isArray(partialArgs)) mended["partialArgs"] = partialArgs;
  if (typeof willContinue === "boolean") mended["willContinue"] = willContinue;
  return mended;
}

/** Some servers write the names of fields as the protocol's own language does: `finish_reason` for `finishReason`. */
function inCamelCase(fields: Fields): Fields {
  if (!Object.keys(fields).some((name) => name.includes("_"))) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}

/** What is no JSON stays a text, so that the model is told that its arguments are none. */
function objectIn(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const COUNTS = [
  "promptTokenCount",
  "candidatesTokenCount",
  "thoughtsTokenCount",
  "cachedContentTokenCount",
  "toolUsePromptTokenCount",
  "totalTokenCount",
];

function countsIn(usage: unknown): Fields | undefined {
  const fields = inCamelCase(fieldsOf(usage));
  const counts = COUNTS.flatMap((name) => {
    const count = countIn(fields[name]);
    return count === undefined ? [] : [[name, count] as const];
  });
  return counts.length === 0 ? undefined : Object.fromEntries(counts);
}

function errorOf(error: unknown): Fields | undefined {
  if (typeof error === "string" && error !== "") {
    return { code: null, message: error, status: "UNKNOWN" };
  }
  const fields = fieldsOf(error);
  if (Object.keys(fields).length === 0) return undefined;
  return {
    code: countIn(fields["code"]) ?? null,
    message: textIn(fields["message"]) ?? "error",
    status: textIn(fields["status"]) ?? "UNKNOWN",
  };
}
