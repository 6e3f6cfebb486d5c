/** The checksums of a release, as `sha256sum --check` reads them, and their signature, as `openssl pkeyutl -verify -rawin` reads it. */
import { createHash, createPrivateKey, sign } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ReleaseError } from "./release-error.ts";

export const CHECKSUMS = "SHA256SUMS";
export const SIGNATURE = "SHA256SUMS.sig";

export async function writeChecksums(folder: string, names: readonly string[]): Promise<void> {
  const lines = [];
  for (const name of names.toSorted()) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(join(folder, name)), hash);
    lines.push(`${hash.digest("hex")}  ${name}\n`);
  }
  await writeFile(join(folder, CHECKSUMS), lines.join(""));
}

/** `keyFile`: a private Ed25519 key in PEM, without a passphrase. What is wrong with it is said without a word of what is in it. */
export async function signChecksums(folder: string, keyFile: string): Promise<void> {
  const key = await readKey(keyFile);
  const signature = sign(null, await readFile(join(folder, CHECKSUMS)), key);
  await writeFile(join(folder, SIGNATURE), signature);
}

/** Read before anything is built, so that a wrong key is known at once. */
export async function readKey(keyFile: string): Promise<ReturnType<typeof createPrivateKey>> {
  const pem = await readFile(keyFile).catch(({ code }: NodeJS.ErrnoException) => {
    throw new ReleaseError(
      `the file that OMNIA_SIGNING_KEY names cannot be read: ${code ?? "unknown"}`,
    );
  });
  const refusal = "the file that OMNIA_SIGNING_KEY names holds no private Ed25519 key in PEM";
  const key = privateKeyIn(pem);
  if (key?.asymmetricKeyType !== "ed25519") throw new ReleaseError(refusal);
  return key;
}

function privateKeyIn(pem: Buffer): ReturnType<typeof createPrivateKey> | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
