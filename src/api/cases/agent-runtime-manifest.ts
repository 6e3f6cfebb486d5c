/** Manifests for the cases of the AgentRuntime. */
import { AGENT_RUNTIME } from "../group.ts";
import { manifestOf } from "./kind-case.ts";

const provider = {
  name: "openai",
  model: "gpt-4",
  apiKeySecretRef: { name: "llm-credentials", key: "api-key" },
};
const promptPackRef = { name: "my-prompts" };

/** An agent with handler `runtime` that is complete except for what the case changes. A field set to `undefined` is removed. */
export function runtime(changes: Record<string, unknown> = {}): object {
  return manifestOf(AGENT_RUNTIME, { provider, promptPackRef, ...changes });
}

export function demo(changes: Record<string, unknown> = {}): object {
  return manifestOf(AGENT_RUNTIME, { facade: { handler: "demo" }, ...changes });
}

export function withProvider(changes: Record<string, unknown>): object {
  return runtime({ provider: { ...provider, ...changes } });
}

export function named(name: unknown): object {
  return manifestOf(AGENT_RUNTIME, { facade: { handler: "echo" } }, name);
}

export function env(...variables: unknown[]): object {
  return runtime({ env: variables });
}

/** An agent that takes tokens, as far as `changes` say so. */
export function tokens(changes: Record<string, unknown>): object {
  return runtime({ facade: { auth: { jwt: { audiences: ["omnia"], ...changes } } } });
}
