import { describe, expect, it, onTestFinished } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { LIST_INTERVAL_MS, MAX_LIST_READ_MS, MAX_LISTS_READ_AT_ONCE } from "../server/limits.ts";
import type { ListReading } from "../server/read-list.ts";
import { ToolListReader, type ListSource } from "./tool-list-reader.ts";

const OWNER = "tools/registry";

function aList(...names: string[]): ListReading {
  const tools = names.map((name) => ({ name, description: "", inputSchema: {} }));
  return { state: "read", tools, unsupported: [] };
}
const failed: ListReading = { state: "failed", reason: "Unreachable", message: "it is down" };

/** A reader whose servers answer what a test says, and by themselves with an empty list. */
function aReader({ isRunning = true } = {}) {
  const clock = new ManualClock();
  const changes: string[] = [];
  const errors: unknown[] = [];
  const reads: string[] = [];
  const answers = new Map<string, (signal: AbortSignal) => Promise<ListReading>>();
  const reader = new ToolListReader({
    clock,
    random: () => 0,
    onChange: (owner) => changes.push(owner),
    onError: (error) => errors.push(error),
  });
  const stop = new AbortController();
  const run = () => reader.run(stop.signal);
  if (isRunning) void run();
  onTestFinished(() => stop.abort());
  function source(server: string, more: Partial<ListSource> = {}): ListSource {
    const read = (signal: AbortSignal): Promise<ListReading> => {
      reads.push(server);
      return answers.get(server)?.(signal) ?? Promise.resolve(aList());
    };
    return { server, fingerprint: "1", isReachable: true, read, ...more };
  }
  const want = (...sources: ListSource[]) =>
    reader.known(OWNER, new Map(sources.map((each) => [each.server, each])));
  const answer = (server: string, reading: ListReading): void => {
    answers.set(server, () => Promise.resolve(reading));
  };
  return { clock, changes, errors, reads, answers, answer, reader, run, stop, source, want };
}

