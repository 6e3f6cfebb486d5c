/**
 * Calls of the registry's tools that a runtime makes by itself in the middle of a step, and waits for. They are journaled,
 * limited and shown as those that the agent makes for it, one after the other, since each is a step of its own in the journal.
 */
import { isDeepStrictEqual } from "node:util";
import type { ToolOutcome } from "../../tool-servers/server/tool-outcome.ts";
import type { Turn } from "../contracts/handler.ts";
import { MAX_WAITING_BOUND_CALLS } from "../contracts/limits.ts";
import type { AssistantMessage, HistoryMessage } from "../sessions/history-message.ts";
import type { ModelStep, StepToolCall } from "./providers/model-step.ts";
import { APPROVAL_NEEDED } from "./tools/approval-needed.ts";
import { toolMessage } from "./tools/tool-message.ts";
import type { ToolRuns } from "./tools/tool-runs.ts";

export interface BoundCallsOptions {
  readonly turn: Turn;
  readonly toolRuns: ToolRuns;
  /** Takes a message of this turn, so that later steps are told of it. */
  readonly remember: (message: HistoryMessage) => void;
  /** The answer so far as a message with this call. */
  readonly closeMessage: (calls: AssistantMessage["toolCalls"]) => AssistantMessage;
  /** The call that the runtime has told of and that has no outcome yet. A bound call is made in the middle of it. */
  readonly openCall: () => NamedInput | undefined;
}

type NamedInput = Pick<StepToolCall, "name" | "input">;

export class BoundCalls {
  readonly #options: BoundCallsOptions;
  /** Those of which the runtime has not told in the events of its run. */
  readonly #untold: NamedInput[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: BoundCallsOptions) {
    this.#options = options;
  }

  /** `input` is JSON. Rejects when the turn has to stop. */
  async call(name: string, input: string): Promise<ToolOutcome> {
    if (this.#waiting >= MAX_WAITING_BOUND_CALLS) {
      return { error: `not called: ${MAX_WAITING_BOUND_CALLS} calls of the turn are waiting` };
    }
    this.#waiting += 1;
    const made = this.#last.then(() => this.#make(name, input));
    this.#last = made.catch(() => {});
    try {
      return await made;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Settles when no call is under way. */
  async whenIdle(): Promise<void> {
    let last: Promise<unknown>;
    do await (last = this.#last);
    while (last !== this.#last);
  }

  /** Whether the runtime tells, in the events of its run, of a call that was made here. Each call is told of once. */
  claim(call: NamedInput): boolean {
    const at = this.#untold.findIndex((made) => isSame(made, call));
    if (at === -1) return false;
    this.#untold.splice(at, 1);
    return true;
  }

  /** A runtime may tell of its calls, and not of their results. They must not be made again. */
  removeFrom(step: ModelStep): void {
    const isLeft = step.toolCalls.map((call) => !this.claim(call));
    const callParts = step.parts.filter(({ type }) => type === "tool-call");
    const gone = new Set(callParts.filter((_, index) => isLeft[index] === false));
    step.toolCalls = step.toolCalls.filter((_, index) => isLeft[index]);
    step.parts = step.parts.filter((part) => !gone.has(part));
  }

  async #make(name: string, input: string): Promise<ToolOutcome> {
    const { turn, toolRuns, remember, closeMessage, openCall } = this.#options;
    turn.signal.throwIfAborted();
    const open = openCall();
    const isTold = open !== undefined && isSame({ name, input }, open);
    const call = { id: `bound-${name}`, name, input };
    const run = toolRuns.takeBound(call, { isCounted: !isTold });
    if (!run.isCall) return await run.start();
    if (await run.waits()) return { error: APPROVAL_NEEDED };
    const { id, arguments: toolArguments } = run;
    // In the middle of another call it is shown, and that other one is in doubt should the replica die.
    const isStep = open === undefined;
    if (isStep) {
      const message = closeMessage([{ id, name, arguments: toolArguments }]);
      turn.record(message);
      remember(message);
      this.#untold.push({ name, input });
    }
    if (!isTold) await turn.emit({ type: "tool-call", id, name, arguments: toolArguments });
    await turn.stored();
    const outcome = await run.start();
    if (!isTold) await turn.emit({ type: "tool-result", id, ...outcome });
    if (isStep) {
      const message = toolMessage(turn.id, { id, name }, outcome);
      turn.record(message);
      remember(message);
    }
    await turn.stored();
    return outcome;
  }
}

/** Adapters put the name of a server before that of a tool, and write "_" for "-". */
function isSame(made: NamedInput, told: NamedInput): boolean {
  const name = underscored(told.name);
  const bare = underscored(made.name);
  if (name !== bare && !name.endsWith(`_${bare}`)) return false;
  try {
    return isDeepStrictEqual(JSON.parse(told.input || "{}"), JSON.parse(made.input));
  } catch {
    return false;
  }
}

function underscored(name: string): string {
  return name.trim().replaceAll(/[-.]/g, "_");
}
