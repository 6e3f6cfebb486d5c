/** What the tool loop asks for a step: a model provider, or a runtime in another framework. */
import type { PromptConfig } from "../../../agent-config/agent-config.ts";
import type { ToolOutcome } from "../../../tool-servers/server/tool-outcome.ts";
import type { HistoryMessage } from "../../sessions/history-message.ts";
import type { ModelStep, StepToolCall } from "../providers/model-step.ts";
import type { AnswerParts } from "../providers/prompt.ts";

export type ToolChoice = PromptConfig["toolChoice"];

export interface StepRequest {
  /** What the step is told of the session, oldest first, with the messages of this turn at the end. */
  readonly messages: readonly HistoryMessage[];
  readonly toolChoice: ToolChoice;
  /** Follows the system prompt, where it is set. */
  readonly instruction: string | undefined;
  /** What the turn may use still, in tokens; undefined: there is no limit. Sources that cannot heed it do not. */
  readonly tokensLeft?: number | undefined;
  readonly signal: AbortSignal;
  /** Takes the answer's text as it comes. Settles when there may be more of it. */
  readonly onText: (text: string) => Promise<void> | undefined;
  readonly ownCalls: OwnCallListener;
  readonly boundCalls: BoundCallMaker;
}

/** Makes calls of the agent's tools in the middle of a step, for a source that waits for their outcome. */
export interface BoundCallMaker {
  /** `input` is JSON. Rejects when the turn has to stop. */
  call(name: string, input: string): Promise<ToolOutcome>;
}

/** Is told of the calls that a source runs by itself. A call is begun after the one before it has ended. */
export interface OwnCallListener {
  /** Answers false when the turn may have no more calls: the source then ends the step. */
  begun(call: StepToolCall): Promise<boolean>;
  /** The call that was begun last has this outcome. */
  ended(outcome: ToolOutcome): Promise<void>;
  /** The call that was begun last got no result: it is refused, and the source is asked again. */
  unanswered(): Promise<void>;
}

export interface StepSource {
  /** Names the source in messages, in the log and in the labels of metrics. */
  readonly provider: string;
  readonly modelId: string;
  /** Whether the tokens that it counts are those of one prompt, so that they tell how long a prompt is. */
  readonly countsPrompts: boolean;
  /**
   * Hands the answer's text on as it comes, and adds what is left of the answer to `step`, which has what was said also after a
   * failure. Rejects with a TurnError when the source failed, and with the signal's reason when that was aborted.
   */
  stream(step: ModelStep, request: StepRequest): Promise<void>;
  /** What the history keeps of a step as `providerMetadata`. */
  partsOf(step: ModelStep): AnswerParts | undefined;
}