describe("the lists of servers", () => {
  it("are read when they are first wanted, and the owner is told", async () => {
    const { clock, changes, reads, answer, source, want } = aReader();
    answer("a", aList("search"));
    expect(want(source("a"))).toEqual(new Map());
    await clock.advance(0);
    expect(changes).toEqual([OWNER]);
    expect(want(source("a"))).toEqual(new Map([["a", aList("search")]]));
    expect(reads).toEqual(["a"]);
  });

  it("are read again after ten minutes, and the owner is told only of a change", async () => {
    const { clock, changes, reads, answer, source, want } = aReader();
    want(source("a"));
    await clock.advance(LIST_INTERVAL_MS - 1);
    expect(reads).toHaveLength(1);
    await clock.advance(1);
    expect([reads.length, changes.length]).toEqual([2, 1]);
    answer("a", aList("search"));
    await clock.advance(LIST_INTERVAL_MS);
    expect([reads.length, changes.length]).toEqual([3, 2]);
  });

  it("are the same object while nothing changes", async () => {
    const { clock, answers, source, want } = aReader();
    answers.set("a", () => Promise.resolve(aList("search")));
    want(source("a"));
    await clock.advance(0);
    const known = want(source("a")).get("a");
    await clock.advance(LIST_INTERVAL_MS);
    expect(want(source("a")).get("a")).toBe(known);
  });

  it("are read sooner after a failure, ever later while it lasts, and keep what was read before", async () => {
    const { clock, reads, answer, source, want } = aReader();
    answer("a", aList("search"));
    want(source("a"));
    await clock.advance(0);
    answer("a", failed);
    await clock.advance(LIST_INTERVAL_MS);
    expect(want(source("a")).get("a")).toEqual({ ...failed, before: aList("search") });
    const count = reads.length;
    await clock.advance(2_500);
    expect(reads).toHaveLength(count + 1);
    await clock.advance(4_999);
    expect(reads).toHaveLength(count + 1);
    await clock.advance(1);
    expect(reads).toHaveLength(count + 2);
    answer("a", aList("search"));
    await clock.advance(10_000);
    expect(want(source("a")).get("a")).toEqual(aList("search"));
  });

  it("are read at once when what they depend on changes, and known until then", async () => {
    const { clock, reads, answer, source, want } = aReader();
    answer("a", aList("search"));
    want(source("a"));
    await clock.advance(0);
    answer("a", aList("search", "find"));
    expect(want(source("a", { fingerprint: "2" })).get("a")).toEqual(aList("search"));
    await clock.advance(0);
    expect(reads).toHaveLength(2);
    expect(want(source("a", { fingerprint: "2" })).get("a")).toEqual(aList("search", "find"));
  });

  it("say nothing of another server under the same name", async () => {
    const { clock, reader, answer, source } = aReader();
    answer("a", aList("search"));
    const known = (server: string) => reader.known(OWNER, new Map([["entry", source(server)]]));
    known("a");
    await clock.advance(0);
    expect(known("a").size).toBe(1);
    expect(known("b").size).toBe(0);
  });

  it("forget a reading that what they depend on has overtaken", async () => {
    const { clock, answers, source, want } = aReader();
    const first = Promise.withResolvers<ListReading>();
    let isAborted = false;
    answers.set("a", (signal) => {
      signal.addEventListener("abort", () => (isAborted = true));
      return first.promise;
    });
    want(source("a"));
    await clock.advance(0);
    answers.set("a", () => Promise.resolve(aList("new")));
    want(source("a", { fingerprint: "2" }));
    await clock.advance(0);
    first.resolve(aList("old"));
    await clock.advance(0);
    expect(isAborted).toBe(true);
    expect(want(source("a", { fingerprint: "2" })).get("a")).toEqual(aList("new"));
  });

  it("are not read of a server that cannot be connected to, and at once when it is back", async () => {
    const { clock, reads, answer, source, want } = aReader();
    answer("a", aList("search"));
    want(source("a", { isReachable: false }));
    await clock.advance(LIST_INTERVAL_MS);
    expect(reads).toEqual([]);
    want(source("a"));
    await clock.advance(0);
    expect(reads).toHaveLength(1);
    const gone = want(source("a", { isReachable: false }));
    expect(gone.get("a")).toEqual(aList("search"));
    await clock.advance(2 * LIST_INTERVAL_MS);
    expect(reads).toHaveLength(1);
    want(source("a"));
    await clock.advance(0);
    expect(reads).toHaveLength(2);
  });

  it("are not read once nobody wants them", async () => {
    const { clock, reads, reader, source, want } = aReader();
    want(source("a"), source("b"));
    await clock.advance(0);
    want(source("b"));
    await clock.advance(LIST_INTERVAL_MS);
    expect(reads).toEqual(["a", "b", "b"]);
    reader.forget(OWNER);
    expect(clock.pendingTimers).toBe(0);
  });

  it("are read a few at a time, those that fail after the others", async () => {
    const { clock, reads, answers, source, want } = aReader();
    const open = new Map<string, (reading: ListReading) => void>();
    const names = Array.from({ length: 2 * MAX_LISTS_READ_AT_ONCE }, (_, index) => `s${index}`);
    for (const name of names) {
      answers.set(name, () => new Promise((resolve) => open.set(name, resolve)));
    }
    want(...names.map((name) => source(name)));
    await clock.advance(0);
    expect(reads).toEqual(names.slice(0, MAX_LISTS_READ_AT_ONCE));
    open.get("s0")?.(aList());
    await clock.advance(0);
    expect(reads).toHaveLength(MAX_LISTS_READ_AT_ONCE + 1);
  });

  it("fail when they are not read in time, and hold no place any more", async () => {
    const { clock, answers, source, want } = aReader();
    answers.set("a", () => new Promise(() => {}));
    want(source("a"));
    await clock.advance(MAX_LIST_READ_MS);
    expect(want(source("a")).get("a")).toMatchObject({
      state: "failed",
      reason: "Unreachable",
      message: expect.stringContaining("within 30 seconds"),
    });
  });

  it("tell the log of a fault of the program, and nobody else", async () => {
    const { clock, errors, answers, source, want } = aReader();
    const fault = new Error("token=s3cret");
    answers.set("a", () => Promise.reject(fault));
    want(source("a"));
    await clock.advance(0);
    expect(errors).toEqual([fault]);
    expect(JSON.stringify(want(source("a")).get("a"))).not.toContain("s3cret");
  });

  it("are read only while the reader runs", async () => {
    const { clock, reads, run, stop, source, want } = aReader({ isRunning: false });
    want(source("a"));
    await clock.advance(LIST_INTERVAL_MS);
    expect(reads).toEqual([]);
    const running = run();
    await clock.advance(0);
    expect(reads).toHaveLength(1);
    stop.abort();
    await running;
    expect(clock.pendingTimers).toBe(0);
    want(source("a", { fingerprint: "2" }));
    await clock.advance(LIST_INTERVAL_MS);
    expect(reads).toHaveLength(1);
  });

  it("end with the reader, which waits a short while for what they have started", async () => {
    const { clock, answers, run, stop, source, want } = aReader({ isRunning: false });
    const ended = Promise.withResolvers<ListReading>();
    answers.set("a", () => ended.promise);
    answers.set("b", () => new Promise(() => {}));
    want(source("a"), source("b"));
    let isOver = false;
    const running = run().then(() => (isOver = true));
    await clock.advance(0);
    stop.abort();
    ended.resolve(failed);
    await clock.advance(5_000);
    expect(isOver).toBe(false);
    await clock.advance(1_000);
    await running;
  });
});
