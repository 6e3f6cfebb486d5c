/**
 * The answer of a model step that is asked for again, because the replica that received it died in its middle. The clients
 * have the beginning, and it cannot be taken back: what they are sent of the new answer has to go on from there. The model
 * is told so. A model that says the same again from the start is taken at its word: what was said is left out.
 */
import type { AnswerPart, AnswerParts } from "./providers/prompt.ts";

export class AnswerContinuation {
  readonly #said: string;
  #held = "";
  #verdict: "open" | "repeats" | "goes-on" = "open";

  /** `said`: what the clients have of the step's answer. */
  constructor(said: string) {
    this.#said = said.trimStart();
  }

  /** What the model is told beside its prompt. */
  get instruction(): string {
    return `Your answer to the last message was interrupted. The user has seen what stands between the markers. \
Go on exactly where it ends, as if there had been no interruption: do not repeat it, and do not mention this.
<said>${this.#said}</said>`;
  }

  /** What of the text, which comes piece by piece, is to be sent on. */
  take(text: string): string {
    if (this.#verdict !== "open") return text;
    this.#held += text;
    const held = this.#held.trimStart();
    if (held.length < this.#said.length && this.#said.startsWith(held)) return "";
    this.#verdict = held.startsWith(this.#said) ? "repeats" : "goes-on";
    return this.#verdict === "repeats" ? held.slice(this.#said.length) : this.#held;
  }

  /** The whole of the step's answer, for the history; `text` is what the model said now. */
  wholeOf(text: string): string {
    switch (this.#verdict) {
      case "open":
        return this.#said;
      case "repeats":
        return text;
      case "goes-on":
        return this.#said + text;
    }
  }

  /** The parts of the whole answer: what was said before stands before the first thing that was said now. */
  partsOf(parts: AnswerParts | undefined): AnswerParts | undefined {
    if (parts === undefined || this.#verdict !== "goes-on") return parts;
    const at = parts.parts.findIndex(({ type }) => type !== "reasoning");
    const before: AnswerPart = { type: "text", length: this.#said.length };
    return {
      ...parts,
      parts: parts.parts.toSpliced(at === -1 ? parts.parts.length : at, 0, before),
    };
  }
}
