/**
 * Reads the answers of the API server by the events of their streams. An async iterator over a stream would make a dozen objects and
 * several promises for each chunk, and a controller of thousands of objects reads hundreds of answers in a second.
 */
import type { IncomingMessage } from "node:http";
import { ConnectionError } from "./api-error.ts";

/** The largest answer that is read, apart from watches. */
export const MAX_RESPONSE_BYTES = 256 * 1024 * 1024;
/** The longest line of a watch. By default etcd holds no object that is larger than 1.5 MiB. */
export const MAX_WATCH_LINE_BYTES = 8 * 1024 * 1024;

const NEW_LINE = 10;
const OPENING_BRACE = 123;

/** Resolves to the whole answer. Rejects when it is cut or too large. */
export async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  await eachChunk(response, (chunk) => {
    size += chunk.length;
    if (size > MAX_RESPONSE_BYTES) {
      throw new ConnectionError(`the answer is over ${MAX_RESPONSE_BYTES} bytes`);
    }
    chunks.push(chunk);
  });
  return decoded(chunks);
}

/** Resolves when a whole object of JSON has come, of which nothing but its beginning is looked at. Rejects when it is cut, or something else. */
export async function objectDrained(response: IncomingMessage): Promise<void> {
  let isObject = false;
  await eachChunk(response, (chunk) => {
    isObject ||= chunk[0] === OPENING_BRACE;
    // Such as the page of a proxy, which has carried out nothing.
    if (!isObject) throw new ConnectionError("the answer is no object of JSON");
  });
  if (!isObject) throw new ConnectionError("the answer is empty");
}

/**
 * Calls `take` with each line that is not blank, as soon as it has come. Resolves when the answer has ended. Rejects when it is cut,
 * when a line is too long, and with what `take` throws; nothing more is read then.
 */
export async function eachLine(
  response: IncomingMessage,
  take: (line: string) => void,
): Promise<void> {
  let begun: Buffer[] = [];
  let size = 0;
  await eachChunk(response, (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(NEW_LINE); end >= 0; end = chunk.indexOf(NEW_LINE, start)) {
      const part = chunk.subarray(start, end);
      const line = begun.length === 0 ? part.toString("utf8") : decoded([...begun, part]);
      begun = [];
      size = 0;
      start = end + 1;
      if (!isBlank(line)) take(line);
    }
    if (start === chunk.length) return;
    begun.push(start === 0 ? chunk : chunk.subarray(start));
    size += chunk.length - start;
    if (size > MAX_WATCH_LINE_BYTES) {
      throw new ConnectionError(`a line of the watch is over ${MAX_WATCH_LINE_BYTES} bytes`);
    }
  });
}

/** Settles when the answer has ended or was cut. When `take` throws, that is what it rejects with, and nothing more is read. */
function eachChunk(response: IncomingMessage, take: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (error: unknown): void => {
      response.off("data", onData);
      response.destroy();
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      try {
        take(chunk);
      } catch (error) {
        stop(error);
      }
    };
    const onClose = (): void => reject(response.errored ?? new Error("it was closed early"));
    response.on("data", onData).on("end", resolve).on("error", reject).on("close", onClose);
    // It may have been over before anybody listened.
    if (response.destroyed) onClose();
  });
}

/** Without a copy of a single part. */
function decoded(parts: readonly Buffer[]): string {
  const [first, ...others] = parts;
  if (first === undefined) return "";
  return (others.length === 0 ? first : Buffer.concat(parts)).toString("utf8");
}

/** Looks no further than the first character of any other line. */
function isBlank(line: string): boolean {
  return /^\s*$/.test(line);
}
