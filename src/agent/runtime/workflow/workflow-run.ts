/** The workflow of a session during one turn. */
import type { WorkflowConfig } from "../../../agent-config/agent-config.ts";
import { TRANSITION } from "../../../promptpack/document/pack-tool-names.ts";
import type { ToolOutcome } from "../../../tool-servers/server/tool-outcome.ts";
import type { Clock } from "../../../time/clock.ts";
import type { Turn } from "../../contracts/handler.ts";
import type { HistoryMessage, WorkflowPosition } from "../../sessions/history-message.ts";
import type { OfferedTool } from "../tools/offered-tool.ts";
import { budgetProblem, decideTransition, eventsOf } from "./decide-transition.ts";
import { moved, positionAfter } from "./workflow-position.ts";

/** A call answers at once. */
const TIMEOUT_MS = 1_000;

export interface WorkflowRunOptions {
  readonly workflow: WorkflowConfig;
  /** The messages of the session before the turn. */
  readonly history: readonly HistoryMessage[];
  readonly turn: Pick<Turn, "enterState">;
  readonly clock: Pick<Clock, "now">;
}

export class WorkflowRun {
  readonly #options: WorkflowRunOptions;
  readonly #begin: WorkflowPosition;
  #position: WorkflowPosition;
  /** Calls of one answer were all meant for the state that it was given in. */
  #hasMoved = false;

  constructor(options: WorkflowRunOptions) {
    this.#options = options;
    const { workflow, history, turn, clock } = options;
    this.#begin = positionAfter(workflow, history, clock.now());
    this.#position = this.#begin;
    turn.enterState(this.#position.state);
  }

  get position(): WorkflowPosition {
    return this.#position;
  }

  /** Begins a step. `own`: the messages of the turn so far. */
  beginStep(own: readonly HistoryMessage[]): void {
    const { workflow, turn, clock } = this.#options;
    const known: HistoryMessage = {
      role: "assistant",
      turnId: "",
      content: "",
      workflow: this.#begin,
    };
    this.#position = positionAfter(workflow, [known, ...own], clock.now());
    this.#hasMoved = false;
    turn.enterState(this.#position.state);
  }

  /** Undefined where the session cannot move. */
  tool(): OfferedTool | undefined {
    const { workflow, clock } = this.#options;
    const events = Object.entries(eventsOf(workflow, this.#position));
    if (events.length === 0) return undefined;
    if (budgetProblem(workflow, this.#position, clock.now()) !== undefined) return undefined;
    const listed = events.map(([event, state]) => {
      const description = workflow.states[state]?.description;
      return `- ${event}: to "${state}"${description === undefined ? "" : `, ${description}`}`;
    });
    return transitionTool(
      `Moves the conversation to another state of its workflow. It is in the state "${this.#position.state}". Call this when one of its events has come about:\n${listed.join("\n")}`,
      events.map(([event]) => event),
      (event) => this.#move(event),
    );
  }

  #move(event: string): ToolOutcome {
    const { workflow, turn, clock } = this.#options;
    if (this.#hasMoved) {
      return { error: `not made: the workflow has moved to "${this.#position.state}" already` };
    }
    const transition = decideTransition(workflow, this.#position, event, clock.now());
    if ("problem" in transition) return { error: transition.problem };
    const from = this.#position.state;
    const { to, insteadOf } = transition;
    this.#hasMoved = true;
    this.#position = moved(this.#position, to);
    turn.enterState(to);
    const description = workflow.states[to]?.description;
    return {
      result: {
        event,
        from,
        state: to,
        ...(insteadOf !== undefined && { instead_of: insteadOf }),
        ...(description !== undefined && { description }),
      },
      state: to,
    };
  }
}

/**
 * Stands in for the tool where a session came to a state without tools in the middle of a turn: without any tool, a model would not be
 * told of the calls that led there. It is never called.
 */
export const NO_MORE_TRANSITIONS: OfferedTool = transitionTool(
  "The workflow has come to a state from which it does not move. Do not call this.",
  [],
  () => ({ error: "the workflow does not move any more" }),
);

function transitionTool(
  description: string,
  events: readonly string[],
  move: (event: string) => ToolOutcome,
): OfferedTool {
  return {
    name: TRANSITION,
    calledName: TRANSITION,
    isJudgedByServer: false,
    description,
    inputSchema: {
      type: "object",
      properties: {
        event: {
          type: "string",
          ...(events.length > 0 && { enum: [...events] }),
          description: "The event that has come about.",
        },
        context: {
          type: "string",
          description: "What the next state has to know, in a few sentences.",
        },
      },
      required: ["event"],
    },
    timeoutMs: TIMEOUT_MS,
    server: {
      list: () => Promise.resolve([]),
      call: (_name, { event }) => Promise.resolve(move(String(event))),
    },
  };
}
