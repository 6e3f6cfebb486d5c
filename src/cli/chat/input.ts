/** Reads from a pipe what a user says in a chat. */
import type { Readable } from "node:stream";
import { MAX_CLIENT_FRAME_BYTES } from "../../protocol/frames.ts";
import { ClientError } from "../../protocol/client/client-error.ts";

/** This message ends the chat. */
export const QUIT = "/quit";

/** Gives every line that is not blank, up to `/quit`. */
export async function* pipedMessages(input: Readable): AsyncGenerator<string> {
  for await (const line of readLines(input, MAX_CLIENT_FRAME_BYTES)) {
    if (line === undefined) {
      throw new ClientError(
        "too-large",
        `A line of the input is longer than a message may be (${MAX_CLIENT_FRAME_BYTES / 1024} KiB).`,
      );
    }
    if (line.trim() === QUIT) return;
    if (line.trim() !== "") yield line;
  }
}

/**
 * Gives the lines of a stream, without their ends. A line of more than `limit` bytes is given as `undefined`, so that no input
 * can fill the memory.
 */
async function* readLines(input: Readable, limit: number): AsyncGenerator<string | undefined> {
  let parts: Buffer[] = [];
  let bytes = 0;
  const take = (part: Buffer): void => {
    bytes += part.length;
    if (bytes > limit) parts = [];
    else parts.push(part);
  };
  const line = (): string | undefined => {
    const text =
      bytes > limit ? undefined : Buffer.concat(parts).toString("utf8").replace(/\r$/, "");
    parts = [];
    bytes = 0;
    return text;
  };
  for await (const chunk of input) {
    let rest = Buffer.from(chunk as Buffer | string);
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      take(rest.subarray(0, end));
      yield line();
      rest = rest.subarray(end + 1);
    }
    take(rest);
  }
  if (bytes > 0) yield line();
}
