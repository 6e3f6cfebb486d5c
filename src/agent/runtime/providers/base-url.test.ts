import { describe, expect, it } from "vitest";
import { providerBaseURL } from "./base-url.ts";

describe("the base URL of a provider", () => {
  it.each([
    ["openai", "https://api.openai.com/v1"],
    ["anthropic", "https://api.anthropic.com/v1"],
    ["google", "https://generativelanguage.googleapis.com/v1beta"],
  ] as const)("is the official one of %s when none is given", (name, expected) => {
    expect(providerBaseURL(name, undefined)).toBe(expected);
  });

  it.each([
    ["openai", "http://host:8000/v1"],
    ["anthropic", "http://host:8000/v1"],
    ["google", "http://host:8000/v1beta"],
  ] as const)("of %s gets the version path when it is a bare origin", (name, expected) => {
    expect(providerBaseURL(name, "http://host:8000")).toBe(expected);
    expect(providerBaseURL(name, "http://host:8000/")).toBe(expected);
    expect(providerBaseURL(name, expected)).toBe(expected);
    expect(providerBaseURL(name, `${expected}/`)).toBe(expected);
  });

  it("keeps the path of an OpenAI-compatible server as it is", () => {
    expect(providerBaseURL("openai", "https://host/api/openai/")).toBe("https://host/api/openai");
  });

  it("adds the version that Anthropic's and Google's own clients add", () => {
    expect(providerBaseURL("anthropic", "https://host/anthropic")).toBe(
      "https://host/anthropic/v1",
    );
    expect(providerBaseURL("google", "https://host/gemini")).toBe("https://host/gemini/v1beta");
    expect(providerBaseURL("google", "https://host/gemini/v1")).toBe("https://host/gemini/v1");
  });
});
