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

const prompts: Record<string, Fields> = {
  default: { id: "default" },
  chief: { id: "chief" },
  finder: { id: "finder", description: "Finds things", tools: ["look-up", "ask_clerk"] },
  clerk: { id: "clerk", name: "Clerk", tools: [] },
};
const members = { chief: {}, finder: {}, clerk: { description: "Counts" } };

function decide({ pack = {}, prompt }: { pack?: Fields; prompt?: string } = {}) {
  const version = theVersion({ prompts, agents: { entry: "chief", members }, ...pack });
  const toolRegistry = registryReference({ reachable: { "look-up": true } });
  const promptPackRef = { name: "prompts", ...(prompt !== undefined && { prompt }) };
  const { config, status } = decided({
    spec: { promptPackRef, toolRegistryRef: { name: "tools" } },
    references: theReferences({ promptPack: packReference({ kept: [version] }), toolRegistry }),
  });
  const condition = (type: string) => status.conditions?.find((each) => each.type === type);
  return { active: agentConfigSchema.parse(config).prompt?.active, condition };
}

describe("an agent of a pack with agents", () => {
  it("runs the entry, which may ask all other members", () => {
    const { active, condition } = decide();
    expect(active?.prompt).toBe("chief");
    expect(Object.keys(active?.others ?? {})).toEqual(["finder", "clerk"]);
    expect(active?.agents).toEqual({
      members: { finder: "Finds things", clerk: "Counts" },
      asks: { chief: ["finder", "clerk"], finder: ["clerk"] },
    });
    expect(condition("PromptPackReady")?.message).not.toContain("Not run");
  });

  it("lets the entry ask the members that its tools name, which are no tools of the registry", () => {
    const pack = { prompts: { ...prompts, chief: { id: "chief", tools: ["finder"] } } };
    const { active, condition } = decide({ pack });
    expect(active?.agents?.asks["chief"]).toEqual(["finder"]);
    expect(active?.others?.["finder"]?.tools).toMatchObject([{ name: "look-up" }]);
    expect(condition("ToolRegistryReady")?.reason).toBe("Resolved");
  });

  it("asks nobody where it names another prompt, and says so", () => {
    const { active, condition } = decide({ prompt: "default" });
    expect(active).not.toHaveProperty("agents");
    expect(condition("PromptPackReady")?.message).toMatch(/\. Not run: agents$/);
  });

  it("may have its entry in a state of a workflow", () => {
    const states = {
      hello: { prompt_task: "default", on_event: { Work: "work" } },
      work: { prompt_task: "chief" },
    };
    const { active } = decide({ pack: { workflow: { version: 1, entry: "hello", states } } });
    expect(active?.prompt).toBe("default");
    expect(Object.keys(active?.others ?? {}).toSorted()).toEqual(["chief", "clerk", "finder"]);
    expect(active?.agents?.asks["chief"]).toEqual(["finder", "clerk"]);
  });
});
