import { describe, expect, it } from "vitest";
import { createLog } from "./log.ts";
import { errorOfLogLine, lastWords } from "./log-line.ts";

/** The most bytes of a log that a kubelet keeps. */
const KEPT = 2048;

/** What our own log writes. */
function logged(write: (log: ReturnType<typeof createLog>) => void): string {
  let text = "";
  write(createLog({ destination: { write: (line) => (text += line) } }));
  return text;
}

describe("the last words of a process", () => {
  it("are the error that our agent logged, with its cause", () => {
    const text = logged((log) => {
      log.info({ port: 8081 }, "Listening");
      log.error(
        { error: new Error("listen EADDRINUSE: :::8080") },
        "The agent could not be started",
      );
    });
    expect(lastWords(text)).toBe("The agent could not be started: listen EADDRINUSE: :::8080");
  });

  it("are the error, whatever was logged after it", () => {
    const text = logged((log) => {
      log.error({ error: new Error("boom") }, "The agent failed");
      log.info({}, "Closed");
    });
    expect(lastWords(text)).toBe("The agent failed: boom");
  });

  it("are the last line that was logged when none is an error", () => {
    expect(lastWords(logged((log) => log.info({}, "Draining")))).toBe("Draining");
  });

  it("are found in a line of which the beginning was lost", () => {
    const cause = new Error("the key is missing");
    const error = new Error("no config", { cause });
    error.stack = `Error: no config\n${"    at somewhere (file.ts:1:1)\n".repeat(200)}`;
    const text = logged((log) => log.error({ error }, "The agent could not be started"));
    expect(text.length).toBeGreaterThan(KEPT);
    const kept = text.slice(-KEPT);
    expect(lastWords(kept)).toBe("The agent could not be started: the key is missing");
  });

  it.each([
    ['{"level":"ERROR","message":"boom","timestamp":"2026-03-01T12:00:00Z"}', "boom"],
    ['{"level":"error","msg":"failed","err":{"message":"boom"}}', "failed: boom"],
    ['{"level":"error","msg":"failed","error":"boom"}', "failed: boom"],
    ["Traceback (most recent call last):\n  File x\nValueError: boom\n", "ValueError: boom"],
    ["{not json}", "{not json}"],
    ['"text"}', '"text"}'],
    ["[1]", "[1]"],
    ["\n \n", ""],
    ["", ""],
  ])("of another image: %j", (text, expected) => {
    expect(lastWords(text) ?? "").toBe(expected);
  });

  it("hold no secret", () => {
    expect(lastWords("401: wrong key sk-1234567890abcdef")).not.toContain("1234567890");
  });

  it("hold no end of a secret of which the kubelet has lost the beginning", () => {
    const key = "sk-1234567890abcdefghijklmnop";
    const rest = ` was refused${" ".repeat(2_048)}`;
    for (let lost = 1; lost < key.length; lost += 1) {
      const kept = `${key}${rest}`.slice(lost, lost + 2_048);
      expect(lastWords(kept)).toBe("was refused");
    }
  });

  it("are what it threw, of a process that threw", () => {
    expect(
      lastWords(
        `{"level":"info","msg":"starting"}\nfile:///agent.ts:1\nthrow new Error("no port");\n      ^\n\n` +
          `TypeError: no port\n    at file:///agent.ts:1:7\n\nNode.js v26.10.0`,
      ),
    ).toBe("TypeError: no port");
  });

  it("are the error that it logged, whatever it logged after it", () => {
    expect(lastWords(`{"level":"error","msg":"bad config"}\n{"level":"info","msg":"bye"}\n`)).toBe(
      "bad config",
    );
  });

  it("are its last line, of a process that only printed", () => {
    expect(lastWords("one\ntwo\n")).toBe("two");
    expect(lastWords("")).toBeUndefined();
  });

  it("are what it printed rather than a log line that is no error", () => {
    expect(lastWords('panic: no port\n{"level":"info","msg":"bye"}\n')).toBe("panic: no port");
  });

  it("are cut to a length for a status", () => {
    expect(lastWords("x".repeat(1_000))).toHaveLength(500);
  });
});

describe("errorOfLogLine", () => {
  it("reads the sentence and the cause of an error", () => {
    const line = JSON.stringify({
      level: "error",
      msg: "the store is down",
      error: { message: "ECONNREFUSED" },
    });
    expect(errorOfLogLine(line)).toBe("the store is down: ECONNREFUSED");
  });

  it.each([JSON.stringify({ level: "info", msg: "hello" }), "{broken", "plain text", "", "{}"])(
    "passes over %j",
    (line) => {
      expect(errorOfLogLine(line)).toBeUndefined();
    },
  );

  it("is cut to a length for a line, and shows no key", () => {
    expect(errorOfLogLine(JSON.stringify({ level: "fatal", msg: "x".repeat(1_000) }))).toHaveLength(
      300,
    );
    expect(
      errorOfLogLine(JSON.stringify({ level: "error", msg: "redis://me:hunter2@host failed" })),
    ).not.toContain("hunter2");
  });
});
