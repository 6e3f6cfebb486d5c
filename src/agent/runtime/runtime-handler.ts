/** The handler `runtime`: asks the model, with the pack's prompt, the session's history and the registry's tools. */
import { randomUUID } from "node:crypto";
import type {
  AgentConfig,
  PromptConfig,
  ProviderConfig,
  ToolConfig,
} from "../../agent-config/agent-config.ts";
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
import type { ManualCall, ManualCallResult } from "../contracts/manual-call.ts";
import { callIdsOf } from "./tools/call-ids.ts";
import { callManually } from "./tools/call-manually.ts";
import { findTool } from "./tools/find-tool.ts";
import { checkToolArguments } from "./tools/tool-arguments.ts";
import { functionTools, offerTools, type OfferedTool } from "./tools/offered-tool.ts";
import { withPackTools } from "./tools/with-pack-tools.ts";
import { firstPackTools, TurnStages, type TurnStagesOptions } from "./turn-stages.ts";
import { MemberCalls } from "./members/member-calls.ts";
import { withoutApproval } from "./tools/without-approval.ts";
import { promptOfPack } from "./workflow/state-prompt.ts";
import { ToolServers } from "../../tool-servers/tool-servers.ts";
import { ContextLimits } from "./context-limits.ts";
import { PromptFit } from "./prompt-fit.ts";
import { providerSteps } from "./provider-steps.ts";
import { promptOfSession } from "./session-prompt.ts";
import { withoutRefused } from "./validation/refused-messages.ts";
import type { ValidationMetrics } from "./validation/turn-validation.ts";
import type { Framework } from "../framework/framework.ts";
import { frameworkProblem, frameworkSteps } from "./framework-steps.ts";
import type { ToolForClients } from "../tools-endpoint/mcp-reply.ts";
import type { ToolsEndpoint } from "../tools-endpoint/tools-endpoint.ts";
import { toolsForClients } from "./tools/tools-for-clients.ts";
import { charactersIn, TokenRates } from "./token-rates.ts";

export interface RuntimeHandlerOptions {
  readSecret: ReadSecret;
  log: Log;
  clock: Clock;
  metrics?: (TurnMetrics & ValidationMetrics) | undefined;
  /** At least 0 and below 1; spreads retries. */
  random?: (() => number) | undefined;
  /** Answers in place of the provider, where it is set. */
  framework?: Framework | undefined;
  /** Serves the tools to the framework, where it can reach them. */
  toolsEndpoint?: ToolsEndpoint | undefined;
  /** Makes ids of requests to the framework. */
  newId?: (() => string) | undefined;
}

export interface RuntimeHandler extends Handler {
  /** Rejects with a sentence for people when a turn could not be served. The provider is not asked. */
  ready(config: AgentConfig): Promise<void>;
  /** Ends what is open to servers of tools. */
  close(): Promise<void>;
  /** The tools of a new session. */
  tools(config: AgentConfig, signal: AbortSignal): Promise<ToolForClients[]>;
  /** Calls a tool that some prompt of the agent offers. Rejects when the signal is aborted, with its reason. */
  callTool(call: ManualCall): Promise<ManualCallResult>;
}

