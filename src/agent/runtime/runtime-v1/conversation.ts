/** The stream of one turn: what the agent says, and what the runtime answers, until one of them ends it. */
import type { Clock } from "../../../time/clock.ts";
import { Wake } from "../../../time/wake.ts";
import { LATE, within } from "../../../time/within.ts";
import { RUNTIME_IDLE_LIMIT_MS } from "../../contracts/limits.ts";
import type { CallOptions, ClientMessage, RuntimeV1Client } from "./runtime-v1-client.ts";
import type { ServerMessage } from "./server-message.ts";

export class RuntimeSilentError extends Error {
  override readonly name = "RuntimeSilentError";
}

export interface ConversationOptions {
  readonly client: RuntimeV1Client;
  readonly headers: CallOptions["headers"];
  /** Ends the conversation. */
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, "setTimer">;
}

export class Conversation {
  readonly #clock: Pick<Clock, "setTimer">;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  readonly #wake = new Wake();
  readonly #unsent: ClientMessage[] = [];
  readonly #answers: Promise<AsyncIterator<ServerMessage>>;

  constructor(first: ClientMessage, { client, headers, signal, clock }: ConversationOptions) {
    this.#clock = clock;
    this.#signal = AbortSignal.any([signal, this.#closing.signal]);
    this.#unsent.push(first);
    const answers = client.converse(this.#outgoing(), { headers, signal: this.#signal });
    this.#answers = answers.then((messages) => messages[Symbol.asyncIterator]());
    // A failure is reported to whoever waits for the next message.
    this.#answers.catch(() => {});
  }

  /** Never waits. The runtime is told as soon as it takes more. */
  send(message: ClientMessage): void {
    this.#unsent.push(message);
    this.#wake.raise();
  }

  /** Settles with `undefined` when the runtime ended the stream. Rejects as the client does, or when the runtime is silent for too long. */
  async next(): Promise<ServerMessage | undefined> {
    const answer = await within(RUNTIME_IDLE_LIMIT_MS, this.#next(), this.#clock);
    if (answer !== LATE) return answer;
    this.close();
    throw new RuntimeSilentError("no message for too long");
  }

  /** The runtime is told at once, and its work may end. May be called again. */
  close(): void {
    this.#closing.abort();
  }

  async #next(): Promise<ServerMessage | undefined> {
    const { value, done } = await (await this.#answers).next();
    return done === true ? undefined : value;
  }

  async *#outgoing(): AsyncGenerator<ClientMessage> {
    while (!this.#signal.aborted) {
      yield* this.#unsent.splice(0);
      await this.#wake.wait(this.#signal);
    }
  }
}
