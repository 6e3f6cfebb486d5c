import { describe, expect, it } from "vitest";
import { errorInChunk } from "./stream-error.ts";

const choices = [{ index: 0, delta: { content: "" }, finish_reason: "stop" }];

describe("an error within a stream", () => {
  it.each([
    [{ choices, error: { code: 502, message: "gone" } }, 502],
    [{ choices, error: { code: "429", message: "slow" } }, 429],
    [{ choices, error: { status: "UNAVAILABLE" } }, 503],
    [{ choices, error: { type: "overloaded_error" } }, 503],
    [{ choices, error: { code: "insufficient_quota" } }, 429],
    [{ choices, error: { type: "authentication_error" } }, 401],
    [{ choices, error: "Rate limit reached" }, 429],
    [{ choices, error: { message: "boom" } }, 500],
    [{ choices: [{ index: 0, error: { code: 503 } }] }, 503],
    [{ error: "boom" }, 500],
    [{ error: true }, 500],
    [{ type: "response.incomplete", response: { incomplete_details: null } }, 500],
  ])("is found in %j", (chunk, statusCode) => {
    expect(errorInChunk(chunk)).toMatchObject({ statusCode });
  });

  it.each([
    { choices },
    { choices, error: null },
    { choices, error: "" },
    { choices, error: {} },
    { choices: [null, 7, { error: null }] },
    { choices: { error: 1 } },
    { type: "response.incomplete", response: { incomplete_details: { reason: "x" } } },
    { type: "response.completed", response: { error: null, incomplete_details: null } },
    null,
    "error",
    [{ error: 1 }],
  ])("is not seen in %j", (chunk) => {
    expect(errorInChunk(chunk)).toBeUndefined();
  });

  it("keeps what the server said apart from its message", () => {
    const error = errorInChunk({ choices, error: { message: "secret" } });
    expect(error?.responseBody).toContain("secret");
    expect(error?.message).not.toContain("secret");
  });
});