export function createRuntimeHandler(options: RuntimeHandlerOptions): RuntimeHandler {
  const { readSecret, log, clock, metrics, random = Math.random } = options;
  const { framework, toolsEndpoint, newId = randomUUID } = options;
  const connections = createModelConnections({ readSecret, clock, log });
  const toolServers = new ToolServers({ readSecret, clock, random, log });
  let lastConfig: AgentConfig | undefined;
  const tokenRates = new TokenRates();
  const contextLimits = new ContextLimits();
  return {
    async run(turn) {
      const { provider } = turn.config;
      takeConfig(turn.config);
      const version = promptOfSession(promptsOf(turn.config), turn);
      const history = withoutRefused(await turn.history());
      const turnLog = log.child({ turnId: turn.id });
      let wasAskedAgain = false;
      const onAskedAgain = (): void => void (wasAskedAgain = true);
      const sourceOf: TurnStagesOptions["sourceOf"] = async (prompt, tools) => {
        const schemas = JSON.stringify(functionTools(tools).map(({ inputSchema }) => inputSchema));
        const sampling = samplingOptions(prompt.parameters, provider?.parameters ?? {});
        const step = { prompt, tools, clock, random, log: turnLog };
        const source =
          framework === undefined
            ? providerSteps({
                ...step,
                sampling,
                connection: await connect(turn.config),
                onAskedAgain,
              })
            : await frameworkSteps(framework, {
                ...step,
                turn,
                toolsEndpoint,
                parameters: { ...prompt.parameters, ...provider?.parameters },
                modelId: provider?.model ?? "",
                newId,
              });
        const fit = new PromptFit({
          model: JSON.stringify([provider?.name, provider?.baseURL, provider?.model]),
          limits: contextLimits,
          rates: tokenRates,
          besideCharacters: charactersIn(prompt.system) + charactersIn(schemas),
          answerTokens: sampling.maxOutputTokens,
          maxHistoryTokens: limitsOf(turn.config).maxHistoryTokens,
        });
        return { source, fit };
      };
      const shared = { clock, metrics, sourceOf };
      const members = new MemberCalls({
        turn,
        version,
        log: turnLog,
        run(memberTurn, member, depth) {
          const { workflow: _, ...prompt } = promptOfPack(version, member);
          const stages = new TurnStages({
            ...shared,
            turn: memberTurn,
            version: prompt,
            history: [],
            offer: async (own, config) =>
              (await registryTools(own, config, memberTurn.signal)).map(withoutApproval),
            askTools: () => members.toolsOf(member, depth),
          });
          const context = { stages, log: turnLog, metrics, usedCallIds: [], history: [] };
          return runTurn(memberTurn, { ...context, takeMemberUsage: undefined });
        },
      });
      const stages = new TurnStages({
        ...shared,
        turn,
        version,
        history,
        offer: (prompt, config) => registryTools(prompt, config, turn.signal),
        // A framework has agents of its own, and one conversation at a time.
        askTools: ({ prompt }) => (framework === undefined ? members.toolsOf(prompt, 0) : []),
      });
      if (turn.earlier === undefined) stages.checkMessage();
      const result = await runTurn(turn, {
        stages,
        log: turnLog,
        metrics,
        usedCallIds: callIdsOf(history),
        history,
        takeMemberUsage: () => members.takeUsage(),
      });
      const { warnings } = stages;
      return {
        ...result,
        ...(warnings.length > 0 && { warnings }),
        ...(wasAskedAgain ? { wasAskedAgain } : {}),
      };
    },
    async problemOfEdit({ config, name, arguments: toolArguments, signal, ...session }) {
      const version = promptOfSession(promptsOf(config), session);
      const keys = [version.prompt, ...Object.keys(version.others ?? {})];
      const lists = keys.map((key) => registryTools(promptOfPack(version, key), config, signal));
      const tool = findTool((await Promise.all(lists)).flat(), name);
      // The call of a tool that is gone has its error as its result.
      return tool === undefined ? undefined : checkToolArguments(tool, toolArguments);
    },
    async tools(config, signal) {
      const active = config.prompt?.active;
      const ofRegistry = await offerTools(active?.tools ?? config.tools, toolServers, signal);
      if (active === undefined) return toolsForClients(ofRegistry);
      return toolsForClients(withPackTools(ofRegistry, firstPackTools(active, clock)));
    },
    async callTool(call) {
      const { config, signal } = call;
      takeConfig(config);
      const lists = toolListsOf(config).map((tools) => offerTools(tools, toolServers, signal));
      // The tools of the active prompt come first, and count where other prompts have tools of the same names.
      const tools = new Map(
        (await Promise.all(lists))
          .flat()
          .toReversed()
          .map((tool) => [tool.name, tool] as const),
      );
      return await callManually([...tools.values()].toReversed(), call, { clock, metrics });
    },
    async ready(config) {
      promptsOf(config);
      takeConfig(config);
      if (framework === undefined) {
        await readProviderKey(providerOf(config), readSecret);
        return;
      }
      const problem = await frameworkProblem(framework);
      if (problem !== undefined) throw new Error(problem);
    },
    close: () => toolServers.close(),
  };

  function takeConfig(config: AgentConfig): void {
    if (config !== lastConfig) toolServers.take(toolsOf(config));
    lastConfig = config;
  }

  function registryTools(
    prompt: PromptConfig,
    config: AgentConfig,
    signal: AbortSignal,
  ): Promise<readonly OfferedTool[]> {
    return offerTools(prompt.tools ?? config.tools, toolServers, signal);
  }

  async function connect(config: AgentConfig): Promise<ModelConnection> {
    const provider = providerOf(config);
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

function providerOf({ provider }: AgentConfig): ProviderConfig {
  if (provider === undefined) {
    throw new TurnError(
      "INTERNAL_ERROR",
      "the agent's config names no provider, and no variable OMNIA_RUNTIME_COMMAND, OMNIA_RUNTIME_URL or OMNIA_RUNTIME names a runtime",
    );
  }
  return provider;
}

function promptsOf({ prompt }: AgentConfig): NonNullable<AgentConfig["prompt"]> {
  if (prompt === undefined) {
    throw new TurnError("INTERNAL_ERROR", "the agent's config has no prompt");
  }
  return prompt;
}

/** The tools of all prompts. */
function toolsOf(config: AgentConfig): ToolConfig[] {
  return toolListsOf(config).flat();
}

/** The tools of each prompt, those of the active one first. */
function toolListsOf({ tools, prompt }: AgentConfig): (readonly ToolConfig[])[] {
  const versions = [prompt?.active, prompt?.canary?.prompt, ...(prompt?.earlier ?? [])];
  const steps = versions.flatMap((each) => [each, ...Object.values(each?.others ?? {})]);
  return [tools, ...steps.flatMap((each) => (each?.tools === undefined ? [] : [each.tools]))];
}
