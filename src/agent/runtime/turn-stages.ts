/**
 * The stages of a turn: which prompt a step has, with its tools and its rules. A turn has one stage, unless it moves its session to
 * another state of a workflow.
 */
import type { AgentConfig, PromptConfig } from "../../agent-config/agent-config.ts";
import type { Warning } from "../../protocol/frames.ts";
import type { Clock } from "../../time/clock.ts";
import type { Turn } from "../contracts/handler.ts";
import type { HistoryMessage, WorkflowPosition } from "../sessions/history-message.ts";
import { boundPrompt } from "./bound-prompt.ts";
import type { PromptFit } from "./prompt-fit.ts";
import { skillTools, withSkills } from "./skills/with-skills.ts";
import type { StepSource } from "./steps/step-source.ts";
import type { OfferedTool } from "./tools/offered-tool.ts";
import { withPackTools } from "./tools/with-pack-tools.ts";
import { checkedSteps } from "./validation/checked-steps.ts";
import { checkMessage } from "./validation/refused-messages.ts";
import { TurnValidation, type ValidationMetrics } from "./validation/turn-validation.ts";
import { promptOfState } from "./workflow/state-prompt.ts";
import { NO_MORE_TRANSITIONS, WorkflowRun } from "./workflow/workflow-run.ts";

export interface Stage {
  readonly source: StepSource;
  readonly prompt: PromptConfig;
  readonly tools: readonly OfferedTool[];
  /** How much of the session's earlier turns the model is told. */
  readonly fit: PromptFit;
}

export interface TurnStagesOptions {
  readonly turn: Turn;
  readonly version: PromptConfig;
  readonly history: readonly HistoryMessage[];
  readonly clock: Clock;
  readonly metrics: ValidationMetrics | undefined;
  /** The members of the pack that a prompt may ask. */
  readonly askTools: (prompt: PromptConfig) => readonly OfferedTool[];
  /** The tools of the registry. */
  readonly offer: (prompt: PromptConfig, config: AgentConfig) => Promise<readonly OfferedTool[]>;
  readonly sourceOf: (
    prompt: PromptConfig,
    tools: readonly OfferedTool[],
  ) => Promise<Pick<Stage, "source" | "fit">>;
}

export class TurnStages {
  readonly #options: TurnStagesOptions;
  readonly #workflow: WorkflowRun | undefined;
  readonly #validations: TurnValidation[] = [];
  #stage: Stage | undefined;
  /** The state and the tool of transitions that the stage is for. */
  #key = "";

  constructor(options: TurnStagesOptions) {
    this.#options = options;
    const { turn, version, history, clock } = options;
    const { workflow } = version;
    this.#workflow = workflow && new WorkflowRun({ workflow, history, turn, clock });
  }

  /** Where the session is in its workflow. */
  get position(): WorkflowPosition | undefined {
    return this.#workflow?.position;
  }

  get warnings(): Warning[] {
    return this.#validations.flatMap(({ warnings }) => warnings);
  }

  /** Throws a TurnError when the message of the user is refused by the prompt that is to answer it. */
  checkMessage(): void {
    const { turn, metrics } = this.#options;
    const validation = new TurnValidation(this.#prompt().validators ?? [], metrics);
    this.#validations.push(validation);
    checkMessage(turn, validation);
  }

  /** The stage of the step that follows these messages of the turn. */
  async after(own: readonly HistoryMessage[]): Promise<Stage> {
    this.#workflow?.beginStep(own);
    const transition = this.#workflow?.tool();
    const key = JSON.stringify([this.position?.state, transition === undefined]);
    if (this.#stage !== undefined && this.#key === key) return this.#stage;
    this.#stage = await this.#newStage(
      transition,
      own.some(({ role }) => role === "tool"),
    );
    this.#key = key;
    return this.#stage;
  }

  #prompt(): PromptConfig {
    const { version } = this.#options;
    const state = this.position?.state;
    return state === undefined ? version : promptOfState(version, state);
  }

  async #newStage(transition: OfferedTool | undefined, hasCalled: boolean): Promise<Stage> {
    const { turn, clock, metrics, offer, askTools, sourceOf } = this.#options;
    let prompt = withSkills(boundPrompt(this.#prompt(), turn, clock.now()));
    const ofRegistry = await offer(prompt, turn.config);
    let tools = withPackTools(ofRegistry, packTools(prompt, transition, askTools(prompt)));
    if (tools.length === 0 && hasCalled) {
      tools = [NO_MORE_TRANSITIONS];
      prompt = { ...prompt, toolChoice: "none" };
    }
    const { source, fit } = await sourceOf(prompt, tools);
    // The message was checked when the turn began, and the answers of each prompt have its own rules.
    const validation = new TurnValidation(prompt.validators ?? [], metrics);
    this.#validations.push(validation);
    const onHeld = (): Promise<void> => turn.emit({ type: "chunk", content: "" });
    return { source: checkedSteps(source, validation, onHeld), prompt, tools, fit };
  }
}

/** The tools of the pack in a new session. */
export function firstPackTools(version: PromptConfig, clock: Pick<Clock, "now">): OfferedTool[] {
  const { workflow } = version;
  if (workflow === undefined) return packTools(version, undefined, []);
  const turn = { enterState: (): void => {} };
  const run = new WorkflowRun({ workflow, history: [], turn, clock });
  return packTools(promptOfState(version, run.position.state), run.tool(), []);
}

function packTools(
  { blockedPackTools = [], ...prompt }: PromptConfig,
  transition: OfferedTool | undefined,
  asks: readonly OfferedTool[],
): OfferedTool[] {
  if (prompt.toolChoice === "none") return [];
  const all = [...skillTools(prompt), ...asks, ...(transition === undefined ? [] : [transition])];
  return all.filter(({ name }) => !blockedPackTools.includes(name));
}
