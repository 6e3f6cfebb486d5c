/**
 * The calls that a framework runs by itself in the middle of a step. Each becomes a step of its own in the journal, which is
 * stored before its outcome comes: so a turn whose replica died meanwhile is known to have a call in doubt.
 */
import type { ToolOutcome } from "../../tool-servers/server/tool-outcome.ts";
import type { Turn } from "../contracts/handler.ts";
import type { AssistantMessage, HistoryMessage } from "../sessions/history-message.ts";
import type { StepToolCall } from "./providers/model-step.ts";
import type { OwnCallListener } from "./steps/step-source.ts";
import { toolMessage } from "./tools/tool-message.ts";
import type { ToolRuns } from "./tools/tool-runs.ts";

/** What the agent gives as the outcome of a call whose framework failed before it told of a result. */
export const FRAMEWORK_FAILED =
  "The runtime ended before the result came; whether the call had an effect is not known.";

export interface OwnCallsOptions {
  readonly turn: Turn;
  readonly toolRuns: ToolRuns;
  /** Takes a message of this turn, so that later steps are told of it. */
  readonly remember: (message: HistoryMessage) => void;
  /** Whether a call is one that the agent made for the framework, and has shown already. */
  readonly isMade: (call: StepToolCall) => Promise<boolean>;
  /** The answer so far as a message with this call. What comes after it belongs to the next message. */
  readonly closeMessage: (calls: AssistantMessage["toolCalls"]) => AssistantMessage;
}

export class OwnCalls implements OwnCallListener {
  readonly #options: OwnCallsOptions;
  #open: { readonly id: string; readonly name: string; readonly input: string } | undefined;
  #isAskedAgain = false;

  constructor(options: OwnCallsOptions) {
    this.#options = options;
  }

  /** The call that has no outcome yet. */
  get open(): { readonly name: string; readonly input: string } | undefined {
    return this.#open;
  }

  async begun(call: StepToolCall): Promise<boolean> {
    const { turn, toolRuns, remember, closeMessage, isMade } = this.#options;
    if (await isMade(call)) return true;
    const taken = toolRuns.takeOwn(call);
    if (taken === undefined) return false;
    const { id, name, arguments: toolArguments } = taken;
    const message = closeMessage([{ id, name, arguments: toolArguments }]);
    const isPlain = call.input === JSON.stringify(toolArguments);
    turn.record(message, { inputs: isPlain ? undefined : { [id]: call.input } });
    remember(message);
    this.#open = { id, name, input: call.input };
    await turn.emit({ type: "tool-call", id, name, arguments: toolArguments });
    await turn.stored();
    return true;
  }

  async ended(outcome: ToolOutcome): Promise<void> {
    const { turn, toolRuns, remember } = this.#options;
    const call = this.#open;
    if (call === undefined) return;
    this.#open = undefined;
    await turn.emit({ type: "tool-result", id: call.id, ...outcome });
    const message = toolMessage(turn.id, call, outcome);
    turn.record(message);
    remember(message);
    toolRuns.countOwn(outcome);
  }

  async unanswered(): Promise<void> {
    const { toolRuns } = this.#options;
    if (this.#open === undefined) return;
    this.#isAskedAgain = true;
    await this.ended({ error: toolRuns.noSuchTool(this.#open.name) });
  }

  /** The framework failed. Clients must not wait for a result that does not come. */
  async failed(): Promise<void> {
    if (this.#options.turn.signal.aborted) return;
    await this.ended({ error: FRAMEWORK_FAILED });
  }

  /** Whether the framework has to be told of calls that were refused. It is not where it may call nothing more. */
  takeAskedAgain(mayCall: boolean): boolean {
    const isAskedAgain = this.#isAskedAgain && mayCall;
    this.#isAskedAgain = false;
    return isAskedAgain;
  }
}
