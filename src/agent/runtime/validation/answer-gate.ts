/** Lets the text of a step out as far as no validator can refuse it any more. */
import type { TextJudge } from "../../../promptpack/validators/text-judge.ts";
import type { Validator } from "../../../promptpack/validators/validator.ts";

export interface AnswerGateOptions {
  /** Those whose breach is a refusal. */
  readonly validators: readonly Validator[];
  /** Whether nothing is let out before the whole text was judged. */
  readonly holdsAll: boolean;
}

/** What may be said now, or the validator that refuses the text. */
export type GateVerdict =
  | { readonly text: string; readonly refusedBy?: undefined }
  | { readonly refusedBy: Validator };

export class AnswerGate {
  readonly #judges: readonly { readonly validator: Validator; readonly judge: TextJudge }[];
  readonly #holdsAll: boolean;
  #held = "";
  #length = 0;

  constructor({ validators, holdsAll }: AnswerGateOptions) {
    this.#judges = validators.flatMap((validator) =>
      validator.judge === undefined ? [] : [{ validator, judge: validator.judge() }],
    );
    this.#holdsAll = holdsAll;
  }

  /** Characters that wait for a judgement. */
  get held(): number {
    return this.#held.length;
  }

  add(piece: string): GateVerdict {
    this.#held += piece;
    this.#length += piece.length;
    let free = this.#length;
    for (const { validator, judge } of this.#judges) {
      const place = judge.add(piece);
      if (place === undefined) return { refusedBy: validator };
      free = Math.min(free, place);
    }
    return { text: this.#holdsAll ? "" : this.#take(free) };
  }

  /** Nothing follows in this step. `validators`: those that judge the whole text of it. */
  end(text: string, validators: readonly Validator[]): GateVerdict {
    const broken = this.#judges.find(({ judge }) => !judge.end());
    if (broken !== undefined) return { refusedBy: broken.validator };
    const refusing = validators.find((validator) => !validator.keeps(text));
    if (refusing !== undefined) return { refusedBy: refusing };
    return { text: this.#take(this.#length) };
  }

  #take(until: number): string {
    const count = until - (this.#length - this.#held.length);
    const text = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    return text;
  }
}
