/**
 * Fields of a chat completion's message that its server wants back, when the result of a tool follows the message: a server
 * that thinks goes on from its thoughts, and some refuse a request that lacks them. They go back under the server's own names,
 * since others refuse fields that they do not know.
 */
import { fieldsOf, isFields, listOf, textIn, type Fields } from "./json-fields.ts";

/** The name under which the fields are in the metadata of the last part of a stream. */
export const RETURNED_FIELDS = "returned";

/** Texts of messages that come in pieces. An empty one is wanted back, too: DeepSeek refuses a message that lacks the field. */
export const RETURNED_TEXTS = [
  "reasoning_content",
  "reasoning",
  "reasoning_text",
  "reasoning_opaque",
] as const;

/** The shape is what the package of compatible servers calls a metadata extractor. */
export const returnedFieldsExtractor = {
  extractMetadata: () => Promise.resolve(undefined),
  createStreamExtractor: () => {
    const fields: Fields = {};
    const details: Fields[] = [];
    const blocks: Fields[] = [];
    return {
      processChunk(chunk: unknown): void {
        const delta = fieldsOf(fieldsOf(listOf(fieldsOf(chunk)["choices"])[0])["delta"]);
        for (const name of RETURNED_TEXTS) {
          const text = delta[name];
          if (typeof text === "string") fields[name] = ((fields[name] as string) ?? "") + text;
        }
        for (const detail of listOf(delta["reasoning_details"])) {
          if (isFields(detail)) addDetail(details, detail);
        }
        for (const block of listOf(delta["thinking_blocks"])) {
          if (isFields(block)) addBlock(blocks, block);
        }
      },
      buildMetadata() {
        if (details.length > 0) fields["reasoning_details"] = details;
        // Anthropic, to which LiteLLM hands them on, refuses a thought without its signature.
        const signed = blocks.filter((block) => block["type"] !== "thinking" || isSigned(block));
        if (signed.length > 0) fields["thinking_blocks"] = signed;
        return Object.keys(fields).length === 0
          ? undefined
          : { [RETURNED_FIELDS]: fields as never };
      },
    };
  },
};

/** The texts of a detail that come in pieces. Of the other fields the last value counts. */
const PIECES = new Set(["text", "summary", "data", "thinking"]);

function addDetail(details: Fields[], piece: Fields): void {
  const last = details.at(-1);
  const goesOn =
    last !== undefined && last["type"] === piece["type"] && last["index"] === piece["index"];
  if (goesOn) addTo(last, piece);
  else details.push({ ...piece });
}

/** The signature is the last piece of a thought. */
function addBlock(blocks: Fields[], piece: Fields): void {
  const last = blocks.at(-1);
  const goesOn = last?.["type"] === "thinking" && piece["type"] === "thinking" && !isSigned(last);
  if (goesOn) addTo(last, piece);
  else blocks.push({ ...piece });
}

function isSigned(block: Fields): boolean {
  return textIn(block["signature"]) !== undefined;
}

function addTo(last: Fields, piece: Fields): void {
  for (const [name, value] of Object.entries(piece)) {
    const before = last[name];
    const isPiece = PIECES.has(name) && typeof before === "string" && typeof value === "string";
    if (isPiece) last[name] = before + value;
    else if (value !== null || before === undefined) last[name] = value;
  }
}
