/** The handler `runtime`: asks the model, with the pack's prompt, the session's history and the registry's tools. */
import type { AgentConfig, ProviderConfig } from "../../agent-config/agent-config.ts";
import type { Clock } from "../../time/clock.ts";
import type { Log } from "../../observability/log.ts";
import { createModelConnections, type ModelConnection } from "./providers/model-connection.ts";
import { samplingOptions } from "./providers/sampling-options.ts";
import { ProviderKeyError, readProviderKey } from "./providers/provider-key.ts";
import type { ReadSecret } from "../../agent-config/read-secret.ts";
import { runTurn, type TurnMetrics } from "./tool-loop.ts";
import { TurnError } from "../contracts/turn-error.ts";
import { limitsOf } from "../contracts/limits.ts";
import type { Handler } from "../contracts/handler.ts";
import { callIdsOf } from "./tools/call-ids.ts";
import { functionTools, offerTools } from "./tools/offered-tool.ts";
import { ToolServers } from "../../tool-servers/tool-servers.ts";
import { ContextLimits } from "./context-limits.ts";
import { PromptFit } from "./prompt-fit.ts";
import { providerSteps } from "./provider-steps.ts";
import { promptOfSession } from "./session-prompt.ts";
import { charactersIn, TokenRates } from "./token-rates.ts";

export interface RuntimeHandlerOptions {
  readSecret: ReadSecret;
  log: Log;
  clock: Clock;
  metrics?: TurnMetrics | undefined;
  /** At least 0 and below 1; spreads retries. */
  random?: (() => number) | undefined;
}

export interface RuntimeHandler extends Handler {
  /** Rejects with a sentence for people when a turn could not be served. The provider is not asked. */
  ready(config: AgentConfig): Promise<void>;
}

export function createRuntimeHandler(options: RuntimeHandlerOptions): RuntimeHandler {
  const { readSecret, log, clock, metrics, random = Math.random } = options;
  const connections = createModelConnections({ readSecret, clock, log });
  const toolServers = new ToolServers({ readSecret, clock, random });
  const tokenRates = new TokenRates();
  const contextLimits = new ContextLimits();
  return {
    async run(turn) {
      const { provider, prompts } = partsOf(turn.config);
      const prompt = promptOfSession(prompts, turn);
      const tools = await offerTools(prompt.tools ?? turn.config.tools, toolServers, turn.signal);
      const schemas = JSON.stringify(functionTools(tools).map(({ inputSchema }) => inputSchema));
      const sampling = samplingOptions(prompt.parameters, provider.parameters);
      const connection = await connect(provider);
      const history = await turn.history();
      const turnLog = log.child({ turnId: turn.id });
      return runTurn(turn, {
        source: providerSteps({
          connection,
          prompt,
          sampling,
          tools,
          clock,
          random,
          log: turnLog,
        }),
        prompt,
        tools,
        log: turnLog,
        metrics,
        usedCallIds: callIdsOf(history),
        history,
        fit: new PromptFit({
          model: JSON.stringify([provider.name, provider.baseURL, provider.model]),
          limits: contextLimits,
          rates: tokenRates,
          besideCharacters: charactersIn(prompt.system) + charactersIn(schemas),
          answerTokens: sampling.maxOutputTokens,
          maxHistoryTokens: limitsOf(turn.config).maxHistoryTokens,
        }),
      });
    },
    async ready(config) {
      await readProviderKey(partsOf(config).provider, readSecret);
    },
  };

  async function connect(provider: ProviderConfig): Promise<ModelConnection> {
    try {
      return await connections.connect(provider);
    } catch (error) {
      if (!(error instanceof ProviderKeyError)) throw error;
      throw new TurnError("PROVIDER_ERROR", `${provider.name}: ${error.message}`, {
        details: { reason: "key_missing" },
        cause: error,
      });
    }
  }
}

function partsOf(config: AgentConfig): {
  provider: ProviderConfig;
  prompts: NonNullable<AgentConfig["prompt"]>;
} {
  const { provider, prompt: prompts } = config;
  if (provider === undefined) {
    throw new TurnError("INTERNAL_ERROR", "the agent's config names no provider");
  }
  if (prompts === undefined) {
    throw new TurnError("INTERNAL_ERROR", "the agent's config has no prompt");
  }
  return { provider, prompts };
}
