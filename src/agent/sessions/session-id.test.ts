import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { isSessionId, newSessionId } from "./session-id.ts";

describe("a session id", () => {
  it("makes an id of 144 random bits that fits into a URL", () => {
    expect(newSessionId((size) => Buffer.alloc(size, 0xff))).toBe("_".repeat(24));
    expect(newSessionId(randomBytes)).toMatch(/^[\w-]{24}$/);
  });

  it("makes no id that a command would take for a flag", () => {
    const beginning = Buffer.from("-".repeat(24), "base64url");
    expect(newSessionId(() => beginning)).toBe(`_${"-".repeat(23)}`);
  });

  it("makes another id each time", () => {
    const ids = Array.from({ length: 1_000 }, () => newSessionId(randomBytes));
    expect(new Set(ids).size).toBe(1_000);
  });

  it("takes its own ids for ids, and nothing that could mean more in a key", () => {
    expect(isSessionId(newSessionId(randomBytes))).toBe(true);
    const others = ["", "a b", "a}b", "a{b", "a\nb", "a*", "é", "x".repeat(257)];
    expect(others.filter(isSessionId)).toEqual([]);
  });
});
