import { describe, expect, it } from "vitest";
import { anAgentView, NO_SECRET } from "../../../test/support/console/views.ts";
import { filterAgents, orderAgents } from "./order-agents.ts";

const canary = { name: "p", version: "1", canary: { version: "2", weight: 10 } };
const AGENTS = [
  anAgentView({ name: "b", namespace: "x" }),
  anAgentView({ name: "c", pack: canary }),
  anAgentView({ name: "a" }),
  anAgentView({ name: "b", namespace: "a", model: "Big-Model" }),
  anAgentView({ name: "starting", ready: 1, wanted: 2 }),
  anAgentView({ name: "broken", phase: "Pending", explain: NO_SECRET }),
];

const names = (agents: readonly { namespace: string; name: string }[]): string[] =>
  agents.map(({ namespace, name }) => `${namespace}/${name}`);

describe("the list of agents", () => {
  it("begins with what is not ready, goes on with canaries, and then by name", () => {
    expect(names(orderAgents(AGENTS))).toEqual([
      "default/broken",
      "default/starting",
      "default/c",
      "default/a",
      "a/b",
      "x/b",
    ]);
  });

  it("does not change what it is given", () => {
    const given = [...AGENTS];
    orderAgents(given);
    expect(given).toEqual(AGENTS);
  });

  it.each([
    [{}, 6],
    [{ q: "" }, 6],
    [{ q: "  " }, 6],
    [{ q: "BIG" }, 1],
    [{ q: "secret openai" }, 1],
    [{ q: "big x/b" }, 0],
    [{ ns: "x" }, 1],
    [{ ns: "nowhere" }, 0],
    [{ phase: "Pending" }, 1],
    [{ phase: "Pending", ns: "x" }, 0],
  ])("filtered by %j has %i", (filter, count) => {
    expect(filterAgents(AGENTS, filter)).toHaveLength(count);
  });
});
