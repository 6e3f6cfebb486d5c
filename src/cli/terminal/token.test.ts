import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { capturedStreams } from "../../../test/support/processes/captured-streams.ts";
import { readToken, type TokenFlags } from "./token.ts";

async function aFile(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "omnia-token-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "token");
  await writeFile(file, content);
  return file;
}

async function read(flags: TokenFlags, env: Record<string, string> = {}) {
  const { streams, err } = capturedStreams({ env });
  return { token: await readToken(flags, streams), err: err() };
}

describe("the token", () => {
  it("comes from the environment, and from a file before it, without a word", async () => {
    const env = { OMNIA_TOKEN: " from-the-environment\n" };
    expect(await read({}, env)).toEqual({ token: "from-the-environment", err: "" });
    const tokenFile = await aFile("from-a-file\n");
    expect(await read({ tokenFile }, env)).toEqual({ token: "from-a-file", err: "" });
    expect(await read({})).toEqual({ token: undefined, err: "" });
    expect(await read({}, { OMNIA_TOKEN: "" })).toEqual({ token: undefined, err: "" });
  });

  it("is taken from the command line with a warning that others can read it, and is not in the warning", async () => {
    const { token, err } = await read({ token: "typed" }, { OMNIA_TOKEN: "other" });
    expect(token).toBe("typed");
    expect(err).toMatch(/^Others on this machine can read .*OMNIA_TOKEN and --token-file.*\n$/);
    expect(err).not.toContain("typed");
  });

  it("is refused where it cannot be one, in words that do not quote it", async () => {
    const refusal = async (flags: TokenFlags, env: Record<string, string> = {}) =>
      await read(flags, env).then(
        () => undefined,
        ({ message, exitCode }: Error & { exitCode?: number }) => ({ message, exitCode }),
      );
    const exitCode = 2;
    expect(await refusal({}, { OMNIA_TOKEN: "a b" })).toEqual({
      message: "OMNIA_TOKEN holds characters that no token has.",
      exitCode,
    });
    expect(await refusal({ tokenFile: await aFile("\n") })).toEqual({
      message: "--token-file holds no token.",
      exitCode,
    });
    expect(await refusal({ tokenFile: join(tmpdir(), "omnia-no-such-file") })).toMatchObject({
      message: expect.stringMatching(/cannot be read \(ENOENT\)/) as string,
      exitCode,
    });
    expect(await refusal({ tokenFile: "/dev/zero" })).toMatchObject({
      message: expect.stringMatching(/too long to be a token/) as string,
      exitCode,
    });
    expect(await refusal({ token: "one", tokenFile: "two" })).toMatchObject({ exitCode });
  });
});
