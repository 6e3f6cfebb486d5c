/** A conversation with the handler that agents run: the same prompt, tools, validators and loop. */
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import type { Handler, Turn, TurnEvent } from "../../agent/contracts/handler.ts";
import { TurnError } from "../../agent/contracts/turn-error.ts";
import type { HistoryMessage } from "../../agent/sessions/history-message.ts";
import type { TurnRecord } from "../../evals/conversation/transcript.ts";
import type { Talk } from "../../evals/run/run-conversation.ts";
import type { Clock } from "../../time/clock.ts";

/** A longer answer is not judged. */
const MAX_ANSWER_CHARACTERS = 1_000_000;

export interface HandlerTalkOptions {
  readonly handler: Handler;
  readonly config: AgentConfig;
  readonly newId: () => string;
  readonly clock: Pick<Clock, "monotonic">;
}

export function handlerTalk({ handler, config, newId, clock }: HandlerTalkOptions): Talk {
  const history: HistoryMessage[] = [];
  const sessionId = newId();
  return {
    async turn(message, signal) {
      const began = clock.monotonic();
      const turn = new HandledTurn({ id: newId(), sessionId, content: message, config, signal }, [
        ...history,
      ]);
      try {
        const { finishReason, usage, approvals = [] } = await handler.run(turn);
        if (finishReason === "awaiting_approval") {
          const names = approvals.map(({ name }) => name).join(", ");
          throw new Error(`calls wait for an approval, which nobody can give here: ${names}`);
        }
        history.push(...turn.messages);
        return {
          user: message,
          answer: turn.answer,
          toolCalls: turn.calls,
          finishReason,
          ...(usage && {
            usage: { inputTokens: usage.input_tokens, outputTokens: usage.output_tokens },
          }),
          latencyMs: Math.round(clock.monotonic() - began),
        };
      } catch (error) {
        if (!(error instanceof TurnError)) throw error;
        throw new Error(`${error.code}: ${error.message}`, { cause: error });
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

type Given = Pick<Turn, "id" | "sessionId" | "content" | "config" | "signal">;

/** A turn that nobody follows, and that is kept nowhere else. */
class HandledTurn implements Turn {
  readonly id: string;
  readonly sessionId: string;
  readonly content: string;
  readonly config: AgentConfig;
  readonly signal: AbortSignal;
  readonly metadata = undefined;
  readonly promptVersion = undefined;
  readonly earlier = undefined;
  readonly #history: HistoryMessage[];
  readonly #recorded: HistoryMessage[] = [];
  readonly #calls = new Map<string, TurnRecord["toolCalls"][number]>();
  answer = "";

  constructor({ id, sessionId, content, config, signal }: Given, history: HistoryMessage[]) {
    this.id = id;
    this.sessionId = sessionId;
    this.content = content;
    this.config = config;
    this.signal = signal;
    this.#history = history;
  }

  history(): Promise<HistoryMessage[]> {
    return Promise.resolve(this.#history);
  }

  async emit(event: TurnEvent): Promise<void> {
    this.signal.throwIfAborted();
    switch (event.type) {
      case "chunk":
        this.answer += event.content;
        if (this.answer.length > MAX_ANSWER_CHARACTERS) {
          throw new Error(`the answer is longer than ${MAX_ANSWER_CHARACTERS} characters`);
        }
        break;
      case "tool-call":
        this.#calls.set(event.id, { name: event.name, arguments: event.arguments });
        break;
      case "tool-result": {
        const call = this.#calls.get(event.id);
        if (call === undefined) break;
        const outcome =
          event.error === undefined ? { result: event.result } : { error: event.error };
        this.#calls.set(event.id, { ...call, ...outcome });
        break;
      }
    }
  }

  /** The history of the conversation tells the next turn. */
  enterState(): void {}

  record(message: HistoryMessage): void {
    this.#recorded.push(message);
  }

  async stored(): Promise<void> {
    this.signal.throwIfAborted();
  }

  /** What the session remembers of the turn. */
  get messages(): HistoryMessage[] {
    return [{ role: "user", turnId: this.id, content: this.content }, ...this.#recorded];
  }

  get calls(): TurnRecord["toolCalls"] {
    return [...this.#calls.values()];
  }
}
