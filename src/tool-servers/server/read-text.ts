import type { Readable } from "node:stream";
import { SecretFilter } from "../../observability/secrets/secret-filter.ts";
import { SecretValues } from "../../observability/secrets/secret-values.ts";

/**
 * Reads a body up to a limit in bytes, and breaks off what is beyond. Some servers echo their request, and what a tool answers goes to
 * the model and to the client: so the secrets of the request are taken out, also one that lies across the cut.
 */
export async function readText(
  body: Readable,
  limit: number,
  secrets: readonly string[],
): Promise<{ text: string; truncated: boolean }> {
  const filter = new SecretFilter(new SecretValues(secrets));
  const decoder = new TextDecoder();
  let text = "";
  let bytesLeft = limit;
  for await (const chunk of body) {
    const taken = (chunk as Uint8Array).subarray(0, bytesLeft);
    text += filter.add(decoder.decode(taken, { stream: true }));
    // This destroys the stream. Half a character at the cut is left out.
    if (taken.length < (chunk as Uint8Array).length) {
      filter.cut();
      return { text, truncated: true };
    }
    bytesLeft -= taken.length;
  }
  return { text: text + filter.add(decoder.decode()) + filter.end(), truncated: false };
}
