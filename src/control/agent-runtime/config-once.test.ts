import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { decided } from "../../../test/support/builders/a-decision.ts";
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import { configOnce } from "./config-once.ts";

const AGENTS = ["support", "sales"].map((name) => ({ name, namespace: "team" }));

function aConfig(): AgentConfig {
  const { config } = decided();
  if (config === undefined) throw new Error("there is no config");
  return config;
}

/** Makes the config for each agent, and counts how often it was made anew. */
function make({ digest = randomUUID(), length = 1, agents = AGENTS } = {}) {
  let made = 0;
  const configs = agents.map((agent) =>
    configOnce(agent, { digest, length }, () => {
      made += 1;
      return { ...aConfig(), agent };
    }),
  );
  return { made, configs, digest };
}

describe("configOnce", () => {
  it("makes the configs of agents that differ in their names alone from one", () => {
    const { made, configs } = make();
    expect(made).toBe(1);
    const each = AGENTS.map((agent) => ({ ...aConfig(), agent }));
    // The order of the fields is that of the text that pods get.
    expect(JSON.stringify(configs)).toBe(JSON.stringify(each));
    expect(configs[1]?.prompt).toBe(configs[0]?.prompt);
  });

  it("makes one anew for another digest, and for a long one", () => {
    expect(make().made + make().made).toBe(2);
    expect(make({ length: 128 * 1024 + 1 }).made).toBe(2);
  });

  it("keeps a bounded number", () => {
    const { digest } = make();
    expect(make({ digest }).made).toBe(0);
    for (let index = 0; index < 32; index += 1) make();
    expect(make({ digest }).made).toBe(1);
  });
});
