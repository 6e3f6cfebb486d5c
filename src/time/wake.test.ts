import { describe, expect, it } from "vitest";
import { Wake } from "./wake.ts";

const never = new AbortController().signal;

describe("Wake", () => {
  it("a flag raised before the wait ends it at once, however often it was raised", async () => {
    const wake = new Wake();
    wake.raise();
    wake.raise();
    await wake.wait(never);
    let waited = false;
    const waiting = wake.wait(never).then(() => (waited = true));
    await Promise.resolve();
    expect(waited).toBe(false);
    wake.raise();
    await waiting;
  });

  it("a wait ends when its signal aborts", async () => {
    const wake = new Wake();
    const ending = new AbortController();
    const waiting = wake.wait(ending.signal);
    ending.abort();
    await waiting;
    await wake.wait(ending.signal);
  });
});
