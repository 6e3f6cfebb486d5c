import { describe, expect, it } from "vitest";
import {
  type AgentRuntimeSpec,
  agentRuntimeSpecSchema,
  runtimeSpecOf,
  toolRegistryNameOf,
} from "./agent-runtime.ts";

function spec(given: object): AgentRuntimeSpec {
  return agentRuntimeSpecSchema.parse(given);
}

const provider = { name: "openai", model: "gpt-4" };
const promptPackRef = { name: "prompts" };

describe("runtimeSpecOf", () => {
  it("answers both spellings of the key's Secret as one", () => {
    const reference = { name: "llm", key: "api-key" };
    const now = spec({ provider: { ...provider, apiKeySecretRef: reference }, promptPackRef });
    const before = spec({ provider, providerSecretRef: { name: "llm" }, promptPackRef });
    expect(runtimeSpecOf(now)).toEqual({
      provider: { ...provider, apiKeySecretRef: reference },
      promptPackRef,
    });
    expect(runtimeSpecOf(before)).toEqual(runtimeSpecOf(now));
  });

  it.each(["demo", "echo"])("answers nothing for handler %s", (handler) => {
    const complete = { provider, providerSecretRef: { name: "llm" }, promptPackRef };
    expect(runtimeSpecOf(spec({ ...complete, facade: { handler } }))).toBeUndefined();
  });
});

describe("toolRegistryNameOf", () => {
  const demo = { facade: { handler: "demo" } };

  it("answers the registry that is named", () => {
    const named = spec({ ...demo, toolRegistryRef: { name: "tools", namespace: "shared" } });
    expect(toolRegistryNameOf(named)).toEqual({ name: "tools", namespace: "shared" });
  });

  it.each([undefined, {}, { name: "" }, { namespace: "shared" }])(
    "answers nothing for %j",
    (toolRegistryRef) => {
      expect(toolRegistryNameOf(spec({ ...demo, toolRegistryRef }))).toBeUndefined();
    },
  );
});
