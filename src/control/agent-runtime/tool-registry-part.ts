import { toolRegistryNameOf } from "../../api/agent-runtime.ts";
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import type { ResolvedPrompt } from "../../promptpack/render/resolve-prompt.ts";
import type { ResolvedStep } from "../../promptpack/render/resolve-step.ts";
import { type AgentFacts, type AgentPart, previousFiles, TOOLS_FOLDER } from "./agent-facts.ts";
import type { Finding } from "../condition.ts";
import { judgeCredential } from "./judge-secret-key.ts";
import { listNames, notFound, objectName } from "../object-name.ts";
import {
  missingTools,
  offeredConfigs,
  offeredTools,
  toolSecretPath,
  withEarlierOperations,
} from "./offered-tools.ts";
import type { ToolRegistryReference } from "./references.ts";
import type { ResolvedTool } from "../tool-registry/resolved-tool.ts";
import { type ToolCredential, toolCredential } from "./tool-credential.ts";
import type { SecretFile } from "./workload-decision.ts";
import type { PromptPackPartValue } from "./prompt-pack-part.ts";

export interface ToolRegistryPartValue {
  readonly tools: ToolConfig[];
  /** The tools of the canary's prompt, where they are other ones. */
  readonly canaryTools?: ToolConfig[] | undefined;
  /** The tools of the other prompts of the active version and of the canary, by prompt, where they are other ones than its own. */
  readonly otherTools?: { readonly active: OtherTools; readonly canary: OtherTools } | undefined;
}

export type OtherTools = Readonly<Record<string, ToolConfig[]>>;

export type ToolRegistryPart = AgentPart<"ToolRegistryReady", ToolRegistryPartValue>;
type ToolsFinding = Finding<"AgentRuntime", "ToolRegistryReady">;
type FoundRegistry = Extract<ToolRegistryReference, { found: true }>;

/**
 * Finds whether the tools can be called. A tool that is out of reach is still offered: a model that calls it is told so, and
 * when the tool comes back, the agent needs no new config.
 */
export function toolRegistryPart(
  facts: AgentFacts,
  prompts: PromptPackPartValue | undefined,
): ToolRegistryPart {
  const { agentRuntime, runtime, references, previous } = facts;
  const type = "ToolRegistryReady";
  const named = toolRegistryNameOf(agentRuntime.spec);
  if (runtime === undefined || named === undefined) {
    return {
      finding: { type, ...judgeWithoutRegistry(facts, prompts) },
      result: { value: { tools: [] }, secretFiles: [] },
    };
  }
  const name = objectName("ToolRegistry", named, agentRuntime.metadata.namespace);
  const registry = references.toolRegistry;
  if (registry === undefined || !registry.found) {
    const message = notFound(name, "toolRegistryRef", registry?.hint);
    return { finding: { type, reason: "NotFound", message }, result: keep(previous, prompts) };
  }
  const known = withEarlierOperations(registry.tools, previous.config);
  const offered = withCredentials(agentRuntime, { ...registry, tools: known });
  // Most agents have no credentials of their own, so that they have the very tools of the registry.
  const isSameTools = offered.every(({ tool }, index) => tool === known[index]);
  const tools = isSameTools ? known : offered.map(({ tool }) => tool);
  const missing = findMissing(registry.tools, facts, prompts);
  const finding = judge(name, registry, offered, facts, missing);
  const secretFiles = offered.flatMap(secretFileOf);
  if (prompts?.resolved === undefined) {
    // Tools belong to a prompt. Where the last prompt is kept, its tools are kept too.
    return { finding, result: { value: { tools: previous.config?.tools ?? [] }, secretFiles } };
  }
  const offer = (prompt: ResolvedStep): ToolConfig[] => offeredTools(tools, prompt);
  return { finding, result: { value: toolsFor(prompts.resolved, offer), secretFiles } };
}

function judgeWithoutRegistry(
  facts: AgentFacts,
  prompts: PromptPackPartValue | undefined,
): Omit<ToolsFinding, "type"> {
  const { runtime, agentRuntime } = facts;
  if (runtime === undefined) {
    const message = `Handler "${agentRuntime.spec.facade.handler}" calls no tools`;
    return { reason: "NotReferenced", message };
  }
  const missing = findMissing([], facts, prompts);
  if (missing !== undefined) {
    const message = `${missing.says}, and the agent has no tools: toolRegistryRef is not set. Name a ToolRegistry that has them, or remove them from the pack`;
    return { reason: "ToolsMissing", message };
  }
  return {
    reason: "NotReferenced",
    message: "The agent has no tools: toolRegistryRef is not set",
  };
}

/** `says` begins a sentence: which prompt of which pack wants which tools. */
interface MissingTools {
  readonly says: string;
}

/** Where the last prompt is kept, it is not known what it named. */
function findMissing(
  tools: readonly ResolvedTool[],
  { agentRuntime, runtime }: AgentFacts,
  prompts: PromptPackPartValue | undefined,
): MissingTools | undefined {
  if (prompts?.resolved === undefined || runtime === undefined) return undefined;
  const pack = objectName("PromptPack", runtime.promptPackRef, agentRuntime.metadata.namespace);
  const { active, canary } = prompts.resolved;
  for (const [prompt, version] of [
    [active, ""],
    [canary, "the canary version of "],
  ] as const) {
    for (const step of prompt === undefined ? [] : [prompt, ...Object.values(prompt.others)]) {
      const missing = missingTools(tools, step);
      if (missing.length === 0) continue;
      const noun = missing.length === 1 ? "the tool" : "the tools";
      return {
        says: `Prompt "${step.name}" of ${version}${pack} wants ${noun} ${listNames(missing)}`,
      };
    }
  }
  return undefined;
}

