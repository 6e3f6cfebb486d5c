import { describe, expect, it } from "vitest";
import { plainText } from "../../observability/terminal/line.ts";
import { budgetOf, budgetText } from "./budget.ts";
import { explanationLines } from "./explain.ts";
import { statusLines } from "./status.ts";
import { readResourceViews, type ResourceView } from "./view.ts";

function agent(spec: object): ResourceView {
  const metadata = { name: "support", namespace: "agents" };
  const status = { conditions: [{ type: "Available", status: "True", reason: "Well" }] };
  const [view] = readResourceViews([{ kind: "AgentRuntime", metadata, spec, status }]);
  if (view === undefined) throw new Error("not a resource");
  return view;
}

function text(spec: object, usedToday?: number): string | undefined {
  const budget = budgetOf(agent(spec));
  return budget && budgetText(budget, usedToday);
}

const ALL = { maxTokensPerTurn: 1_000, maxTokensPerSession: 20_000, maxTokensPerDay: 5_000_000 };

describe("the budget of an agent", () => {
  it("is told with what is used of the day, where the agent tells it", () => {
    expect(text({ budget: ALL }, 1_234)).toBe(
      "1,000 a turn, 20,000 a session, 5,000,000 a day (tokens); 1,234 used since midnight UTC",
    );
    expect(text({ budget: ALL })).toBe("1,000 a turn, 20,000 a session, 5,000,000 a day (tokens)");
    expect(text({ budget: { maxTokensPerTurn: 1_000 } }, 7)).toBe("1,000 a turn (tokens)");
  });

  it("says what follows from a day that is spent", () => {
    expect(text({ budget: { maxTokensPerDay: 80 } }, 84)).toBe(
      "80 a day (tokens); 84 used since midnight UTC: no turn begins before the next midnight",
    );
  });

  it("is one for each replica where sessions are in memory", () => {
    const spec = { replicas: 2, budget: { maxTokensPerDay: 80 } };
    expect(text(spec, 42)).toBe(
      "80 a day for each replica (tokens); 42 used since midnight UTC by the replica that used the most",
    );
    expect(text({ ...spec, session: { type: "redis" } }, 42)).toBe(
      "80 a day (tokens); 42 used since midnight UTC",
    );
  });

  it("is none where it counts nothing", () => {
    expect(text({})).toBeUndefined();
    expect(text({ budget: {} })).toBeUndefined();
    expect(text({ budget: ALL, facade: { handler: "echo" } })).toBeUndefined();
    expect(text({ budget: "much" })).toBeUndefined();
  });

  it("stands in what explain and status show", () => {
    const resource = agent({ budget: { maxTokensPerDay: 80 } });
    const explained = explanationLines(resource, "local", 84).map(plainText);
    expect(explained).toContain(
      "Budget: 80 a day (tokens); 84 used since midnight UTC: no turn begins before the next midnight",
    );
    const shown = statusLines([resource], new Map([["agents/support", 84]])).map(plainText);
    expect(shown.slice(-2)).toEqual([
      "  Available  True   Well",
      "  Budget     Spent  80 a day (tokens); 84 used since midnight UTC: no turn begins before the next midnight",
    ]);
  });
});
