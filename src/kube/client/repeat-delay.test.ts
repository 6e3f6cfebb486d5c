import { describe, expect, it } from "vitest";
import { ApiError, ConnectionError } from "./api-error.ts";
import { type FailedRequest, MAX_REPEATS, repeatDelay, REPEATING_MS } from "./repeat-delay.ts";

const refused = new ConnectionError("refused", { wasSent: false });
const cut = new ConnectionError("cut");
const answered = (status: number, retryAfterMs?: number): ApiError =>
  new ApiError({ status, reason: "", message: "", retryAfterMs });

function delayAfter(failed: Partial<FailedRequest>, random = 0): number | undefined {
  const first = { method: "GET", error: cut, repeats: 0, elapsedMs: 0 } as const;
  return repeatDelay({ ...first, ...failed }, () => random);
}

describe("repeatDelay", () => {
  it.each([
    ["that was never sent", refused, true, true],
    ["without an answer", cut, true, false],
    ["that was one too many", answered(429), true, true],
    ["that the server turned away as it starts or ends", answered(503, 1_000), true, true],
    ["that a proxy could not hand on", answered(503), true, false],
    ["that failed in the server", answered(500), true, false],
    ["that took the server too long", answered(504, 1_000), true, false],
    ["that is in conflict", answered(409), false, false],
    ["that is refused", answered(403), false, false],
    ["for something that is not there", answered(404), false, false],
    ["that some check of the caller ended", new Error("not leading"), false, false],
  ])("a request %s", (_, error, readIsRepeated, writeIsRepeated) => {
    expect(delayAfter({ error }) !== undefined).toBe(readIsRepeated);
    for (const method of ["POST", "PUT", "PATCH", "DELETE"] as const) {
      expect(delayAfter({ method, error }) !== undefined).toBe(writeIsRepeated);
    }
  });

  it("waits longer from time to time, spread over half of it", () => {
    const delays = [0, 1, 2, 5, 9].map((repeats) => delayAfter({ repeats }));
    expect(delays).toEqual([50, 100, 200, 1_600, 2_500]);
    expect(delayAfter({ repeats: 1 }, 0.5)).toBe(150);
  });

  it("waits no less than the server asks for, and not all to the same moment", () => {
    const error = answered(429, 2_000);
    expect(delayAfter({ error })).toBe(2_000);
    expect(delayAfter({ error }, 0.5)).toBe(2_250);
  });

  it("gives up after so many times, or so long", () => {
    expect(delayAfter({ repeats: MAX_REPEATS })).toBeUndefined();
    expect(delayAfter({ elapsedMs: REPEATING_MS })).toBeUndefined();
    expect(delayAfter({ error: answered(429, REPEATING_MS + 1) })).toBeUndefined();
  });
});
