import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import type { HighlightAnswer, HighlightRequest } from "./highlighted-languages.ts";
import { Highlighter, type HighlightWorker } from "./highlighter-queue.ts";

const never = new AbortController().signal;

describe("the highlighter", () => {
  it("has one piece coloured after the other, by one worker", async () => {
    const { highlighter, workers } = setUp();
    const first = highlighter.highlight("ts", "a", never);
    const second = highlighter.highlight("py", "b", never);
    expect(workers[0]?.asked).toMatchObject([{ language: "typescript", code: "a" }]);
    workers[0]?.answer();
    expect(await first).toEqual([{ text: "a", kind: "keyword" }]);
    expect(workers[0]?.asked.at(-1)).toMatchObject({ language: "python", code: "b" });
    workers[0]?.answer();
    expect(await second).toEqual([{ text: "b", kind: "keyword" }]);
    expect(workers).toHaveLength(1);
  });

  it("leaves code of a language plain that it does not know", async () => {
    const { highlighter, workers } = setUp();
    expect(await highlighter.highlight("brainfuck", "+", never)).toBeUndefined();
    expect(workers).toHaveLength(0);
  });

  it("ends a worker that takes too long, and goes on with another", async () => {
    const { highlighter, workers, clock } = setUp();
    const slow = highlighter.highlight("ts", "a", never);
    const next = highlighter.highlight("ts", "b", never);
    await clock.advance(2_000);
    expect(await slow).toBeUndefined();
    expect(workers[0]?.isEnded).toBe(true);
    workers[1]?.answer();
    expect(await next).toEqual([{ text: "b", kind: "keyword" }]);
  });

  it("passes over a piece that nobody looks at any more", async () => {
    const { highlighter, workers } = setUp();
    const left = new AbortController();
    const first = highlighter.highlight("ts", "a", never);
    const gone = highlighter.highlight("ts", "b", left.signal);
    left.abort();
    workers[0]?.answer();
    await first;
    expect(await gone).toBeUndefined();
    expect(workers[0]?.asked).toHaveLength(1);
  });

  it("ends a worker that has nothing to do", async () => {
    const { highlighter, workers, clock } = setUp();
    const piece = highlighter.highlight("ts", "a", never);
    workers[0]?.answer();
    await piece;
    await clock.advance(30_000);
    expect(workers[0]?.isEnded).toBe(true);
  });
});

function setUp() {
  const clock = new ManualClock();
  const workers: {
    asked: HighlightRequest[];
    isEnded: boolean;
    answer: () => void;
  }[] = [];
  const start = (): HighlightWorker => {
    const asked: HighlightRequest[] = [];
    const listeners: ((event: { data: HighlightAnswer }) => void)[] = [];
    const entry = {
      asked,
      isEnded: false,
      answer: () => {
        const last = asked.at(-1);
        if (last === undefined) throw new Error("nothing was asked");
        const tokens = [{ text: last.code, kind: "keyword" }];
        for (const listener of listeners) listener({ data: { id: last.id, tokens } });
      },
    };
    workers.push(entry);
    return {
      postMessage: (request) => void asked.push(request),
      terminate: () => {
        entry.isEnded = true;
      },
      addEventListener: (
        type: "message" | "error",
        listener: (event: { data: HighlightAnswer }) => void,
      ) => {
        if (type === "message") listeners.push(listener);
      },
    };
  };
  return { highlighter: new Highlighter({ clock, start }), workers, clock };
}
