/** The tool calls of one turn. Each call runs once, a turn has a limited number of calls, and a failed call is a result. */
import type { AgentMetrics } from "../../contracts/agent-metrics.ts";
import type { ApprovalAnswer, EarlierStep } from "../../contracts/handler.ts";
import type { ModelStep, StepToolCall } from "../providers/model-step.ts";
import { activeSpan } from "../../../observability/tracing/active-span.ts";
import { callInSpan } from "./tool-span.ts";
import type { CallIds } from "./call-ids.ts";
import { findTool } from "./find-tool.ts";
import { needsApproval } from "./needs-approval.ts";
import type { OfferedTool } from "./offered-tool.ts";
import { checkToolArguments, parseToolArguments, type ParsedArguments } from "./tool-arguments.ts";
import type { ToolCaller } from "../../../tool-servers/server/tool-caller.ts";
import type { ToolOutcome } from "../../../tool-servers/server/tool-outcome.ts";

export interface ToolRun {
  readonly id: string;
  /** As the model wrote it. */
  readonly name: string;
  /** Empty when what the model wrote is no JSON object. */
  readonly arguments: Record<string, unknown>;
  /** Whether a tool is called, or at least looked for. Only then is the client told of the call. */
  readonly isCall: boolean;
  /** Whether it waits until the user approves it. A call that cannot be made, or that has its answer, does not. */
  waits(): Promise<boolean>;
  /** Begins the call. Rejects with the signal's reason when that is aborted. */
  start(): Promise<ToolOutcome>;
}

/** What a step may call. */
export interface ToolOffer {
  tools: readonly OfferedTool[];
  /** Rounds and calls of the whole turn. */
  maxRounds: number;
  maxCalls: number;
}

export interface ToolRunsOptions {
  callIds: CallIds;
  /** On whose behalf the tools are called. */
  caller: ToolCaller;
  signal: AbortSignal;
  metrics: Pick<AgentMetrics, "toolCallsTotal"> | undefined;
}

/** The label of the calls that a framework runs by itself. */
const FRAMEWORK_TOOL = "runtime";

export class ToolRuns {
  readonly #options: ToolRunsOptions;
  readonly #span = activeSpan();
  #offer: ToolOffer;
  #rounds = 0;
  #calls = 0;
  #limitReached = false;

  constructor(options: ToolRunsOptions, offer: ToolOffer) {
    this.#options = options;
    this.#offer = offer;
  }

  /** Begins a step that may call something else. What was called before counts all the same. */
  offer(offer: ToolOffer): void {
    this.#offer = offer;
  }

  /** Whether the model asked for more calls or rounds than a turn may have. Those beyond the limit were not run. */
  get limitReached(): boolean {
    return this.#limitReached;
  }

