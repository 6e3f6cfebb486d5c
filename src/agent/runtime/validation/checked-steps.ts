/**
 * Steps whose text is checked before it is said. It is held back just as long as a validator could still refuse it; a rule of the
 * whole text, or one that asks the model again, holds all of it. A step that is refused leaves nothing: no text, no calls.
 */
import type { Validator } from "../../../promptpack/validators/validator.ts";
import { MAX_CHECKED_CHARACTERS } from "../../contracts/limits.ts";
import { newModelStep, type ModelStep } from "../providers/model-step.ts";
import type { StepRequest, StepSource } from "../steps/step-source.ts";
import { AnswerGate, type GateVerdict } from "./answer-gate.ts";
import type { TurnValidation } from "./turn-validation.ts";
import { validationRefusal } from "./validation-refusal.ts";

/** Says that the turn goes on though nothing is said. */
export type OnHeld = () => Promise<void>;

class Refusal extends Error {
  override readonly name = "Refusal";
  readonly validator: Validator;

  constructor(validator: Validator) {
    super("a validator refused the text");
    this.validator = validator;
  }
}

export function checkedSteps(
  source: StepSource,
  validation: TurnValidation,
  onHeld: OnHeld,
): StepSource {
  if (!validation.hasOutputRules) return source;
  const refusing = validation.refusing;
  const holdsAll = refusing.some(
    (validator) => validator.judge === undefined || validator.config.retry > 0,
  );
  /** What is counted then is more than one prompt. */
  let wasAskedAgain = false;
  const retries = new Map(refusing.map((validator) => [validator, validator.config.retry]));

  async function stream(step: ModelStep, request: StepRequest): Promise<void> {
    let { instruction } = request;
    let spent: ModelStep["usage"];
    wasAskedAgain = false;
    for (;;) {
      const attempt = new CheckedStep(
        step,
        { ...request, instruction },
        refusing,
        holdsAll,
        onHeld,
      );
      try {
        const text = await attempt.run(source);
        validation.passed(text, step.toolCalls.length === 0);
        step.usage = sumOf(spent, step.usage);
        return;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const { validator } = error;
        const left = attempt.canRetry ? (retries.get(validator) ?? 0) : 0;
        validation.count(validator, left > 0 ? "retried" : "refused");
        if (left === 0) throw validationRefusal(validator.config, "answer");
        retries.set(validator, left - 1);
        spent = sumOf(spent, step.usage);
        Object.assign(step, { usage: undefined, hasBegun: false });
        wasAskedAgain = true;
        instruction = [request.instruction, toldOf(validator)].filter(Boolean).join("\n\n");
      }
    }
  }

  return {
    provider: source.provider,
    modelId: source.modelId,
    get countsPrompts() {
      return source.countsPrompts && !wasAskedAgain;
    },
    stream,
    partsOf: (step) => source.partsOf(step),
  };
}

/** The tokens of two answers, and those of their input that came from a cache. What else a provider counts is that of the last one. */
function sumOf(a: ModelStep["usage"], b: ModelStep["usage"]): ModelStep["usage"] {
  if (a === undefined || b === undefined) return b ?? a;
  const sum = (one: number | undefined, other: number | undefined): number | undefined =>
    one === undefined && other === undefined ? undefined : (one ?? 0) + (other ?? 0);
  return {
    ...b,
    inputTokens: {
      ...b.inputTokens,
      total: sum(a.inputTokens.total, b.inputTokens.total),
      cacheRead: sum(a.inputTokens.cacheRead, b.inputTokens.cacheRead),
    },
    outputTokens: { ...b.outputTokens, total: sum(a.outputTokens.total, b.outputTokens.total) },
  };
}

/** What the model is told in addition to its prompt when it is asked again. */
function toldOf({ config: { name, message } }: Validator): string {
  const why = message === undefined ? "" : ` (${message})`;
  return `Your last answer to this message was withheld from the user because it breaks the rule "${name}"${why}. Answer again so that the rule is kept, and do not mention this.`;
}

