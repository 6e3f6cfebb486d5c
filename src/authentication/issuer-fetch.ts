/** Fetches what an issuer publishes. The answer decides who gets in, so it must come from the issuer, be short and come soon. */
import type { Clock } from "../time/clock.ts";
import { Deadline } from "../time/deadline.ts";
import { ISSUER_TIMEOUT_MS, MAX_ISSUER_ANSWER_BYTES } from "./limits.ts";

/** Nothing could be learned from the issuer. The message names the address, and contains nothing of the answer. */
export class IssuerError extends Error {
  override readonly name = "IssuerError";
}

/** Answers the parsed JSON of `address`. Rejects with an IssuerError. */
export async function fetchFromIssuer(
  address: string,
  clock: Pick<Clock, "setTimer">,
): Promise<unknown> {
  const url = URL.parse(address);
  if (url === null || !isSafe(url)) {
    throw new IssuerError(
      `${address} is not asked: keys of an issuer are fetched over https://, and over http:// from this machine only`,
    );
  }
  using deadline = new Deadline({ ms: ISSUER_TIMEOUT_MS, clock });
  let text: string;
  try {
    const response = await fetch(url, {
      signal: deadline.signal,
      redirect: "error",
      headers: { accept: "application/json, application/jwk-set+json" },
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new IssuerError(`${url.href} answered ${response.status}`);
    }
    text = await readBody(response, url);
  } catch (error) {
    if (error instanceof IssuerError) throw error;
    throw new IssuerError(`${url.href} could not be fetched`, { cause: error });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new IssuerError(`${url.href} answered what is no JSON`);
  }
}

/** The reading ends at the limit, and not with the answer: an answer may have no end. */
async function readBody(response: Response, url: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ISSUER_ANSWER_BYTES) {
      throw new IssuerError(`${url.href} answered over ${MAX_ISSUER_ANSWER_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Whether nobody between the issuer and this machine can put keys of their own into the answer. */
function isSafe({ protocol, hostname, username, password }: URL): boolean {
  if (username !== "" || password !== "") return false;
  if (protocol === "https:") return true;
  return protocol === "http:" && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}