  /** Takes the calls of one step, and gives them their ids, also in the step. Each begins with its `start`. */
  takeRound(step: Pick<ModelStep, "toolCalls" | "parts">): ToolRun[] {
    this.#rounds += 1;
    this.#options.callIds.assign(step);
    return step.toolCalls.map((call) => this.#take(call));
  }

  /** Takes the calls of a step that another replica had taken; answers those that are yet to be made. */
  takeEarlier({ calls }: Pick<EarlierStep, "calls">): ToolRun[] {
    this.#rounds += 1;
    const open: ToolRun[] = [];
    for (const { id, name, input, isStarted, outcome, answer } of calls) {
      this.#options.callIds.keep(id);
      if (outcome === undefined) open.push(this.#take({ id, name, input }, answer));
      else if (isStarted || answer !== undefined) this.#calls += 1;
      // The call was refused: so it was beyond the limit.
      else this.#limitReached = true;
    }
    return open;
  }

  /** Takes a call that a framework runs by itself. Undefined when the turn may have no more calls. */
  takeOwn(call: StepToolCall): Pick<ToolRun, "id" | "name" | "arguments"> | undefined {
    this.#rounds += 1;
    if (this.#limitOf() !== undefined) {
      this.#limitReached = true;
      return undefined;
    }
    this.#calls += 1;
    const step: Pick<ModelStep, "toolCalls" | "parts"> = { toolCalls: [{ ...call }], parts: [] };
    this.#options.callIds.assign(step);
    const parsed = parseToolArguments(call.input);
    const id = step.toolCalls[0]?.id ?? call.id;
    return { id, name: call.name, arguments: parsed.ok ? parsed.arguments : {} };
  }

  /** Takes a call that a runtime makes of a tool of the agent, and waits for. It may have been counted by `takeOwn`. */
  takeBound(call: StepToolCall, { isCounted }: { isCounted: boolean }): ToolRun {
    if (isCounted) this.#rounds += 1;
    else this.#calls -= 1;
    const step: Pick<ModelStep, "toolCalls" | "parts"> = { toolCalls: [{ ...call }], parts: [] };
    this.#options.callIds.assign(step);
    return this.#take(step.toolCalls[0] ?? call);
  }

  /** Counts a call that a framework ran. Its name is left out, since there may be any number of them. */
  countOwn(outcome: ToolOutcome): void {
    const status = "error" in outcome ? "error" : "success";
    this.#options.metrics?.toolCallsTotal.add(1, { tool: FRAMEWORK_TOOL, status });
  }

  noSuchTool(name: string): string {
    const names = this.#offer.tools.map((tool) => tool.name).join(", ");
    return `there is no tool ${JSON.stringify(name)}; the tools are: ${names || "none"}`;
  }

  #take(call: StepToolCall, answer?: ApprovalAnswer): ToolRun {
    const parsed = parseToolArguments(call.input);
    const { id, name } = call;
    const run = { id, name, arguments: parsed.ok ? parsed.arguments : {} };
    const limit = this.#limitOf();
    if (limit !== undefined) {
      this.#limitReached = true;
      const refusal = { error: `not called: a turn has at most ${limit}` };
      return refused(run, refusal);
    }
    this.#calls += 1;
    if (answer?.isApproved === false) return refused(run, { error: denial(answer.reason) });
    const waits = () => (answer === undefined ? this.#waits(call, parsed) : Promise.resolve(false));
    return { ...run, isCall: true, waits, start: () => this.#run(call, parsed) };
  }

  /** The limit that the next call is beyond. */
  #limitOf(): string | undefined {
    const { maxRounds, maxCalls } = this.#offer;
    if (this.#rounds > maxRounds) return `${maxRounds} rounds of tool calls`;
    return this.#calls >= maxCalls ? `${maxCalls} tool calls` : undefined;
  }

  async #waits(call: StepToolCall, parsed: ParsedArguments): Promise<boolean> {
    const tool = findTool(this.#offer.tools, call.name);
    if (tool === undefined || !parsed.ok) return false;
    if (!(await needsApproval(tool.approval, parsed.arguments))) return false;
    // Nobody is asked about a call that could not be made.
    return (await checkToolArguments(tool, parsed.arguments)) === undefined;
  }

  async #run(call: StepToolCall, parsed: ParsedArguments): Promise<ToolOutcome> {
    const { signal, metrics } = this.#options;
    const tool = findTool(this.#offer.tools, call.name);
    const traced = {
      id: call.id,
      tool: tool?.name,
      arguments: () => (parsed.ok ? parsed.arguments : call.input),
    };
    const outcome = await callInSpan(this.#span, traced, () => this.#outcome(tool, call, parsed));
    signal.throwIfAborted();
    // A name that the model made up must not become a label of a metric.
    metrics?.toolCallsTotal.add(1, {
      tool: tool?.name ?? "unknown",
      status: "error" in outcome ? "error" : "success",
    });
    return outcome;
  }

  async #outcome(
    tool: OfferedTool | undefined,
    call: StepToolCall,
    parsed: ParsedArguments,
  ): Promise<ToolOutcome> {
    const { signal, caller } = this.#options;
    if (tool === undefined) return { error: this.noSuchTool(call.name) };
    if (!parsed.ok) return { error: parsed.problem };
    const problem = await checkToolArguments(tool, parsed.arguments);
    if (problem !== undefined) return { error: problem };
    const { calledName, server, timeoutMs } = tool;
    return await server.call(calledName, parsed.arguments, {
      signal,
      timeoutMs,
      caller,
      callId: call.id,
    });
  }
}

function refused(
  run: Pick<ToolRun, "id" | "name" | "arguments">,
  refusal: { error: string },
): ToolRun {
  const waits = () => Promise.resolve(false);
  return { ...run, isCall: false, waits, start: () => Promise.resolve(refusal) };
}

function denial(reason: string | undefined): string {
  const why = reason === undefined || reason.trim() === "" ? "" : `: ${reason}`;
  return `not called: the user denied the call${why}`;
}