/** One answer of the source. */
class CheckedStep {
  readonly #step: ModelStep;
  readonly #request: StepRequest;
  readonly #refusing: readonly Validator[];
  readonly #holdsAll: boolean;
  readonly #onHeld: OnHeld;
  readonly #stop = new AbortController();
  #gate: AnswerGate;
  /** The text since the step, or the call of a framework within it, began. */
  #text = "";
  #said = "";
  #hasOwnCalls = false;

  constructor(
    step: ModelStep,
    request: StepRequest,
    refusing: readonly Validator[],
    holdsAll: boolean,
    onHeld: OnHeld,
  ) {
    this.#step = step;
    this.#request = request;
    this.#refusing = refusing;
    this.#holdsAll = holdsAll;
    this.#onHeld = onHeld;
    this.#gate = this.#newGate();
  }

  /** Whether nothing of the answer has had an effect. */
  get canRetry(): boolean {
    return this.#said === "" && !this.#hasOwnCalls;
  }

  /** Answers the text after the last call of a framework. Rejects with a Refusal, after which the step has what was said only. */
  async run(source: StepSource): Promise<string> {
    const { ownCalls, signal } = this.#request;
    try {
      await source.stream(this.#step, {
        ...this.#request,
        signal: AbortSignal.any([signal, this.#stop.signal]),
        onText: (text) => this.#take(text),
        ownCalls: {
          begun: async (call) => {
            await this.#endPart(false);
            this.#hasOwnCalls = true;
            return await ownCalls.begun(call);
          },
          ended: (outcome) => ownCalls.ended(outcome),
          unanswered: () => ownCalls.unanswered(),
        },
      });
      return await this.#endPart(this.#step.toolCalls.length === 0);
    } catch (error) {
      // The source may reject with the reason of its signal, or with another error that it made of this one.
      const refusal = this.#stop.signal.reason as unknown;
      // What was held back must not come into the history in another way.
      const { hasBegun, usage } = this.#step;
      const left: ModelStep = { ...newModelStep(), text: this.#said, hasBegun, usage };
      Object.assign(this.#step, { end: undefined, returned: undefined }, left);
      throw refusal instanceof Refusal ? refusal : error;
    }
  }

  #take(piece: string): Promise<void> | undefined {
    this.#text += piece;
    if (this.#gate.held + piece.length > MAX_CHECKED_CHARACTERS) {
      const [first] = this.#refusing;
      if (first !== undefined) throw this.#refuse(first);
    }
    const text = this.#allowed(() => this.#gate.add(piece));
    return text === "" ? this.#onHeld() : this.#say(text);
  }

  /** Answers the text of the part. Rules of the whole text are for the last one. */
  async #endPart(isLast: boolean): Promise<string> {
    const text = this.#text;
    const whole = isLast ? this.#refusing.filter(({ judge }) => judge === undefined) : [];
    const allowed = this.#allowed(() => this.#gate.end(text, whole));
    if (allowed !== "") await this.#say(allowed);
    this.#text = "";
    this.#said = "";
    this.#gate = this.#newGate();
    return text;
  }

  #allowed(judge: () => GateVerdict): string {
    let verdict: GateVerdict;
    try {
      verdict = judge();
    } catch {
      // A validator that fails must not let the text pass.
      const [first] = this.#refusing;
      if (first === undefined) return "";
      throw this.#refuse(first);
    }
    if (verdict.refusedBy !== undefined) throw this.#refuse(verdict.refusedBy);
    return verdict.text;
  }

  #refuse(validator: Validator): Refusal {
    const refusal = new Refusal(validator);
    this.#stop.abort(refusal);
    return refusal;
  }

  #say(text: string): Promise<void> | undefined {
    this.#said += text;
    return this.#request.onText(text);
  }

  #newGate(): AnswerGate {
    return new AnswerGate({ validators: this.#refusing, holdsAll: this.#holdsAll });
  }
}
