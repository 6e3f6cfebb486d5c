import { describe, expect, it } from "vitest";
import { TransportError, type TransportFailure } from "../server/transport-error.ts";
import { mayTryAfterFailure, mayTryAfterStatus, readRetryAfter } from "./retry-rule.ts";

const METHODS = ["GET", "PUT", "DELETE", "POST", "PATCH"] as const;
const ALL = METHODS.join(" ");
const IDEMPOTENT = "GET PUT DELETE";

describe("another attempt after a failure", () => {
  it.each<[TransportFailure, mayBeReceived: boolean, methods: string]>([
    ["connection_refused", false, ALL],
    ["unknown_host", false, ALL],
    ["lookup_failed", false, ALL],
    ["connect_timeout", false, ALL],
    ["broken_off", false, ALL],
    ["broken_off", true, IDEMPOTENT],
    ["failed", true, IDEMPOTENT],
    ["failed", false, ALL],
    ["address_refused", false, ""],
    ["other_origin", true, ""],
    ["too_many_redirects", true, ""],
  ])("of %s, possibly received: %s, is made of %s", (failure, mayBeReceived, methods) => {
    const error = new TransportError(failure, { mayBeReceived });
    const made = METHODS.filter((method) => mayTryAfterFailure(method, error));
    expect(made.join(" ")).toBe(methods);
  });

  it.each([
    [502, undefined, IDEMPOTENT],
    [503, undefined, IDEMPOTENT],
    [504, undefined, IDEMPOTENT],
    [503, 1_000, ALL],
    [429, 1_000, ALL],
    [502, 1_000, IDEMPOTENT],
    [504, 0, IDEMPOTENT],
    [429, undefined, ""],
    [500, 1_000, ""],
    [400, 0, ""],
    [200, 0, ""],
  ])("with HTTP %i and Retry-After %s is made of %s", (status, retryAfterMs, methods) => {
    const made = METHODS.filter((method) => mayTryAfterStatus(method, status, retryAfterMs));
    expect(made.join(" ")).toBe(methods);
  });
});

describe("Retry-After", () => {
  const now = Date.parse("2026-03-01T12:00:00Z");
  it.each([
    ["2", 2_000],
    [" 0 ", 0],
    ["Sun, 01 Mar 2026 12:00:03 GMT", 3_000],
    ["Sun, 01 Mar 2026 11:00:00 GMT", 0],
    ["6", undefined],
    ["Sun, 01 Mar 2026 13:00:00 GMT", undefined],
    ["soon", undefined],
    ["-1", 0],
    ["", undefined],
    [undefined, undefined],
  ])("of %j is read as %s", (header, ms) => {
    expect(readRetryAfter(header, { now, mostMs: 5_000 })).toBe(ms);
  });
});
