import { describe, expect, it } from "vitest";
import { untilAborted } from "./until-aborted.ts";

const never = new Promise<string>(() => {});

describe("untilAborted", () => {
  it("gives what the work gives", async () => {
    const { signal } = new AbortController();
    expect(await untilAborted(Promise.resolve("done"), signal)).toBe("done");
  });

  it("rejects with the reason of an abort that comes first", async () => {
    const controller = new AbortController();
    const waiting = untilAborted(never, controller.signal);
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });

  it("rejects at once when it was aborted before", async () => {
    await expect(untilAborted(never, AbortSignal.abort(new Error("enough")))).rejects.toThrow(
      "enough",
    );
  });
});