interface CredentialedTool {
  /** With the agent's credential in place of the registry's. A tool that is refused its credential keeps the path to it, and so fails. */
  readonly tool: ResolvedTool;
  readonly credential: ToolCredential;
}

function withCredentials(
  agentRuntime: AgentFacts["agentRuntime"],
  { namespace, tools }: FoundRegistry,
): CredentialedTool[] {
  return tools.map((tool) => {
    const credential = toolCredential(tool, agentRuntime, namespace);
    const authSecretRef =
      credential.refusal === undefined ? credential.secretRef : credential.refusedRef;
    const isSame = authSecretRef === tool.authSecretRef;
    return { tool: isSame ? tool : { ...tool, authSecretRef }, credential };
  });
}

function judge(
  name: string,
  { status }: FoundRegistry,
  tools: readonly CredentialedTool[],
  { agentRuntime, references: { toolSecrets = {} } }: AgentFacts,
  missing: MissingTools | undefined,
): ToolsFinding {
  const type = "ToolRegistryReady";
  const state = status.conditions?.find((condition) => condition.type === "AllToolsReady");
  const why = state?.message ?? "It has not been looked at yet";
  for (const { tool, credential } of tools) {
    if (credential.refusal === undefined) continue;
    const message = `${name}: tool "${tool.name}" is sent no credential, and cannot be called: ${credential.refusal}`;
    return { type, reason: "NotAllowed", message };
  }
  const names = tools.map(({ tool }) => tool.name);
  // A registry that has found nothing yet may still find them.
  if (missing !== undefined && (names.length > 0 || status.phase === "Ready")) {
    const offered = tools.flatMap(({ tool: { name: own, listed } }) => listed ?? [own]);
    const has = offered.length === 0 ? "it has none" : `it has ${listNames(offered)}`;
    const besides = status.phase === "Ready" ? "" : `. ${why}`;
    const message = `${missing.says}, which ${name} does not offer; ${has}. Add them to the registry, or remove them from the pack${besides}`;
    return { type, reason: "ToolsMissing", message };
  }
  switch (status.phase) {
    case "Degraded":
      return { type, reason: "Degraded", message: `${name}: ${why}` };
    case "Ready":
      break;
    case "Failed":
    case "Pending":
    case undefined:
      return { type, reason: "Failed", message: `No tool of ${name} can be called. ${why}` };
  }
  for (const { tool, credential } of tools) {
    const { secretRef } = credential;
    if (secretRef === undefined || !Object.hasOwn(toolSecrets, secretRef.name)) continue;
    const problem = judgeCredential(secretRef, toolSecrets[secretRef.name]);
    if (problem === undefined) continue;
    const message = `${name}: tool "${tool.name}" needs a token. ${problem.message}`;
    return { type, reason: "Degraded", message };
  }
  const unknown = agentRuntime.spec.toolRegistryRef?.credentials?.find(
    (each) => !names.includes(each.tool),
  );
  if (unknown !== undefined) {
    const message = `${name} has no tool "${unknown.tool}", for which toolRegistryRef.credentials has a credential; it has ${listNames(names)}. Correct the name, or remove the credential`;
    return { type, reason: "Degraded", message };
  }
  const count = tools.reduce((sum, { tool: { listed } }) => sum + (listed?.length ?? 1), 0);
  const message = `${name} has ${count} tool${count === 1 ? "" : "s"}`;
  return { type, reason: "Resolved", message };
}

/** Every tool has its secret file, also a tool that the prompt does not offer: an edit of the pack must not need new replicas. */
function secretFileOf({ tool, credential: { secretRef } }: CredentialedTool): SecretFile[] {
  if (secretRef === undefined) return [];
  return [
    {
      path: toolSecretPath(tool.name, secretRef.key),
      secretName: secretRef.name,
      key: secretRef.key,
      optional: true,
    },
  ];
}

function keep(
  previous: AgentFacts["previous"],
  prompts: PromptPackPartValue | undefined,
): ToolRegistryPart["result"] {
  if (previous.config === undefined) return undefined;
  const { tools, prompt } = previous.config;
  const others = Object.values(prompt?.active.others ?? {}).flatMap((step) => step.tools ?? []);
  const names = new Set(tools.map(({ name }) => name));
  const kept = [...tools, ...others.filter(({ name }) => !names.has(name))];
  const secretFiles = previousFiles(previous, TOOLS_FOLDER) ?? [];
  if (prompts?.resolved === undefined) return { value: { tools }, secretFiles };
  const offer = (step: ResolvedStep): ToolConfig[] => offeredConfigs(kept, step);
  return { value: toolsFor(prompts.resolved, offer), secretFiles };
}

function toolsFor(
  { active, canary }: NonNullable<PromptPackPartValue["resolved"]>,
  offer: (step: ResolvedStep) => ToolConfig[],
): ToolRegistryPartValue {
  const tools = offer(active);
  const canaryTools = canary === undefined ? tools : offer(canary);
  return {
    tools,
    canaryTools: isSame(tools, canaryTools) ? undefined : canaryTools,
    otherTools: { active: others(active, tools), canary: others(canary, canaryTools) },
  };

  function others(version: ResolvedPrompt | undefined, own: ToolConfig[]): OtherTools {
    const all = Object.entries(version?.others ?? {}).map(
      ([key, step]) => [key, offer(step)] as const,
    );
    return Object.fromEntries(all.filter(([, offered]) => !isSame(offered, own)));
  }
}

function isSame(one: readonly ToolConfig[], other: readonly ToolConfig[]): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
