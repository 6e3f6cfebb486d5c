import { hash, timingSafeEqual } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../../time/clock.ts";
import { MAX_API_KEYS, MAX_SECRET_BYTES } from "../../contracts/limits.ts";
import type { Authenticator } from "./authenticator.ts";

/** The files are read at most this often, however many clients connect. */
const READ_AGAIN_MS = 1_000;

interface APIKey {
  readonly client: string;
  readonly digest: Buffer;
}

/** Each file of the folder contains the key of one client, which has the name of the file. A changed file counts within a second. */
export function createAPIKeyAuthenticator(folder: string, clock: Clock): Authenticator {
  let keys: Promise<readonly APIKey[]> | undefined;
  let readAt = 0;
  return {
    async authenticate(token) {
      if (keys === undefined || clock.monotonic() - readAt >= READ_AGAIN_MS) {
        readAt = clock.monotonic();
        keys = readKeys(folder);
      }
      const reading = keys;
      try {
        return clientOf(token, await reading);
      } catch (error) {
        if (keys === reading) keys = undefined;
        throw error;
      }
    },
  };
}

/** Compares with all keys, also after one has matched, so that the time it takes tells nothing about the keys. */
function clientOf(token: string, keys: readonly APIKey[]): string | undefined {
  const digest = digestOf(token);
  let subject: string | undefined;
  for (const key of keys) {
    if (timingSafeEqual(digest, key.digest)) subject = `api-key:${key.client}`;
  }
  return subject;
}

async function readKeys(folder: string): Promise<readonly APIKey[]> {
  // A mounted Secret also contains files of the kubelet, whose names begin with a dot.
  const names = (await readdir(folder)).filter((name) => !name.startsWith(".")).toSorted();
  if (names.length > MAX_API_KEYS) throw new RangeError(`there are over ${MAX_API_KEYS} API keys`);
  const keys = await Promise.all(
    names.map(async (client) => {
      const path = join(folder, client);
      const { size } = await stat(path);
      if (size > MAX_SECRET_BYTES) throw new RangeError(`the API key of ${client} is too long`);
      const key = (await readFile(path, "utf8")).trim();
      return key === "" ? undefined : { client, digest: digestOf(key) };
    }),
  );
  return keys.filter((key) => key !== undefined);
}

function digestOf(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
