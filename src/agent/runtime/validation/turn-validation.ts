/** The validators of a prompt in one turn: what they refuse, what they warn of, and what is counted. */
import type { AgentMetrics } from "../../contracts/agent-metrics.ts";
import type { Warning } from "../../../protocol/frames.ts";
import { createValidator, type Validator } from "../../../promptpack/validators/validator.ts";
import type { ValidatorConfig } from "../../../promptpack/validators/validator-config.ts";
import { validationRefusal } from "./validation-refusal.ts";

export type ValidationMetrics = Pick<AgentMetrics, "validationsTotal">;
type Outcome = "passed" | "warned" | "retried" | "refused";

/** By config, which lives as long as the agent config that it is a part of. */
const created = new WeakMap<ValidatorConfig, Validator>();

export class TurnValidation {
  readonly #validators: readonly Validator[];
  readonly #metrics: ValidationMetrics | undefined;
  readonly #warnings = new Map<string, Warning>();

  constructor(configs: readonly ValidatorConfig[], metrics: ValidationMetrics | undefined) {
    this.#validators = configs.map(validatorOf);
    this.#metrics = metrics;
  }

  get warnings(): Warning[] {
    return [...this.#warnings.values()];
  }

  /** Those of answers whose breach is a refusal. */
  get refusing(): Validator[] {
    return this.#validators.filter(({ config }) => config.output && config.fails);
  }

  get hasOutputRules(): boolean {
    return this.#validators.some(({ config }) => config.output);
  }

  /** Throws a TurnError when the message of the user is refused. */
  checkMessage(text: string): void {
    for (const validator of this.#validators) {
      if (!validator.config.input) continue;
      if (keeps(validator, text)) this.count(validator, "passed");
      else if (validator.config.fails) {
        this.count(validator, "refused");
        throw validationRefusal(validator.config, "message");
      } else this.#warn(validator, "message");
    }
  }

  /** Looks at what was let out of an answer. `isLast`: whether it is the end of the answer, and so of the form that rules want. */
  passed(text: string, isLast: boolean): void {
    for (const validator of this.#validators) {
      const { output, fails } = validator.config;
      if (!output || (!isLast && validator.judge === undefined)) continue;
      if (fails || keeps(validator, text)) this.count(validator, "passed");
      else this.#warn(validator, "answer");
    }
  }

  count({ config }: Validator, outcome: Outcome): void {
    this.#metrics?.validationsTotal.add(1, { validator: config.name, outcome });
  }

  #warn(validator: Validator, of: "message" | "answer"): void {
    const { name, message } = validator.config;
    this.count(validator, "warned");
    this.#warnings.set(`${of} ${name}`, {
      validator: name,
      message: message ?? `The ${of} breaks the rule "${name}" of the agent.`,
    });
  }
}

function validatorOf(config: ValidatorConfig): Validator {
  const validator = created.get(config) ?? createValidator(config);
  created.set(config, validator);
  return validator;
}

/** A rule that fails to judge a text is not kept by it. */
function keeps(validator: Validator, text: string): boolean {
  try {
    return validator.keeps(text);
  } catch {
    return false;
  }
}
