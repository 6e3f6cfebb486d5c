import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { MAX_SECRET_BYTES } from "../contracts/limits.ts";
import { createSecretReader } from "./secret-files.ts";
import { folderForEachTest } from "../../../test/support/builders/fixtures.ts";

const folder = folderForEachTest();
beforeEach(async () => {
  await mkdir(join(folder(), "secrets"));
});

const read = (path: string) => createSecretReader(join(folder(), "agent.json"))(path);

describe("createSecretReader", () => {
  it("reads a secret beside the config, without the line break at its end, again at each call", async () => {
    const file = join(folder(), "secrets", "key");
    await writeFile(file, "one\r\n");
    expect(await read("secrets/key")).toBe("one");
    await writeFile(file, " two ");
    expect(await read("secrets/key")).toBe(" two ");
  });

  it("says which file is missing, empty or too long, and nothing of what is in it", async () => {
    await expect(read("secrets/gone")).rejects.toThrow(
      /^the secret file secrets\/gone could not be read$/,
    );
    await writeFile(join(folder(), "secrets", "empty"), "\n");
    await expect(read("secrets/empty")).rejects.toThrow(
      /^the secret file secrets\/empty is empty$/,
    );
    await writeFile(join(folder(), "secrets", "long"), "x".repeat(MAX_SECRET_BYTES + 1));
    await expect(read("secrets/long")).rejects.toThrow(
      /^the secret file secrets\/long is over 65536 bytes$/,
    );
  });
});
