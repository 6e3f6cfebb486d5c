import { hash, timingSafeEqual } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../observability/log.ts";
import type { Clock } from "../time/clock.ts";
import { MAX_API_KEYS, MAX_API_KEY_BYTES } from "./limits.ts";
import type { Authenticator } from "./authenticator.ts";

/** The files are read at most this often, however many clients connect. */
const READ_AGAIN_MS = 1_000;

export interface APIKeySource {
  readonly folder: string;
  /** Who says which keys there are, when the config tells. */
  readonly secretName: string | undefined;
}

interface APIKey {
  readonly client: string;
  readonly digest: Buffer;
}

/** Each file of the folder contains the key of one client, which has the name of the file. A changed file counts within a second. */
export function createAPIKeyAuthenticator(
  { folder, secretName }: APIKeySource,
  { clock, log }: { clock: Clock; log: Log },
): Authenticator {
  let keys: Promise<readonly APIKey[]> | undefined;
  let readAt = 0;

  async function readAgain(): Promise<readonly APIKey[]> {
    readAt = clock.monotonic();
    const reading = readKeys(folder);
    keys = reading;
    try {
      return await reading;
    } catch (error) {
      if (keys === reading) keys = undefined;
      throw error;
    }
  }

  return {
    async authenticate(token) {
      const isOld = clock.monotonic() - readAt >= READ_AGAIN_MS;
      const client = clientOf(token, await (isOld ? readAgain() : (keys ?? readAgain())));
      if (client === undefined) return undefined;
      const digest = asText(digestOf(token));
      return { kind: "api-key", subject: subjectOf(client), client, digest };
    },

    async review() {
      let digests: ReadonlyMap<string, string>;
      try {
        // A folder that is not there holds no keys: their Secret is gone.
        const current = (await readAgain().catch(unlessMissing)) ?? [];
        digests = new Map(current.map(({ client, digest }) => [client, asText(digest)]));
      } catch (error) {
        log.error({ error }, "The API keys of open connections could not be checked again");
        return ({ kind }) => kind === "api-key";
      }
      return (credential) =>
        credential.kind === "api-key" &&
        credential.subject === subjectOf(credential.client) &&
        digests.get(credential.client) === credential.digest;
    },
  };

  function subjectOf(client: string): string {
    return `api-key:${JSON.stringify([secretName ?? "", client])}`;
  }
}

/** Compares with all keys, also after one has matched, so that the time it takes tells nothing about the keys. */
function clientOf(token: string, keys: readonly APIKey[]): string | undefined {
  const digest = digestOf(token);
  let client: string | undefined;
  for (const key of keys) {
    if (timingSafeEqual(digest, key.digest)) client = key.client;
  }
  return client;
}

function asText(digest: Buffer): string {
  return digest.toString("base64");
}

async function readKeys(folder: string): Promise<readonly APIKey[]> {
  // A mounted Secret also contains files of the kubelet, whose names begin with a dot.
  const names = (await readdir(folder)).filter((name) => !name.startsWith(".")).toSorted();
  if (names.length > MAX_API_KEYS) throw new RangeError(`there are over ${MAX_API_KEYS} API keys`);
  const keys = await Promise.all(
    names.map(async (client) => {
      const path = join(folder, client);
      const key = await readKey(path).catch(unlessMissing);
      if (key === undefined || key === "") return undefined;
      return { client, digest: digestOf(key) };
    }),
  );
  return keys.filter((key) => key !== undefined);
}

async function readKey(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > MAX_API_KEY_BYTES) throw new RangeError(`the API key in ${path} is too long`);
  return (await readFile(path, "utf8")).trim();
}

function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}

function digestOf(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
