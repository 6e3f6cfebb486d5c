/** The tool calls of one turn. Each call id runs once, a turn has a limited number of calls, and a failed call is a result. */
import type { LanguageModelV4FunctionTool } from "@ai-sdk/provider";
import type { ToolConfig } from "../../../agent-config/agent-config.ts";
import type { AgentMetrics } from "../../contracts/agent-metrics.ts";
import type { EarlierStep } from "../../contracts/handler.ts";
import type { ModelStep, StepToolCall } from "../providers/model-step.ts";
import type { ToolMessage } from "../../sessions/history-message.ts";
import { findTool } from "./find-tool.ts";
import type { HttpToolContext } from "./http-tool.ts";
import { runTool } from "./run-tool.ts";
import { checkToolArguments, parseToolArguments } from "./tool-arguments.ts";
import type { ToolOutcome } from "./tool-outcome.ts";

export interface ToolRun {
  readonly id: string;
  /** As the model wrote it. */
  readonly name: string;
  /** Empty when what the model wrote is no JSON object. */
  readonly arguments: Record<string, unknown>;
  /** Whether a tool is called, or at least looked for. Only then is the client told of the call. */
  readonly isCall: boolean;
  /** Begins the call. Rejects with the signal's reason when that is aborted. */
  start(): Promise<ToolOutcome>;
}

export interface ToolRunsOptions {
  tools: readonly ToolConfig[];
  maxRounds: number;
  maxCalls: number;
  context: HttpToolContext;
  metrics: Pick<AgentMetrics, "toolCallsTotal"> | undefined;
}

interface TakenCall {
  readonly name: string;
  readonly input: string;
  outcome?: ToolOutcome | undefined;
}

export class ToolRuns {
  readonly #options: ToolRunsOptions;
  readonly #byId = new Map<string, TakenCall>();
  #rounds = 0;
  #calls = 0;
  #limitReached = false;

  constructor(options: ToolRunsOptions) {
    this.#options = options;
  }

  /** Whether the model asked for more calls or rounds than a turn may have. Those beyond the limit were not run. */
  get limitReached(): boolean {
    return this.#limitReached;
  }

  /**
   * Takes the calls of one step, whose ids differ. Each begins with its `start`. A call that repeats an earlier one under the
   * same id has the outcome of the earlier one. A different call under a used id is given another id in the step, since there
   * are servers that count from one in every answer.
   */
  takeRound(step: Pick<ModelStep, "toolCalls" | "parts">): ToolRun[] {
    this.#rounds += 1;
    for (const call of step.toolCalls) {
      const first = this.#byId.get(call.id);
      if (first === undefined || (first.name === call.name && first.input === call.input)) continue;
      const id = `${call.id}-${this.#rounds}`;
      for (const part of step.parts) {
        if (part.type === "tool-call" && part.id === call.id) part.id = id;
      }
      call.id = id;
    }
    return step.toolCalls.map((call) => this.#take(call));
  }

  /** Takes the calls of a step that another replica had taken; answers those that are yet to be made. */
  takeEarlier({ calls }: Pick<EarlierStep, "calls">): ToolRun[] {
    this.#rounds += 1;
    const open: ToolRun[] = [];
    for (const { id, name, input, isStarted, outcome } of calls) {
      if (outcome === undefined) {
        open.push(this.#take({ id, name, input }));
      } else if (isStarted) {
        this.#byId.set(id, { name, input, outcome: outcomeOf(outcome) });
        this.#calls += 1;
      } else if (!this.#byId.has(id)) {
        // The call was refused, and not because it repeated another one: so it was beyond the limit.
        this.#limitReached = true;
      }
    }
    return open;
  }

  #take(call: StepToolCall): ToolRun {
    const parsed = parseToolArguments(call.input);
    const { id, name } = call;
    const run = { id, name, arguments: parsed.ok ? parsed.arguments : {} };
    const refusal = this.#refusalOf(call);
    if (refusal !== undefined)
      return { ...run, isCall: false, start: () => Promise.resolve(refusal) };
    const entry: TakenCall = { name, input: call.input };
    this.#byId.set(id, entry);
    this.#calls += 1;
    return {
      ...run,
      isCall: true,
      start: async () => (entry.outcome = await this.#run(call, parsed)),
    };
  }

  /** The outcome of a call that is not run. Undefined when it is to be run. */
  #refusalOf(call: StepToolCall): ToolOutcome | undefined {
    const { maxRounds, maxCalls } = this.#options;
    if (this.#rounds > maxRounds) {
      this.#limitReached = true;
      return { error: `not called: a turn has at most ${maxRounds} rounds of tool calls` };
    }
    const first = this.#byId.get(call.id);
    if (first !== undefined) return first.outcome ?? { error: "not called: it is running already" };
    if (this.#calls >= maxCalls) {
      this.#limitReached = true;
      return { error: `not called: a turn has at most ${maxCalls} tool calls` };
    }
    return undefined;
  }

  async #run(
    call: StepToolCall,
    parsed: ReturnType<typeof parseToolArguments>,
  ): Promise<ToolOutcome> {
    const { tools, context, metrics } = this.#options;
    const tool = findTool(tools, call.name);
    const outcome = await this.#outcome(tool, call, parsed);
    context.signal.throwIfAborted();
    // A name that the model made up must not become a label of a metric.
    metrics?.toolCallsTotal.add(1, {
      tool: tool?.name ?? "unknown",
      status: "error" in outcome ? "error" : "success",
    });
    return outcome;
  }

  async #outcome(
    tool: ToolConfig | undefined,
    call: StepToolCall,
    parsed: ReturnType<typeof parseToolArguments>,
  ): Promise<ToolOutcome> {
    const { tools, context } = this.#options;
    if (tool === undefined) {
      const names = tools.map(({ name }) => name).join(", ");
      return {
        error: `there is no tool ${JSON.stringify(call.name)}; the tools are: ${names || "none"}`,
      };
    }
    if (!parsed.ok) return { error: parsed.problem };
    const problem = await checkToolArguments(tool.inputSchema, parsed.arguments);
    if (problem !== undefined) return { error: problem };
    return runTool(tool, parsed.arguments, context);
  }
}

function outcomeOf({ result, error }: ToolMessage): ToolOutcome {
  return error === undefined ? { result } : { error };
}

/** The tools as they are described to the model. */
export function functionTools(tools: readonly ToolConfig[]): LanguageModelV4FunctionTool[] {
  return tools.map(({ name, description, inputSchema }) => ({
    type: "function",
    name,
    description,
    // Providers want an object with properties, even for a tool without parameters.
    inputSchema: { properties: {}, ...inputSchema, type: "object" },
  }));
}
