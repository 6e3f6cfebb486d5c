import { describe, expect, it } from "vitest";
import { agentConfigSchema } from "../../agent-config/agent-config.ts";
import {
  decided,
  packReference,
  registryReference,
  theReferences,
  theVersion,
} from "../../../test/support/builders/a-decision.ts";

type Fields = Record<string, unknown>;

const states = {
  desk: { prompt_task: "desk", on_event: { Money: "billing" } },
  billing: {
    prompt_task: "billing",
    on_event: { Again: "desk" },
    max_visits: 2,
    on_max_visits: "closing",
    skills: "./skills/money",
  },
  closing: { prompt_task: "desk", on_event: { Never: "island" }, terminal: true },
  island: { prompt_task: "other" },
};
const workflow = { version: 1, entry: "desk", states, engine: { budget: { max_tool_calls: 9 } } };
const prompts: Record<string, Fields> = {
  default: { id: "default" },
  other: { id: "other", variables: [{ name: "x", type: "string", required: true }] },
  desk: { id: "desk", tools: ["look-up"] },
  billing: { id: "billing", system_template: "Bill {{who}}", tools: ["refund"] },
};

function decide({
  pack = {},
  spec = {},
  previous,
}: { pack?: Fields; spec?: Fields; previous?: object } = {}) {
  const version = theVersion({ workflow, prompts, ...pack });
  const promptPackRef = { name: "prompts", variables: { who: "Ann" } };
  const toolRegistry = registryReference({ reachable: { "look-up": true, refund: true } });
  const decision = decided({
    spec: { promptPackRef, toolRegistryRef: { name: "tools" }, ...spec },
    references: theReferences({ promptPack: packReference({ kept: [version] }), toolRegistry }),
    ...(previous && { previous }),
  });
  const ready = decision.status.conditions?.find(({ type }) => type === "PromptPackReady");
  return { decision, config: decision.config, ready };
}

describe("an agent of a pack with a workflow", () => {
  it("has the prompts and tools of the states that a session can come to, and no others", () => {
    const prompt = agentConfigSchema.parse(decide().config).prompt?.active;
    expect(prompt?.prompt).toBe("desk");
    expect(Object.keys(prompt?.others ?? {})).toEqual(["billing"]);
    expect(prompt?.others?.["billing"]).toMatchObject({
      system: "Bill Ann",
      tools: [{ name: "refund" }],
    });
    expect(prompt?.workflow).toEqual({
      entry: "desk",
      states: {
        desk: { prompt: "desk", events: { Money: "billing" } },
        billing: {
          prompt: "billing",
          events: { Again: "desk" },
          maxVisits: 2,
          onMaxVisits: "closing",
          skills: "skills.money",
        },
        closing: { prompt: "desk", events: {} },
      },
      budget: { maxToolCalls: 9 },
    });
  });

  it("needs the variables of all these prompts", () => {
    const { ready } = decide({ spec: { promptPackRef: { name: "prompts" } } });
    expect(ready).toMatchObject({
      reason: "VariablesMissing",
      message: expect.stringContaining('prompt "billing"') as string,
    });
  });

  it("runs no workflow where it names another prompt, and says so", () => {
    const promptPackRef = { name: "prompts", prompt: "default" };
    const { config, ready } = decide({ spec: { promptPackRef } });
    expect(config?.prompt?.active).not.toHaveProperty("workflow");
    expect(ready?.message).toMatch(/\. Not run: workflow$/);
    expect(decide().ready?.message).not.toContain("Not run");
  });

  it("is Invalid where the prompts are too large together", () => {
    const system_template = "x".repeat(140_000);
    const large = { ...prompts, desk: { ...prompts["desk"], system_template } };
    const both = { ...large, billing: { ...prompts["billing"], system_template } };
    expect(decide({ pack: { prompts: large } }).ready?.reason).toBe("Resolved");
    expect(decide({ pack: { prompts: both } }).ready).toMatchObject({
      reason: "Invalid",
      message: expect.stringContaining("its other prompts it is larger than 256 KiB") as string,
    });
  });

  it("is Invalid where it leads to too many prompts", () => {
    const names = Array.from({ length: 70 }, (_, index) => `p${index}`);
    const many = Object.fromEntries(names.map((id) => [id, { id }]));
    const chain = names.map((name, index) => [
      name,
      { prompt_task: name, on_event: { Next: names[index + 1] ?? name } },
    ]);
    const pack = {
      prompts: many,
      workflow: { version: 1, entry: "p0", states: Object.fromEntries(chain) as Fields },
    };
    expect(decide({ pack }).ready).toMatchObject({
      reason: "Invalid",
      message: expect.stringContaining("more than 64 prompts") as string,
    });
  });

  it("says which tool which prompt of it misses", () => {
    const pack = { prompts: { ...prompts, billing: { ...prompts["billing"], tools: ["gone"] } } };
    const { decision } = decide({ pack });
    const tools = decision.status.conditions?.find(({ type }) => type === "ToolRegistryReady");
    expect(tools).toMatchObject({
      reason: "ToolsMissing",
      message: expect.stringContaining('Prompt "billing"') as string,
    });
  });

  it("keeps the tools of each prompt when the registry is gone", () => {
    const { config } = decide();
    const references = theReferences({
      promptPack: packReference({ kept: [theVersion({ workflow, prompts })] }),
      toolRegistry: { found: false },
    });
    const promptPackRef = { name: "prompts", variables: { who: "Ann" } };
    const after = decided({
      spec: { promptPackRef, toolRegistryRef: { name: "tools" } },
      references,
      previous: { config, secretFiles: [] },
    });
    expect(after.config?.tools).toEqual(config?.tools);
    expect(after.config?.prompt).toEqual(config?.prompt);
  });

  it("keeps the prompts and tools of an earlier version for the sessions that have it", () => {
    const promptPackRef = { name: "prompts", variables: { who: "Ann" } };
    const toolRegistry = registryReference({ reachable: { "look-up": true, refund: true } });
    const spec = { promptPackRef, toolRegistryRef: { name: "tools" } };
    const first = theVersion({ workflow, prompts });
    const second = theVersion({ workflow, prompts, version: "2.0.0" });
    const canary = packReference({ kept: [first], canary: second });
    const before = decided({
      spec,
      references: theReferences({ promptPack: canary, toolRegistry }),
    });
    const tools = before.config?.prompt?.canary?.prompt.others?.["billing"]?.tools;
    expect(tools).toMatchObject([{ name: "refund" }]);
    const third = theVersion({ workflow, prompts, version: "3.0.0" });
    const after = decided({
      spec,
      references: theReferences({
        promptPack: packReference({ kept: [first], canary: third }),
        toolRegistry,
      }),
      previous: { config: before.config, secretFiles: [] },
    });
    const [earlier] = after.config?.prompt?.earlier ?? [];
    expect(earlier).toMatchObject({ semver: "2.0.0", workflow: { entry: "desk" } });
    expect(earlier?.tools).toMatchObject([{ name: "look-up" }]);
    expect(earlier?.others?.["billing"]?.tools).toMatchObject([{ name: "refund" }]);
  });
});
