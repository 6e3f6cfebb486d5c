import type { AnswerPart, AnswerParts } from "./providers/prompt.ts";

/**
 * Joins the two answers of a model step that is asked for again, because the replica that received the first one died in its
 * middle. The clients were sent the beginning of the first answer, so what they are sent of the second one has to go on from
 * there. The model is told so. If it repeats the beginning all the same, the repetition is left out.
 */
export class AnswerContinuation {
  readonly #said: string;
  #held = "";
  #verdict: "open" | "repeats" | "goes-on" = "open";

  /** `said` is the part of the first answer that the clients were sent. */
  constructor(said: string) {
    this.#said = said.trimStart();
  }

  /** What the model is told in addition to its prompt. */
  get instruction(): string {
    return `Your answer to the last message was interrupted. The user has seen what stands between the markers. \
Go on exactly where it ends, as if there had been no interruption: do not repeat it, and do not mention this.
<said>${this.#said}</said>`;
  }

  /** Takes the next piece of the second answer; answers the text that is to be sent to the clients now. */
  take(text: string): string {
    if (this.#verdict !== "open") return text;
    this.#held += text;
    const held = this.#held.trimStart();
    if (held.length < this.#said.length && this.#said.startsWith(held)) return "";
    this.#verdict = held.startsWith(this.#said) ? "repeats" : "goes-on";
    return this.#verdict === "repeats" ? held.slice(this.#said.length) : this.#held;
  }

  /** The whole answer of the step, for the history. `text` is the whole second answer. */
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

  /** The parts of the whole answer: the text of the first answer comes before the first text or call of the second one. */
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
