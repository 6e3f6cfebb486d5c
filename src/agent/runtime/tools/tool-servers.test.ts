import { describe, expect, it } from "vitest";
import { aTool } from "../../../../test/support/builders/agent-config.ts";
import { systemClock } from "../../../time/clock.ts";
import { runTool } from "./tool-servers.ts";

describe("runTool", () => {
  it.each(["grpc", "mcp", "openapi"] as const)(
    "says that tools of type %s cannot be called yet",
    async (type) => {
      const outcome = await runTool(
        aTool({ url: "http://tools/", type }),
        {},
        {
          readSecret: () => Promise.resolve(""),
          clock: systemClock,
          random: () => 0,
          signal: new AbortController().signal,
        },
      );
      expect(outcome).toEqual({
        error: `tools of type ${type} cannot be called by this version of the agent`,
      });
    },
  );
});
