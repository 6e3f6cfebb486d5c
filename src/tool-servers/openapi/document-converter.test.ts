import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import { systemClock } from "../../time/clock.ts";
import { MAX_OPENAPI_MARKS, OPENAPI_CONVERT_TIMEOUT_MS } from "../server/limits.ts";
import { DocumentConverter } from "./document-converter.ts";

const options = {
  url: "https://shop.example/openapi.json",
  allowedAddresses: [],
  hasCredential: false,
};
const { signal } = new AbortController();

function aDocument(more: object = {}): string {
  return JSON.stringify({
    openapi: "3.1.0",
    paths: { "/x": { get: { operationId: "x" } } },
    ...more,
  });
}
const LARGE = aDocument({ "x-filling": "x".repeat(100_000) });

function aThread(code: string): Worker {
  return new Worker(code, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 16 } });
}
const WAITING = "require('node:worker_threads').parentPort.on('message', () => {})";

describe("a document", () => {
  it.each([aDocument(), LARGE])("is converted, whatever its size is", async (text) => {
    const reading = await new DocumentConverter().convert({ text, options }, systemClock, signal);
    expect(reading).toMatchObject({ state: "read", tools: [{ name: "x" }] });
  });

  it("that is no document is refused also where it is large", async () => {
    const text = LARGE.slice(0, -1);
    expect(await new DocumentConverter().convert({ text, options }, systemClock, signal)).toEqual({
      state: "failed",
      reason: "InvalidTool",
      message: "its document is no whole JSON",
    });
  });

  it("with values without end is refused before it takes memory", async () => {
    const text = `{"a":[${"[],".repeat(MAX_OPENAPI_MARKS / 2)}1]}`;
    expect(await new DocumentConverter().convert({ text, options }, systemClock, signal)).toEqual({
      state: "failed",
      reason: "InvalidTool",
      message: "its document has too many values; give a smaller one",
    });
  });

  it("that takes too much memory is refused, and the next one is read", async () => {
    const threads = [
      () =>
        aThread(
          "require('node:worker_threads').parentPort.on('message', () => { const all = []; for (;;) all.push([all.length]); })",
        ),
    ];
    const converter = new DocumentConverter(
      () => threads.shift()?.() ?? new Worker(new URL("./document-thread.ts", import.meta.url)),
    );
    const convert = () => converter.convert({ text: LARGE, options }, systemClock, signal);
    expect(await convert()).toEqual({
      state: "failed",
      reason: "InvalidTool",
      message: "its document needs more than 160 MB to be read; give a smaller one",
    });
    expect(await convert()).toMatchObject({ state: "read" });
  });

  it("that takes too long is refused", async () => {
    const clock = new ManualClock();
    const started = Promise.withResolvers<void>();
    const converter = new DocumentConverter(() => {
      started.resolve();
      return aThread(WAITING);
    });
    const reading = converter.convert({ text: LARGE, options }, clock, signal);
    await started.promise;
    await clock.advance(OPENAPI_CONVERT_TIMEOUT_MS);
    expect(await reading).toMatchObject({
      message: expect.stringContaining("20 seconds") as string,
    });
  });

  it("is given up when nobody wants it any more, and holds up no other", async () => {
    const threads = [() => aThread(WAITING)];
    const started = Promise.withResolvers<void>();
    const converter = new DocumentConverter(() => {
      started.resolve();
      return threads.shift()?.() ?? new Worker(new URL("./document-thread.ts", import.meta.url));
    });
    const stop = new AbortController();
    const first = rejectionOf(
      converter.convert({ text: LARGE, options }, systemClock, stop.signal),
    );
    const second = converter.convert({ text: LARGE, options }, systemClock, signal);
    await started.promise;
    stop.abort(new Error("stopped"));
    expect(await first).toMatchObject({ message: "stopped" });
    expect(await second).toMatchObject({ state: "read" });
  });
});
