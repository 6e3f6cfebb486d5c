import { parseStoreURL, type StoreAddress } from "../../../agent-config/store-url.ts";

/** The URL of a store cannot be used. The message does not repeat the URL, which holds a password. */
export class InvalidStoreURLError extends Error {
  override readonly name = "InvalidStoreURLError";
}

export function parseRedisURL(text: string): StoreAddress {
  const parsed = parseStoreURL(text);
  if (!parsed.ok)
    throw new InvalidStoreURLError(`the store's URL cannot be used: ${parsed.problem}`);
  return parsed.address;
}
