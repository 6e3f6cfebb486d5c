/**
 * The ids of calls within a session. Servers give ids that are not unique: one that counts from zero in every answer, the same
 * one twice in an answer, or none. An id names one call in the frames, the journal and the history, so a call keeps the
 * server's id only where no call of the session has it yet.
 */
import { MAX_CALL_ID_CHARACTERS } from "../../contracts/limits.ts";
import type { ModelStep } from "../providers/model-step.ts";
import type { HistoryMessage } from "../../sessions/history-message.ts";

export class CallIds {
  readonly #used = new Set<string>();
  /** The highest number of an id that was made of this one. 1 for an id of which none was made. */
  readonly #counts = new Map<string, number>();

  /** `used` are the ids of all calls of the session so far. */
  constructor(used: Iterable<string>) {
    for (const id of used) this.keep(id);
  }

  /** Takes note of a call that has its id already. */
  keep(id: string): void {
    this.#used.add(id);
    this.#count(id, 1);
    const [, base, number] = NUMBERED.exec(id) ?? [];
    if (base !== undefined) this.#count(base, Number(number));
  }

  /** Gives each call of the step its id. Replicas that know the same calls give the same ids. */
  assign(step: Pick<ModelStep, "toolCalls" | "parts">): void {
    const parts = step.parts.filter((part) => part.type === "tool-call");
    for (const [index, call] of step.toolCalls.entries()) {
      const serverId = call.id;
      call.id = this.#unused(idBy(serverId));
      this.keep(call.id);
      const part = parts[index];
      if (part === undefined) continue;
      part.id = call.id;
      // Some servers put more into an id than a name, and want it back as it was.
      if (serverId.length > LONGEST_PLAIN_ID) part.serverId = serverId;
    }
  }

  /** Numbers only grow, since the oldest calls of a long session are not known any more. */
  #unused(wanted: string): string {
    let number = this.#counts.get(wanted);
    if (number === undefined) return wanted;
    let id: string;
    do id = `${wanted}-${(number += 1)}`;
    while (this.#used.has(id));
    return id;
  }

  #count(id: string, number: number): void {
    this.#counts.set(id, Math.max(this.#counts.get(id) ?? 0, number));
  }
}

const NUMBERED = /^(.+)-(\d{1,9})$/s;

/** The ids of all calls in the messages. */
export function callIdsOf(messages: readonly HistoryMessage[]): string[] {
  return messages.flatMap((message) =>
    message.role === "assistant" ? (message.toolCalls ?? []).map(({ id }) => id) : [],
  );
}

/** OpenAI takes ids of up to 40 characters. Those of its own, of Anthropic and of Google are shorter. */
const LONGEST_PLAIN_ID = 40;

function idBy(serverId: string): string {
  const id = serverId.trim().toWellFormed();
  if (id.length <= MAX_CALL_ID_CHARACTERS) return id || "call";
  return id.slice(0, LONGEST_PLAIN_ID).toWellFormed();
}
