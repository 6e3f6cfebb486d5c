import type { IncomingMessage } from "node:http";
import type { z } from "zod";
import { isTooDeep, MAX_JSON_DEPTH } from "../../promptpack/document/json-depth.ts";
import { wellFormedJSON } from "../../promptpack/document/well-formed-json.ts";
import { MAX_API_BODY_BYTES } from "../contracts/limits.ts";
import { ApiFailure } from "./api-failure.ts";

const MAX_SHOWN_ISSUES = 5;

/** The body as JSON of this form; an empty body is an empty object. Rejects with ApiFailure, and with the error of the connection. */
export async function readBody<Schema extends z.ZodType>(
  request: IncomingMessage,
  schema: Schema,
): Promise<z.output<Schema>> {
  const text = await readText(request);
  const value = text.trim() === "" ? {} : parse(text);
  // It is asked first: whatever reads the value is recursive.
  if (isTooDeep(value)) {
    throw invalid(`the body is nested more than ${MAX_JSON_DEPTH} deep`);
  }
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const issues = read.error.issues.slice(0, MAX_SHOWN_ISSUES);
  throw invalid(
    issues
      .map(({ path, message }) => `${path.length === 0 ? "the body" : path.join(".")}: ${message}`)
      .join("; "),
  );
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The connection stays, for the answer that the body is too large.
  const body = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_API_BODY_BYTES) {
      // The rest of the body is not read, so nothing else can come on this connection.
      throw new ApiFailure("InvalidRequest", `the body has over ${MAX_API_BODY_BYTES} bytes`, {
        status: 413,
        headers: { connection: "close" },
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(wellFormedJSON(text));
  } catch {
    throw invalid("the body is no JSON");
  }
}

function invalid(message: string): ApiFailure {
  return new ApiFailure("InvalidRequest", message);
}
