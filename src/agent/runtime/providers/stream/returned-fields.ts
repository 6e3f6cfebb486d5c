/**
 * Fields of a chat completion's message that its server wants back, when the result of a tool follows the message: a server
 * that thinks goes on from its thoughts, and some refuse a request that lacks them. They go back under the server's own names,
 * since others refuse fields that they do not know.
 */
import { fieldsOf, isFields, listOf, type Fields } from "./json-fields.ts";

/** The name under which the fields are in the metadata of the last part of a stream. */
export const RETURNED_FIELDS = "returned";

const TEXTS = ["reasoning_content", "reasoning"] as const;

/** The shape is what the package of compatible servers calls a metadata extractor. */
export const returnedFieldsExtractor = {
  extractMetadata: () => Promise.resolve(undefined),
  createStreamExtractor: () => {
    const fields: Fields = {};
    const details: Fields[] = [];
    return {
      processChunk(chunk: unknown): void {
        const delta = fieldsOf(fieldsOf(listOf(fieldsOf(chunk)["choices"])[0])["delta"]);
        for (const name of TEXTS) {
          const text = delta[name];
          if (typeof text === "string") fields[name] = ((fields[name] as string) ?? "") + text;
        }
        for (const detail of listOf(delta["reasoning_details"])) {
          if (isFields(detail)) addDetail(details, detail);
        }
      },
      buildMetadata() {
        if (details.length > 0) fields["reasoning_details"] = details;
        return Object.keys(fields).length === 0
          ? undefined
          : { [RETURNED_FIELDS]: fields as never };
      },
    };
  },
};

/** The texts of a detail that come in pieces. Of the other fields the last value counts. */
const PIECES = new Set(["text", "summary", "data"]);

function addDetail(details: Fields[], piece: Fields): void {
  const last = details.at(-1);
  const goesOn =
    last !== undefined && last["type"] === piece["type"] && last["index"] === piece["index"];
  if (!goesOn) {
    details.push({ ...piece });
    return;
  }
  for (const [name, value] of Object.entries(piece)) {
    const before = last[name];
    const isPiece = PIECES.has(name) && typeof before === "string" && typeof value === "string";
    if (isPiece) last[name] = before + value;
    else if (value !== null || before === undefined) last[name] = value;
  }
}
