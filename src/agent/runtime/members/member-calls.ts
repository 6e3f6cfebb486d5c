/**
 * The members of a pack as tools of the prompt that asks them: a turn within the turn, with the prompt and the tools of the member. It
 * knows nothing of the session but its task, and its answer is the result of the call. The clients see its calls of tools.
 */
import type { PromptConfig } from "../../../agent-config/agent-config.ts";
import type { Log } from "../../../observability/log.ts";
import { memberToolName } from "../../../promptpack/document/pack-tool-names.ts";
import type { Usage } from "../../../protocol/frames.ts";
import type { ToolOutcome } from "../../../tool-servers/server/tool-outcome.ts";
import type { ToolCallOptions } from "../../../tool-servers/server/tool-server.ts";
import { addUsage } from "../../../protocol/add-usage.ts";
import type { Turn, TurnResult } from "../../contracts/handler.ts";
import {
  MAX_MEMBER_ANSWER_CHARACTERS,
  MAX_MEMBER_CALLS,
  MAX_MEMBER_DEPTH,
  MAX_TURN_SILENCE_MS,
} from "../../contracts/limits.ts";
import { TurnError } from "../../contracts/turn-error.ts";
import type { OfferedTool } from "../tools/offered-tool.ts";
import { MemberTurn } from "./member-turn.ts";

export interface MemberCallsOptions {
  readonly turn: Turn;
  readonly version: PromptConfig;
  readonly log: Log;
  /** Runs the tool loop with the prompt of a member. `depth`: 1 for a member that the entry asks. */
  readonly run: (turn: Turn, member: string, depth: number) => Promise<TurnResult>;
}

export class MemberCalls {
  readonly #options: MemberCallsOptions;
  #calls = 0;
  #usage: Usage | undefined;

  constructor(options: MemberCallsOptions) {
    this.#options = options;
  }

  /** The members that a prompt may ask. `depth`: 0 for a prompt of the session itself. */
  toolsOf(prompt: string, depth: number): OfferedTool[] {
    const { agents } = this.#options.version;
    if (agents === undefined || depth >= MAX_MEMBER_DEPTH) return [];
    return (agents.asks[prompt] ?? []).map((member) => ({
      name: memberToolName(member),
      calledName: member,
      isJudgedByServer: false,
      description: `Asks another agent, who knows nothing of this conversation but the task: ${agents.members[member] ?? member}`,
      inputSchema: {
        type: "object",
        properties: {
          task: { type: "string", description: "The task, with all that the agent has to know." },
        },
        required: ["task"],
      },
      timeoutMs: MAX_TURN_SILENCE_MS,
      server: {
        list: () => Promise.resolve([]),
        call: (_name, { task }, options) =>
          this.#ask(member, typeof task === "string" ? task : "", depth + 1, options),
      },
    }));
  }

  /** What the members have used since this was asked last. */
  takeUsage(): Usage | undefined {
    const usage = this.#usage;
    this.#usage = undefined;
    return usage;
  }

  async #ask(
    member: string,
    task: string,
    depth: number,
    { signal, callId = "" }: ToolCallOptions,
  ): Promise<ToolOutcome> {
    if (this.#calls >= MAX_MEMBER_CALLS) {
      return { error: `not asked: a turn asks other agents ${MAX_MEMBER_CALLS} times at most` };
    }
    this.#calls += 1;
    const turn = new MemberTurn(this.#options.turn, { task, signal, callId });
    try {
      const { usage } = await this.#options.run(turn, member, depth);
      this.#usage = addUsage(this.#usage, usage);
      return { result: shortened(turn.text) };
    } catch (error) {
      signal.throwIfAborted();
      this.#options.log.warn({ member, error }, "An agent that another one asked has failed");
      const why = error instanceof TurnError ? error.message : "something went wrong";
      return { error: `the agent "${member}" did not answer: ${why}` };
    }
  }
}

function shortened(text: string): string {
  if (text.length <= MAX_MEMBER_ANSWER_CHARACTERS) return text;
  return `${text.slice(0, MAX_MEMBER_ANSWER_CHARACTERS).toWellFormed()}\n[the rest is left out]`;
}
