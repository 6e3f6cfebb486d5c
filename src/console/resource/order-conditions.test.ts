import { describe, expect, it } from "vitest";
import type { ConditionView } from "../../http-api/resource-views.ts";
import { orderConditions } from "./order-conditions.ts";

const condition = (type: string, status: ConditionView["status"]): ConditionView => ({
  type,
  status,
  reason: "R",
  message: "",
});

describe("the chain of conditions", () => {
  it("begins with the cause of what is broken, and ends with what is well", () => {
    const ordered = orderConditions([
      condition("Ready", "False"),
      condition("Available", "False"),
      condition("PromptPackReady", "True"),
      condition("ProviderReady", "False"),
      condition("Progressing", "Unknown"),
      condition("OfTheFuture", "False"),
    ]);
    expect(ordered.map(({ type }) => type)).toEqual([
      "ProviderReady",
      "Progressing",
      "Available",
      "OfTheFuture",
      "Ready",
      "PromptPackReady",
    ]);
  });
});
