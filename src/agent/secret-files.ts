import { open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { MAX_SECRET_BYTES } from "./limits.ts";

/** A secret file could not be used; the message names the file and holds nothing of it. */
export class SecretFileError extends Error {
  override readonly name = "SecretFileError";
}

/** Reads secret files, named as the config names them. Each call reads: what was rotated is used by the next one. */
export function createSecretReader(configPath: string): (relativePath: string) => Promise<string> {
  return async (relativePath) => {
    const path = resolve(dirname(configPath), relativePath);
    let text: string;
    try {
      text = await readAtMost(path, MAX_SECRET_BYTES);
    } catch (cause) {
      if (cause instanceof SecretFileError) throw cause;
      throw new SecretFileError(`the secret file ${relativePath} could not be read`, { cause });
    }
    // Editors and `echo` end a file with a line break; no secret does.
    const secret = text.replace(/[\r\n]+$/, "");
    if (secret === "") throw new SecretFileError(`the secret file ${relativePath} is empty`);
    return secret;
  };
}

async function readAtMost(path: string, limit: number): Promise<string> {
  await using file = await open(path, "r");
  if ((await file.stat()).size > limit)
    throw new SecretFileError(`a secret file is over ${limit} bytes`);
  return await file.readFile("utf8");
}
