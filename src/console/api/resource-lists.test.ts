import { describe, expect, it } from "vitest";
import { aPackDetail, aRegistryDetail, anAgentView } from "../../../test/support/console/views.ts";
import { applyWatchEvent, listsOf, type ResourceLists } from "./resource-lists.ts";

const agent = anAgentView({ name: "a" });
const LISTS: ResourceLists = {
  agents: [agent, anAgentView({ name: "b" })],
  packs: [aPackDetail({ name: "a" })],
  registries: [aRegistryDetail({ name: "a" })],
};

describe("the lists behind the stream of changes", () => {
  it("are what a snapshot says, whatever was before", () => {
    const items = [{ kind: "AgentRuntime" as const, item: agent }];
    expect(applyWatchEvent(LISTS, { type: "snapshot", items })).toEqual(listsOf(items));
    expect(listsOf(items)).toEqual({ agents: [agent], packs: [], registries: [] });
  });

  it("take a change in the place of what it changes, and leave the others as they are", () => {
    const changed = anAgentView({ name: "a", phase: "Failed" });
    const next = applyWatchEvent(LISTS, {
      type: "changed",
      change: { kind: "AgentRuntime", item: changed },
    });
    expect(next.agents).toEqual([changed, LISTS.agents[1]]);
    expect(next.agents[1]).toBe(LISTS.agents[1]);
    expect(next.packs).toBe(LISTS.packs);
  });

  it("take what is new, also under a name that another namespace has", () => {
    const item = anAgentView({ name: "a", namespace: "other" });
    const change = { kind: "AgentRuntime" as const, item };
    expect(applyWatchEvent(LISTS, { type: "changed", change }).agents).toHaveLength(3);
  });

  it.each([
    ["AgentRuntime", [1, 1, 1]],
    ["PromptPack", [2, 0, 1]],
    ["ToolRegistry", [2, 1, 0]],
  ] as const)("lose a %s that is removed, and nothing else of its name", (kind, counts) => {
    const removed = { kind, namespace: "default", name: "a" };
    const { agents, packs, registries } = applyWatchEvent(LISTS, { type: "removed", removed });
    expect([agents.length, packs.length, registries.length]).toEqual(counts);
  });

  it("stay the same for what is about something else", () => {
    const about = { kind: "AgentRuntime" as const, namespace: "default", name: "a" };
    const event = { at: "", count: 1, type: "Normal" as const, reason: "", message: "" };
    expect(applyWatchEvent(LISTS, { type: "event", about, event })).toBe(LISTS);
    expect(applyWatchEvent(LISTS, { type: "reset" })).toBe(LISTS);
    const nobody = { kind: "AgentRuntime" as const, namespace: "x", name: "y" };
    expect(applyWatchEvent(LISTS, { type: "removed", removed: nobody })).toEqual(LISTS);
  });
});
