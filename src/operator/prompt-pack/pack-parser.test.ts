import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { aPackText, aPrompt } from "../../../test/support/builders/a-pack.ts";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import { parsePromptPack } from "../../promptpack/check/parse-prompt-pack.ts";
import { MAX_INLINE_PACK_CHARACTERS, PACK_PARSE_TIMEOUT_MS, PackParser } from "./pack-parser.ts";

const NEVER = new AbortController().signal;

const ANSWERING = `const { parentPort } = require("node:worker_threads");
  parentPort.on("message", () => parentPort.postMessage({ ok: "answered" }))`;

const largeText = (name = "Support"): string =>
  aPackText({
    prompts: {
      support: aPrompt({ name, system_template: "x".repeat(MAX_INLINE_PACK_CHARACTERS) }),
    },
  });

/** A thread that runs `code` in place of parsing, such as one that never answers. */
function threadThat(code: string): () => Worker {
  return () => new Worker(code, { eval: true });
}

describe("a PackParser", () => {
  it("answers as parsePromptPack does, for small texts and for large ones", async () => {
    const parser = new PackParser({ clock: new ManualClock() });
    const texts = [aPackText(), "{", largeText(), `${largeText()}}`, "x".repeat(2_000_000)];
    const parsed = await Promise.all(texts.map((text) => parser.parse(text, NEVER)));
    expect(parsed).toEqual(texts.map(parsePromptPack));
  });

  it("lets the event loop go on while it parses a large text", async () => {
    const parser = new PackParser({ clock: new ManualClock() });
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    const yaml = `a: [${"1,".repeat(50_000)}]`;
    expect(await parser.parse(yaml, NEVER)).toMatchObject({ ok: false, reason: "InvalidPack" });
    clearImmediate(next);
    expect(turns).toBeGreaterThan(100);
  });

  it("uses one thread for what waits, and none when nothing does", async () => {
    const threads: Worker[] = [];
    const parser = new PackParser({
      clock: new ManualClock(),
      startThread: () => {
        const thread = threadThat(ANSWERING)();
        threads.push(thread);
        return thread;
      },
    });
    const parse = () => parser.parse(largeText(), NEVER);
    await Promise.all([parse(), parse(), parse()]);
    expect(threads).toHaveLength(1);
    await parse();
    expect(threads).toHaveLength(2);
    await expect.poll(() => threads.map(({ threadId }) => threadId)).toEqual([-1, -1]);
  });

  it("refuses a text that takes too long, and goes on with the next one", async () => {
    const clock = new ManualClock();
    const threads = [threadThat("for (;;);"), threadThat(ANSWERING)];
    const started = Promise.withResolvers<void>();
    const parser = new PackParser({
      clock: {
        setTimer: (ms, callback) => {
          started.resolve();
          return clock.setTimer(ms, callback);
        },
      },
      startThread: () => (threads.shift() as () => Worker)(),
    });
    const slow = parser.parse(largeText(), NEVER);
    const next = parser.parse(largeText(), NEVER);
    await started.promise;
    await clock.advance(PACK_PARSE_TIMEOUT_MS);
    expect(await slow).toMatchObject({
      ok: false,
      reason: "InvalidPack",
      message: "the pack takes longer than 30 seconds to check; make it smaller",
    });
    expect(await next).toEqual({ ok: "answered" });
  });

  it("refuses a text that takes too much memory", async () => {
    const code = `const all = []; for (;;) all.push(new Array(1e5).fill(0).map(String));`;
    const parser = new PackParser({
      clock: new ManualClock(),
      startThread: () =>
        new Worker(code, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 16 } }),
    });
    expect(await parser.parse(largeText(), NEVER)).toMatchObject({
      ok: false,
      reason: "InvalidPack",
      message: expect.stringContaining("needs more than 64 MB to check") as string,
    });
  });

  it("rejects when its thread fails, which says nothing about the text", async () => {
    const parser = new PackParser({
      clock: new ManualClock(),
      startThread: threadThat(`throw new Error("broken")`),
    });
    expect(await rejectionOf(parser.parse(largeText(), NEVER))).toMatchObject({
      message: "broken",
    });
    const ended = new PackParser({
      clock: new ManualClock(),
      startThread: threadThat(`process.exit(1)`),
    });
    expect(await rejectionOf(ended.parse(largeText(), NEVER))).toMatchObject({
      message: "the thread that parses packs has ended",
    });
  });

  it("ends when nobody waits for it any more", async () => {
    const stop = new AbortController();
    const parser = new PackParser({ clock: new ManualClock() });
    const parsing = parser.parse(largeText(), stop.signal);
    stop.abort(new Error("stopped"));
    expect(await rejectionOf(parsing)).toMatchObject({ message: "stopped" });
  });
});
