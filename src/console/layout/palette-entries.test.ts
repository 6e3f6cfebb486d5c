import { describe, expect, it } from "vitest";
import { aPackDetail, aRegistryDetail, anAgentView } from "../../../test/support/console/views.ts";
import { findEntries, paletteEntries } from "./palette-entries.ts";

describe("what can be gone to by name", () => {
  const entries = paletteEntries({
    agents: [
      anAgentView({ name: "my-bot" }),
      anAgentView({ name: "bot" }),
      anAgentView({ name: "other", namespace: "bots" }),
    ],
    packs: [aPackDetail({ name: "bot-pack" })],
    registries: [aRegistryDetail({ name: "shop" })],
  });
  const found = (typed: string): string[] => findEntries(entries, typed).map(({ to }) => to);

  it("comes by how near the name is to what is typed", () => {
    expect(found("bot")).toEqual([
      "/agents/default/bot",
      "/packs/default/bot-pack",
      "/agents/default/my-bot",
      "/agents/bots/other",
    ]);
  });

  it.each([
    ["pack bot", ["/packs/default/bot-pack"]],
    ["SHOP", ["/tools/default/shop"]],
    ["page tools", ["/tools"]],
    ["bots/", ["/agents/bots/other"]],
    ["nothing", []],
  ])("is found by %j", (typed, expected) => {
    expect(found(typed)).toEqual(expected);
  });

  it("is no more than can be looked at, among a thousand", () => {
    const agents = Array.from({ length: 1_000 }, (_, index) => anAgentView({ name: `a${index}` }));
    const many = paletteEntries({ agents, packs: [], registries: [] });
    expect(findEntries(many, "a").length).toBeLessThanOrEqual(12);
  });
});
