import { describe, expect, it } from "vitest";
import { WireCallIds } from "./wire-call-ids.ts";

describe("the ids of calls in a request", () => {
  it("are those of the session where the provider takes them", () => {
    const ids = new WireCallIds("openai");
    expect(["call_1", "functions.weather:0", "x".repeat(40)].map((id) => ids.next(id))).toEqual([
      "call_1",
      "functions.weather:0",
      "x".repeat(40),
    ]);
  });

  it("have letters, digits and two signs for Anthropic, and stay different", () => {
    const ids = new WireCallIds("anthropic");
    expect(["a.b", "a:b", "a_b", "ä", ""].map((id) => ids.next(id))).toEqual([
      "a_b",
      "a_b-2",
      "a_b-3",
      "_",
      "call",
    ]);
  });

  it("have 40 characters at most for OpenAI, and stay different", () => {
    const ids = new WireCallIds("openai");
    const long = "x".repeat(60);
    expect([`${long}1`, `${long}2`].map((id) => ids.next(id))).toEqual([
      "x".repeat(40),
      `${"x".repeat(38)}-2`,
    ]);
  });

  it("are the server's own where it gave one, once", () => {
    const ids = new WireCallIds("openai");
    const long = "x".repeat(1_000);
    expect(ids.next("a", long)).toBe(long);
    expect(ids.next("b", long)).toBe("b");
    expect(ids.next("c", "")).toBe("c");
    expect(new WireCallIds("anthropic").next("d", `${long}.`)).toBe("d");
  });
});
