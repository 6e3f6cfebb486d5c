import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { SecretValues } from "../../observability/secrets/secret-values.ts";
import { keepOutput, MAX_LOG_BYTES } from "./output.ts";
import { folderForEachTest } from "../../../test/support/builders/fixtures.ts";

const folder = folderForEachTest();

const SECRET = "sécret-of-the-agent";

function into(file: string, lines: string[] = []) {
  const secretValues = new SecretValues([SECRET]);
  return { file, secretValues, onLine: (line: string) => void lines.push(line) };
}

describe("keepOutput", () => {
  it("keeps and hands on no secret of the process, however its output is cut in chunks", async () => {
    const bytes = Buffer.from(`key ${SECRET}\n${JSON.stringify({ password: SECRET })}\n`);
    for (let at = 0; at <= bytes.length; at += 1) {
      const file = join(folder(), `replica-${at}.log`);
      const lines: string[] = [];
      const out = Readable.from([bytes.subarray(0, at), bytes.subarray(at)]);
      await keepOutput([out], into(file, lines));
      expect(lines).toEqual(["key [redacted]", '{"password":"[redacted]"}']);
      expect(await readFile(file, "utf8")).toBe('key [redacted]\n{"password":"[redacted]"}\n');
    }
  });

  it("keeps nothing of a secret in the middle of which the process ended", async () => {
    const file = join(folder(), "replica-1.log");
    await keepOutput([Readable.from([Buffer.from(SECRET.slice(0, -1))])], into(file));
    expect(await readFile(file, "utf8")).toBe("[redacted]");
  });

  it("hands on nothing of what begins a secret at the end of a line that is too long", async () => {
    const lines: string[] = [];
    const line = `${"x ".repeat(8 * 1024 - 10)}sk-${"abcdef".repeat(10)}`;
    await keepOutput([Readable.from([Buffer.from(line)])], into(join(folder(), "1.log"), lines));
    expect(lines).toEqual(["x ".repeat(8 * 1024 - 10)]);
  });

  it("keeps what all streams print, and hands on their lines, also those cut by a chunk", async () => {
    const file = join(folder(), "deep", "replica-1.log");
    const lines: string[] = [];
    const out = Readable.from([Buffer.from("one\ntw"), Buffer.from("o\nthree")]);
    await keepOutput([out, Readable.from([Buffer.from("error\n")])], into(file, lines));
    expect(lines.toSorted()).toEqual(["error", "one", "three", "two"]);
    expect((await readFile(file, "utf8")).length).toBe("one\ntwo\nthreeerror\n".length);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("goes on where the file ended before", async () => {
    const file = join(folder(), "replica-1.log");
    await keepOutput([Readable.from([Buffer.from("one\n")])], into(file));
    await keepOutput([Readable.from([Buffer.from("two\n")])], into(file));
    expect(await readFile(file, "utf8")).toBe("one\ntwo\n");
  });

  it("never holds more than two files of the largest size", async () => {
    const file = join(folder(), "replica-1.log");
    const chunk = Buffer.alloc(1024 * 1024, "x");
    await keepOutput([Readable.from(Array.from({ length: 11 }, () => chunk))], into(file));
    expect((await stat(file)).size).toBe(3 * 1024 * 1024);
    expect((await stat(`${file}.1`)).size).toBe(MAX_LOG_BYTES);
  });

  it("reads on when the file cannot be written", async () => {
    const stream = new PassThrough();
    const lines: string[] = [];
    const kept = keepOutput([stream], into(join(folder(), "no\0name"), lines));
    stream.write("one\n");
    stream.end("two\n");
    await kept;
    expect(lines).toEqual(["one", "two"]);
  });
});
