/** Puts the config of an agent together from the parts of the decision. */
import {
  AGENT_CONFIG_VERSION,
  type AgentConfig,
  type ToolConfig,
} from "../../agent-config/agent-config.ts";
import { earlierPrompts } from "./earlier-prompts.ts";
import { withoutUndefined } from "../without-undefined.ts";
import type { AgentFacts } from "./agent-facts.ts";
import type { PromptPackPart } from "./prompt-pack-part.ts";
import type { providerPart } from "./provider-part.ts";
import type { sessionStorePart } from "./session-store-part.ts";
import type { ToolRegistryPart } from "./tool-registry-part.ts";
import type { FacadePart } from "./facade-part.ts";
import type { SecretFile } from "./workload-decision.ts";

interface AgentParts {
  facade: FacadePart;
  provider: ReturnType<typeof providerPart>;
  promptPack: PromptPackPart;
  toolRegistry: ToolRegistryPart;
  sessionStore: ReturnType<typeof sessionStorePart>;
}

/** `undefined` when a part is missing that the agent needs. */
export function assembleConfig(
  { agentRuntime, runtime, previous }: AgentFacts,
  parts: AgentParts,
): { config: AgentConfig; secretFiles: SecretFile[] } | undefined {
  const { facade } = parts;
  const provider = parts.provider.result;
  const prompt = parts.promptPack.result;
  const tools = parts.toolRegistry.result;
  const session = parts.sessionStore.result;
  if (!provider || !prompt || !tools || !session) return undefined;
  const isNew = previous.config === undefined;
  if (facade.problem !== undefined && runtime !== undefined && isNew) return undefined;
  const { name, namespace } = agentRuntime.metadata;
  const prompts = withCanaryTools(prompt.value.prompt, tools.value.canaryTools);
  const earlier =
    prompts !== undefined && prompt.value.keepsVersions === true
      ? earlierPrompts(prompts, tools.value.tools, previous.config)
      : prompts?.earlier;
  return {
    config: withoutUndefined<AgentConfig>({
      version: AGENT_CONFIG_VERSION,
      agent: { name, namespace },
      handler: agentRuntime.spec.facade.handler,
      facade: facade.value,
      session: session.value,
      provider: provider.value,
      prompt: prompts && { ...prompts, earlier },
      tools: tools.value.tools,
    }),
    secretFiles: [facade, provider, prompt, tools, session].flatMap((part) => part.secretFiles),
  };
}

/** A canary that was kept from the last config has its tools already. */
function withCanaryTools(
  prompts: AgentConfig["prompt"],
  tools: ToolConfig[] | undefined,
): AgentConfig["prompt"] {
  if (prompts?.canary === undefined || tools === undefined) return prompts;
  const { canary } = prompts;
  return { ...prompts, canary: { ...canary, prompt: { ...canary.prompt, tools } } };
}
