/** A call that the runtime runs by itself, as it is shown to clients and kept in the history. */
import type { ToolOutcome } from "../../../tool-servers/server/tool-outcome.ts";
import type { OwnCallListener } from "../steps/step-source.ts";
import type { RuntimeToolCall, RuntimeToolResult } from "./server-message.ts";

export class ShownCall {
  readonly #listener: OwnCallListener;
  #open: string | undefined;

  constructor({ ownCalls }: { readonly ownCalls: OwnCallListener }) {
    this.#listener = ownCalls;
  }

  /** Answers false when the turn may have no more calls. */
  async begin({ id, name, argumentsJson }: RuntimeToolCall): Promise<boolean> {
    const mayGoOn = await this.#listener.begun({ id, name, input: argumentsJson });
    if (mayGoOn) this.#open = id;
    return mayGoOn;
  }

  /** The result of another call is ignored. */
  async end(result: RuntimeToolResult): Promise<void> {
    if (this.#open === undefined || result.id !== this.#open) return;
    this.#open = undefined;
    await this.#listener.ended(outcomeOf(result));
  }

  /** Since version 1.3 a runtime keeps the results of its own calls. What comes next shows that the call has ended. */
  async endWithout(): Promise<void> {
    if (this.#open === undefined) return;
    this.#open = undefined;
    await this.#listener.ended({ result: null });
  }
}

function outcomeOf({ resultJson, isError }: RuntimeToolResult): ToolOutcome {
  if (isError) return { error: resultJson };
  try {
    return { result: JSON.parse(resultJson) as unknown };
  } catch {
    return { result: resultJson };
  }
}
