import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { keepOutput, MAX_LOG_BYTES } from "./output.ts";
import { folderForEachTest } from "../../../test/support/builders/fixtures.ts";

const folder = folderForEachTest();

describe("keepOutput", () => {
  test("keeps what all streams print, and hands on their lines, also those cut by a chunk", async () => {
    const file = join(folder(), "deep", "replica-1.log");
    const lines: string[] = [];
    const out = Readable.from([Buffer.from("one\ntw"), Buffer.from("o\nthree")]);
    await keepOutput([out, Readable.from([Buffer.from("error\n")])], file, (line) =>
      lines.push(line),
    );
    expect(lines.toSorted()).toEqual(["error", "one", "three", "two"]);
    expect((await readFile(file, "utf8")).length).toBe("one\ntwo\nthreeerror\n".length);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test("goes on where the file ended before", async () => {
    const file = join(folder(), "replica-1.log");
    await keepOutput([Readable.from([Buffer.from("one\n")])], file, () => {});
    await keepOutput([Readable.from([Buffer.from("two\n")])], file, () => {});
    expect(await readFile(file, "utf8")).toBe("one\ntwo\n");
  });

  test("never holds more than two files of the largest size", async () => {
    const file = join(folder(), "replica-1.log");
    const chunk = Buffer.alloc(1024 * 1024, "x");
    await keepOutput([Readable.from(Array.from({ length: 11 }, () => chunk))], file, () => {});
    expect((await stat(file)).size).toBe(3 * 1024 * 1024);
    expect((await stat(`${file}.1`)).size).toBe(MAX_LOG_BYTES);
  });

  test("reads on when the file cannot be written", async () => {
    const stream = new PassThrough();
    const lines: string[] = [];
    const kept = keepOutput([stream], join(folder(), "no\0name"), (line) => lines.push(line));
    stream.write("one\n");
    stream.end("two\n");
    await kept;
    expect(lines).toEqual(["one", "two"]);
  });
});
