import { describe, expect, it } from "vitest";
import { AGENT_RUNTIME_CASES } from "./cases/agent-runtime.cases.ts";
import { parseManifests } from "./manifest/manifest.ts";
import { PROMPT_PACK_CASES } from "./cases/prompt-pack.cases.ts";
import { TOOL_REGISTRY_CASES } from "./cases/tool-registry.cases.ts";

describe.each([
  { kind: "AgentRuntime", cases: AGENT_RUNTIME_CASES },
  { kind: "PromptPack", cases: PROMPT_PACK_CASES },
  { kind: "ToolRegistry", cases: TOOL_REGISTRY_CASES },
])("$kind", ({ cases }) => {
  const taken = cases.filter(({ refusedAt }) => refusedAt === undefined);
  const refused = cases.filter(({ refusedAt }) => refusedAt !== undefined);

  it.each(taken)("takes $name", ({ manifest }) => {
    const { resources, problems } = parseManifests(JSON.stringify(manifest), "case.json");
    expect(problems).toEqual([]);
    expect(resources).toHaveLength(1);
  });

  it.each(refused)("refuses $name, at $refusedAt", ({ manifest, refusedAt }) => {
    const { resources, problems } = parseManifests(JSON.stringify(manifest), "case.json");
    expect(resources).toEqual([]);
    // One mistake must give exactly one problem.
    expect(problems.map(({ message }) => message.split(": ", 1)[0])).toEqual([refusedAt]);
  });
});
