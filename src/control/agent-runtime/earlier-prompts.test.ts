import { describe, expect, it } from "vitest";
import { anAgentConfig, aPrompt, aTool } from "../../../test/support/builders/agent-config.ts";
import type { AgentConfig, PromptConfig } from "../../agent-config/agent-config.ts";
import { earlierPrompts, MAX_EARLIER_BYTES, MAX_EARLIER_PROMPTS } from "./earlier-prompts.ts";

const version = (name: string, parts: Partial<PromptConfig> = {}): PromptConfig =>
  aPrompt({ version: name, ...parts });

function configWith(prompt: AgentConfig["prompt"], tools: AgentConfig["tools"] = []): AgentConfig {
  return anAgentConfig({ handler: "runtime", prompt, tools });
}

const versionsOf = (prompts: readonly PromptConfig[]) => prompts.map((each) => each.version);

describe("earlierPrompts", () => {
  it("keeps the version that a promoted canary replaces, and the one of a canary that ended", () => {
    const last = configWith({
      active: version("one"),
      canary: { weight: 10, prompt: version("two") },
    });
    expect(versionsOf(earlierPrompts({ active: version("two") }, [], last))).toEqual(["one"]);
    expect(versionsOf(earlierPrompts({ active: version("one") }, [], last))).toEqual(["two"]);
  });

  it("keeps those before, newest first, each once, and none that runs again", () => {
    const last = configWith({
      active: version("three"),
      canary: { weight: 10, prompt: version("four") },
      earlier: [version("two"), version("one")],
    });
    const current = {
      active: version("two"),
      canary: { weight: 5, prompt: version("five") },
    };
    expect(versionsOf(earlierPrompts(current, [], last))).toEqual(["four", "three", "one"]);
  });

  it("keeps nothing of another pack, and of another prompt", () => {
    const last = configWith({ active: version("one"), earlier: [version("zero")] });
    expect(earlierPrompts({ active: version("x", { pack: "sales" }) }, [], last)).toEqual([]);
    expect(earlierPrompts({ active: version("x", { prompt: "polite" }) }, [], last)).toEqual([]);
    expect(earlierPrompts({ active: version("x") }, [], undefined)).toEqual([]);
  });

  it("keeps so many, of so many bytes", () => {
    const names = Array.from({ length: 20 }, (_, index) => `v${index}`);
    const many = configWith({
      active: version("last"),
      earlier: names.map((each) => version(each)),
    });
    expect(earlierPrompts({ active: version("new") }, [], many)).toHaveLength(MAX_EARLIER_PROMPTS);
    const system = "x".repeat(MAX_EARLIER_BYTES / 2);
    const large = configWith({
      active: version("last", { system }),
      earlier: names.map((each) => version(each, { system })),
    });
    expect(versionsOf(earlierPrompts({ active: version("new") }, [], large))).toEqual(["last"]);
  });

  it("offers what the version offered, at the addresses of now", () => {
    const refund = aTool({ name: "refund", registryName: "refund", url: "http://old/refund" });
    const weather = aTool({ url: "http://old/weather", description: "as the old pack says" });
    const last = configWith({ active: version("one") }, [refund, weather]);
    const now = [
      aTool({ url: "http://new/weather", description: "as the new pack says" }),
      aTool({ name: "pay", registryName: "pay", url: "http://new/pay" }),
    ];
    const [kept] = earlierPrompts({ active: version("two") }, now, last);
    expect(kept?.tools).toEqual([refund, { ...weather, url: "http://new/weather" }]);
  });
});
