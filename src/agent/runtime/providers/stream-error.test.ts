import { describe, expect, it } from "vitest";
import { streamErrorOf } from "./stream-error.ts";

describe("an error within an answer", () => {
  it.each([
    [{ code: 502, message: "gone" }, 502],
    [{ code: "429", message: "slow" }, 429],
    [{ status: "UNAVAILABLE" }, 503],
    [{ type: "overloaded_error" }, 503],
    [{ code: "insufficient_quota" }, 429],
    [{ message: "You exceeded your current quota" }, 429],
    [{ type: "authentication_error" }, 401],
    [{ message: "The model `x` does not exist" }, 404],
    [{ code: "context_length_exceeded" }, 400],
    ["Rate limit reached", 429],
    [{ message: "boom" }, 500],
    [{ code: 200 }, 500],
    ["boom", 500],
    [true, 500],
    [7, 500],
  ])("%j has the status %i", (error, statusCode) => {
    expect(streamErrorOf(error)).toMatchObject({ statusCode });
  });

  it.each([undefined, null, "", false, 0, {}, [], [1]])("is not seen in %j", (error) => {
    expect(streamErrorOf(error)).toBeUndefined();
  });

  it("keeps what the server said apart from its message", () => {
    const error = streamErrorOf({ message: "secret" });
    expect(error?.responseBody).toContain("secret");
    expect(error?.message).not.toContain("secret");
  });
});
