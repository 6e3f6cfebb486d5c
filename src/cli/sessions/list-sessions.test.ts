import { describe, expect, it } from "vitest";
import { aSessionView } from "../../../test/support/builders/a-session-timeline.ts";
import { sessionRows } from "./list-sessions.ts";

describe("the list of sessions", () => {
  it("has a column of costs where one is known", () => {
    const rows = sessionRows([
      aSessionView({ cost: { amount: 0.00356, currency: "USD" } }),
      aSessionView({ id: "session-2" }),
    ]);
    expect(rows.map((row) => row.slice(5, 7))).toEqual([
      ["TOKENS", "COST"],
      ["1,256", "0.00356 USD"],
      ["1,256", "-"],
    ]);
  });

  it("has none where nobody knows prices", () => {
    expect(sessionRows([aSessionView()])[0]).toEqual([
      "SESSION",
      "LAST ACTIVE (UTC)",
      "STATE",
      "TURNS",
      "TOOLS",
      "TOKENS",
      "VERSION",
      "TITLE",
    ]);
  });
});
