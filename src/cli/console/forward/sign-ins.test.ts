import { describe, expect, it } from "vitest";
import { CODE_LIFE_MS, MAX_SIGN_INS, SignIns } from "./sign-ins.ts";

function signIns() {
  let nowMs = 0;
  let secrets = 0;
  const made = new SignIns({ nowMs: () => nowMs, newSecret: () => `secret-${(secrets += 1)}` });
  return { made, wait: (ms: number) => (nowMs += ms) };
}

describe("a code of omnia console", () => {
  it("counts once", () => {
    const { made } = signIns();
    const code = made.newCode();
    const key = made.redeem(code) ?? "";
    expect(made.isKey(key)).toBe(true);
    expect(made.redeem(code)).toBeUndefined();
    expect(made.isKey(key)).toBe(true);
  });

  it("is no key itself, and a key is no code", () => {
    const { made } = signIns();
    const code = made.newCode();
    expect(made.isKey(code)).toBe(false);
    const key = made.redeem(code) ?? "";
    expect(made.redeem(key)).toBeUndefined();
  });

  it("counts for five minutes", () => {
    const { made, wait } = signIns();
    const [early, late] = [made.newCode(), made.newCode()];
    wait(CODE_LIFE_MS - 1);
    expect(made.redeem(early)).toBeDefined();
    wait(1);
    expect(made.redeem(late)).toBeUndefined();
  });

  it("gives way to newer ones where there are too many, and so does a key", () => {
    const { made } = signIns();
    const first = made.newCode();
    const codes = Array.from({ length: MAX_SIGN_INS }, () => made.newCode());
    expect(made.redeem(first)).toBeUndefined();
    const keys = codes.map((code) => made.redeem(code) ?? "");
    expect(keys.every((key) => made.isKey(key))).toBe(true);
    made.redeem(made.newCode());
    expect(made.isKey(keys[0] ?? "")).toBe(false);
    expect(made.isKey(keys[1] ?? "")).toBe(true);
  });
});
