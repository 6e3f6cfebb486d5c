import { describe, expect, it } from "vitest";
import { ApiError } from "./api-error.ts";

describe("ApiError", () => {
  it("says what a proxy answered, without half of a word at the cut", () => {
    const body = `${"the gateway is not well. ".repeat(7)}token abcdefghijklmnopqrstuvwxyz and more`;
    expect(ApiError.fromResponse(502, body, undefined).message).toMatch(/well\. token $/);
    expect(ApiError.fromResponse(502, "bad gateway", undefined).message).toBe("bad gateway");
  });
});
