import { ApiProblem } from "./api-problem.ts";

/** The most bytes of the body of a request. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** Reads a body whole, however it is sent. Rejects with an ApiProblem when it is too large or is no text in UTF-8. */
export async function readBody(request: Request): Promise<string> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // What comes after a `throw` is not read: leaving the loop cancels the stream.
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch (error) {
    throw new ApiProblem("InvalidRequest", "the body is no text in UTF-8", { cause: error });
  }
}

function tooLarge(): ApiProblem {
  return new ApiProblem("InvalidRequest", "the body is larger than 1 MiB", { status: 413 });
}
