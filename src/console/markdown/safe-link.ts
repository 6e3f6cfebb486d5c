/** Which addresses of an answer become links: a model, or a tool that it read, may have been told to write any address. */

/** In characters. */
const MAX_ADDRESS_LENGTH = 2_048;
const SCHEMES: readonly string[] = ["http:", "https:", "mailto:"];

/** The address as the link is to have it, or undefined where there is to be no link. */
export function safeLink(address: string): string | undefined {
  if (address.length > MAX_ADDRESS_LENGTH) return undefined;
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return undefined;
  }
  if (!SCHEMES.includes(url.protocol)) return undefined;
  // `https://bank.example@evil.example` reads as the address of the bank.
  return url.username === "" && url.password === "" ? url.href : undefined;
}
