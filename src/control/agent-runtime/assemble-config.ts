/** Puts the config of an agent together from the parts of the decision. */
import { hash } from "node:crypto";
import {
  AGENT_CONFIG_VERSION,
  agentConfigSchema,
  type AgentConfig,
  type PromptConfig,
} from "../../agent-config/agent-config.ts";
import { configOnce } from "./config-once.ts";
import { earlierPrompts } from "./earlier-prompts.ts";
import { withoutUndefined } from "../without-undefined.ts";
import type { AgentFacts } from "./agent-facts.ts";
import type { PromptPackPart } from "./prompt-pack-part.ts";
import type { providerPart } from "./provider-part.ts";
import type { sessionStorePart } from "./session-store-part.ts";
import type { OtherTools, ToolRegistryPart, ToolRegistryPartValue } from "./tool-registry-part.ts";
import type { FacadePart } from "./facade-part.ts";
import type { SecretFile } from "./workload-decision.ts";

interface AgentParts {
  facade: FacadePart;
  provider: ReturnType<typeof providerPart>;
  promptPack: PromptPackPart;
  toolRegistry: ToolRegistryPart;
  sessionStore: ReturnType<typeof sessionStorePart>;
}

/**
 * `undefined` when a part is missing that the agent needs. `madeOf` tells the configs of one agent apart. When it is that of the
 * last config, the last one is the answer, as it is, with its signature.
 */
export function assembleConfig(
  { agentRuntime, runtime, previous }: AgentFacts,
  parts: AgentParts,
  gatewayKeys: readonly string[],
): { config: AgentConfig; secretFiles: SecretFile[]; madeOf: string } | undefined {
  const { facade } = parts;
  const provider = parts.provider.result;
  const prompt = parts.promptPack.result;
  const tools = parts.toolRegistry.result;
  const session = parts.sessionStore.result;
  if (!provider || !prompt || !tools || !session) return undefined;
  const isNew = previous.config === undefined;
  if (facade.problem !== undefined && runtime !== undefined && isNew) return undefined;
  const { name, namespace } = agentRuntime.metadata;
  const prompts = withTools(prompt.value.prompt, tools.value);
  const earlier =
    prompts !== undefined && prompt.value.keepsVersions === true
      ? earlierPrompts(prompts, tools.value.tools, previous.config)
      : prompts?.earlier;
  const agent = { name, namespace };
  const made: Omit<Parameters<typeof withoutUndefined<AgentConfig>>[0], "agent"> = {
    version: AGENT_CONFIG_VERSION,
    handler: agentRuntime.spec.facade.handler,
    facade: facade.value,
    session: session.value,
    provider: provider.value,
    budget: agentRuntime.spec.facade.handler === "runtime" ? agentRuntime.spec.budget : undefined,
    prompt: prompts && { ...prompts, earlier },
    tools: tools.value.tools,
  };
  // To copy it and to bring it into the order of the schema takes much longer than to see that it is what it was.
  const text = JSON.stringify([made, gatewayKeys]);
  const madeOf = hash("sha256", text, "base64");
  const last = previous.madeOf === madeOf ? previous.config : undefined;
  return {
    config:
      last ??
      configOnce(agent, { digest: madeOf, length: text.length }, () =>
        withGatewayKeys(
          inOrderOfSchema(withoutUndefined<AgentConfig>({ ...made, agent })),
          gatewayKeys,
        ),
      ),
    madeOf,
    secretFiles: [facade, provider, prompt, tools, session].flatMap((part) => part.secretFiles),
  };
}

export function withGatewayKeys(config: AgentConfig, publicKeys: readonly string[]): AgentConfig {
  const { gateway: _, ...others } = config;
  return publicKeys.length === 0
    ? others
    : inOrderOfSchema({ ...others, gateway: { publicKeys: [...publicKeys] } });
}

/**
 * A config is read back in the order of its schema. So a part that is kept from the last config, and one that is made anew and is the
 * same, are the same text: else every agent would be told of a change that is none.
 */
function inOrderOfSchema(config: AgentConfig): AgentConfig {
  const read = agentConfigSchema.safeParse(config);
  return read.success ? read.data : config;
}

/** Prompts that were kept from the last config have their tools already. */
function withTools(
  prompts: AgentConfig["prompt"],
  { canaryTools, otherTools }: ToolRegistryPartValue,
): AgentConfig["prompt"] {
  if (prompts === undefined) return undefined;
  const { canary } = prompts;
  return {
    ...prompts,
    active: withOtherTools(prompts.active, otherTools?.active),
    canary: canary && {
      ...canary,
      prompt: withOtherTools(
        { ...canary.prompt, tools: canaryTools ?? canary.prompt.tools },
        otherTools?.canary,
      ),
    },
  };
}

function withOtherTools(prompt: PromptConfig, tools: OtherTools = {}): PromptConfig {
  if (prompt.others === undefined || Object.keys(tools).length === 0) return prompt;
  const others = Object.entries(prompt.others).map(
    ([key, step]) => [key, { ...step, tools: tools[key] ?? step.tools }] as const,
  );
  return { ...prompt, others: Object.fromEntries(others) };
}
