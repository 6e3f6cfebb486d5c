import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { errorOfLogLine, keepOutput, LastWords, MAX_LOG_BYTES } from "./output.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "omnia-output-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("keepOutput", () => {
  test("keeps what all streams print, and hands on their lines, also those cut by a chunk", async () => {
    const file = join(folder, "deep", "replica-1.log");
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
    const file = join(folder, "replica-1.log");
    await keepOutput([Readable.from([Buffer.from("one\n")])], file, () => {});
    await keepOutput([Readable.from([Buffer.from("two\n")])], file, () => {});
    expect(await readFile(file, "utf8")).toBe("one\ntwo\n");
  });

  test("never holds more than two files of the largest size", async () => {
    const file = join(folder, "replica-1.log");
    const chunk = Buffer.alloc(1024 * 1024, "x");
    await keepOutput([Readable.from(Array.from({ length: 11 }, () => chunk))], file, () => {});
    expect((await stat(file)).size).toBe(3 * 1024 * 1024);
    expect((await stat(`${file}.1`)).size).toBe(MAX_LOG_BYTES);
  });

  test("reads on when the file cannot be written", async () => {
    const stream = new PassThrough();
    const lines: string[] = [];
    const kept = keepOutput([stream], join(folder, "no\0name"), (line) => lines.push(line));
    stream.write("one\n");
    stream.end("two\n");
    await kept;
    expect(lines).toEqual(["one", "two"]);
  });
});

describe("errorOfLogLine", () => {
  test("reads the sentence and the cause of an error", () => {
    const line = JSON.stringify({
      level: "error",
      msg: "the store is down",
      error: { message: "ECONNREFUSED" },
    });
    expect(errorOfLogLine(line)).toBe("the store is down: ECONNREFUSED");
  });
  test.each([JSON.stringify({ level: "info", msg: "hello" }), "{broken", "plain text", "", "{}"])(
    "passes over %j",
    (line) => {
      expect(errorOfLogLine(line)).toBeUndefined();
    },
  );
  test("is cut to a length for a line, and shows no key", () => {
    expect(errorOfLogLine(JSON.stringify({ level: "fatal", msg: "x".repeat(1_000) }))).toHaveLength(
      300,
    );
    expect(
      errorOfLogLine(JSON.stringify({ level: "error", msg: "redis://me:hunter2@host failed" })),
    ).not.toContain("hunter2");
  });
});

describe("LastWords", () => {
  const lastWords = (text: string): string | undefined => {
    const words = new LastWords();
    for (const line of text.split("\n")) words.add(line);
    return words.text;
  };

  test("of a process that threw are what it threw", () => {
    expect(
      lastWords(
        `{"level":"info","msg":"starting"}\nfile:///agent.ts:1\nthrow new Error("no port");\n      ^\n\n` +
          `TypeError: no port\n    at file:///agent.ts:1:7\n\nNode.js v26.10.0`,
      ),
    ).toBe("TypeError: no port");
  });
  test("of a process that logged an error are that error", () => {
    expect(lastWords(`{"level":"error","msg":"bad config"}\n{"level":"info","msg":"bye"}\n`)).toBe(
      "bad config",
    );
  });
  test("of a process that only printed are its last line", () => {
    expect(lastWords("one\ntwo\n")).toBe("two");
    expect(lastWords("")).toBeUndefined();
  });
});
