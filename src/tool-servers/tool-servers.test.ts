import { describe, expect, it } from "vitest";
import { aTool } from "../../test/support/builders/agent-config.ts";
import { MAX_TOOL_FAILURES } from "./server/limits.ts";
import { systemClock } from "../time/clock.ts";
import { ToolServers } from "./tool-servers.ts";

function servers(): ToolServers {
  const readSecret = () => Promise.resolve("");
  return new ToolServers({ readSecret, clock: systemClock, random: () => 0 });
}

describe("the servers of tools", () => {
  it("offer the operations of an openapi server, and no tool before its document was read", async () => {
    const { signal } = new AbortController();
    const tool = aTool({ url: "http://tools/openapi.json", type: "openapi" });
    expect(await servers().of(tool).list(signal)).toEqual([]);
    const operation = {
      name: "find_city",
      description: "Finds a city",
      inputSchema: { type: "object", properties: {} },
      method: "GET" as const,
      url: "http://tools/cities",
      parameters: [],
    };
    const { name, description, inputSchema } = operation;
    expect(
      await servers()
        .of({ ...tool, openapi: { operations: [operation] } })
        .list(signal),
    ).toEqual([{ name, description, inputSchema }]);
  });

  it("are the same for the same tool, also where two prompts offer it", async () => {
    const known = servers();
    const tool = aTool({ url: "http://127.0.0.1:1/" });
    expect(known.of(tool)).toBe(known.of(tool));
    const { signal } = new AbortController();
    for (let failures = 0; failures < MAX_TOOL_FAILURES; failures += 1) {
      await known.of({ ...tool }).call("", {}, { signal, timeoutMs: 1_000 });
    }
    const renamed = { ...tool, name: "other", description: "of the canary" };
    expect(await known.of(renamed).call("", {}, { signal, timeoutMs: 1_000 })).toEqual({
      error: expect.stringContaining("failed 5 times in a row") as string,
    });
    const moved = { ...tool, url: "http://127.0.0.1:2/" };
    expect(await known.of(moved).call("", {}, { signal, timeoutMs: 1_000 })).toEqual({
      error: "the tool could not be reached: the connection was refused",
    });
  });
});
