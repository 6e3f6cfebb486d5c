import { open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { MAX_SECRET_BYTES } from "../contracts/limits.ts";

/** A secret file could not be used. The message names the file and contains nothing of it. */
export class SecretFileError extends Error {
  override readonly name = "SecretFileError";
}

/**
 * Reads secret files by the paths that the config has for them. It reads at each call, so that a rotated secret is used at once.
 * Each secret that was read is passed to `onSecret`, too.
 */
export function createSecretReader(
  configPath: string,
  onSecret: (secret: string) => void = () => {},
): (relativePath: string) => Promise<string> {
  return async (relativePath) => {
    const path = resolve(dirname(configPath), relativePath);
    let text: string | undefined;
    try {
      text = await readText(path);
    } catch (cause) {
      throw new SecretFileError(`the secret file ${relativePath} could not be read`, { cause });
    }
    if (text === undefined) {
      throw new SecretFileError(
        `the secret file ${relativePath} is over ${MAX_SECRET_BYTES} bytes`,
      );
    }
    // Editors and `echo` end a file with a line break, which is not a part of the secret.
    const secret = text.replace(/[\r\n]+$/, "");
    if (secret === "") throw new SecretFileError(`the secret file ${relativePath} is empty`);
    onSecret(secret);
    return secret;
  };
}

/** Undefined when the file is too long to be a secret. */
async function readText(path: string): Promise<string | undefined> {
  await using file = await open(path, "r");
  return (await file.stat()).size > MAX_SECRET_BYTES ? undefined : await file.readFile("utf8");
}
