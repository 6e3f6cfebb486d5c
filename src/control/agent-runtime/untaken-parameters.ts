/**
 * Which parameters a model is not asked with as they are written, because its provider does not take them. The packages of the
 * providers leave such a parameter out, or change it, and tell it to the log of a replica only.
 */
import type { ProviderConfig } from "../../agent-config/agent-config.ts";
import { isOpenAIReasoningModel } from "../../agent-config/openai-reasoning-model.ts";

export type Endpoint = Pick<ProviderConfig, "name" | "model" | "api" | "baseURL">;
export type GivenParameters = Partial<ProviderConfig["parameters"]> &
  Pick<ProviderConfig, "tokenLimitField">;
type Parameter = keyof GivenParameters;

export interface UntakenParameter {
  readonly parameter: Parameter;
  /** What becomes of it and why: a sentence whose subject is the parameter. */
  readonly effect: string;
}

interface Rule {
  readonly parameters: readonly Parameter[];
  readonly applies: (endpoint: Endpoint, given: GivenParameters) => boolean;
  readonly effect: (endpoint: Endpoint, parameter: Parameter) => string;
}

const notSent =
  (why: string): Rule["effect"] =>
  () =>
    `is not sent, since ${why}`;
const notSentToModel: Rule["effect"] = ({ model }) =>
  `is not sent, since the model "${model}" takes none`;

/** The first rule that applies to a parameter is the one that is told. */
const RULES: readonly Rule[] = [
  {
    parameters: ["topK"],
    applies: ({ name }) => name === "openai",
    effect: notSent("OpenAI's protocol has none"),
  },
  {
    parameters: ["seed", "frequencyPenalty", "presencePenalty", "stopSequences", "tokenLimitField"],
    applies: ({ name, api }) => name === "openai" && api === "responses",
    effect: notSent('only chat completions have it (provider.api "chat")'),
  },
  {
    parameters: ["temperature", "topP"],
    applies: (endpoint) => isReasoning(endpoint) && !isAskedNotToReason(endpoint),
    effect: notSentToModel,
  },
  {
    parameters: ["frequencyPenalty", "presencePenalty"],
    applies: isReasoning,
    effect: notSentToModel,
  },
  {
    parameters: ["temperature"],
    applies: ({ name, model, api, baseURL }) =>
      name === "openai" &&
      api === "chat" &&
      baseURL === undefined &&
      /^gpt-4o(-mini)?-search-preview/.test(model),
    effect: notSentToModel,
  },
  {
    parameters: ["frequencyPenalty", "presencePenalty", "seed"],
    applies: ({ name }) => name === "anthropic",
    effect: notSent("Anthropic's protocol has none"),
  },
  {
    parameters: ["temperature", "topP", "topK"],
    applies: ({ name, model }) => name === "anthropic" && !takesSampling(model),
    effect: notSentToModel,
  },
  {
    parameters: ["temperature"],
    applies: ({ name }, { temperature = 0 }) => name === "anthropic" && temperature > 1,
    effect: () => "is sent as 1, since Anthropic takes no more",
  },
  {
    parameters: ["topP"],
    applies: ({ name, model }, { temperature }) =>
      name === "anthropic" && model.includes("claude-") && temperature !== undefined,
    effect: notSent("Anthropic takes either temperature or topP"),
  },
  {
    parameters: ["maxTokens"],
    applies: ({ name, model }, { maxTokens = 0 }) =>
      name === "anthropic" && maxTokens > longestAnswer(model),
    effect: ({ model }) =>
      `is sent as ${longestAnswer(model)}, since the model "${model}" takes no more`,
  },
  {
    parameters: ["frequencyPenalty", "presencePenalty"],
    applies: ({ name, model }) => name === "google" && /(^|[/.])gemini-2\.5(?:[.-]|$)/i.test(model),
    effect: notSentToModel,
  },
];

export function untakenParameters(
  endpoint: Endpoint,
  given: GivenParameters,
): readonly UntakenParameter[] {
  const names = (Object.keys(given) as Parameter[]).filter((name) => given[name] !== undefined);
  // The order is that of the names, so that a condition does not change with the order in which a manifest has them.
  return names.toSorted().flatMap((parameter) => {
    const rule = RULES.find(
      ({ parameters, applies }) => parameters.includes(parameter) && applies(endpoint, given),
    );
    return rule === undefined ? [] : { parameter, effect: rule.effect(endpoint, parameter) };
  });
}

/** Packs write the names with underscores. */
export function spelledInPack(parameter: Parameter): string {
  return parameter.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function isReasoning({ name, model }: Endpoint): boolean {
  return name === "openai" && isOpenAIReasoningModel(model);
}

/** OpenAI's own chat completions with tools are asked for without reasoning from these models, and then they do take the parameter. */
function isAskedNotToReason({ model, api, baseURL }: Endpoint): boolean {
  return api === "chat" && baseURL === undefined && /^gpt-5\.([6-9]|\d\d)(-|$)/.test(model);
}

/** Models of Anthropic that let a caller choose how tokens are sampled. Newer ones do not. Other servers may have any model. */
const WITH_SAMPLING =
  /claude-(instant(-|$)|v?2(?=$|[-.:])|3(?=$|[-.])|sonnet-4[-@]|opus-4[-@](?![78])|haiku-4-5)/;

function takesSampling(model: string): boolean {
  return !model.includes("claude-") || WITH_SAMPLING.test(model);
}

/** The most tokens of one answer, by the name of the model. The first that matches counts. */
const LONGEST_ANSWERS: readonly (readonly [RegExp, number])[] = [
  [/claude-(sonnet|opus|haiku|fable)-5|claude-opus-4-[678]|claude-sonnet-4-6/, 128_000],
  [/claude-(sonnet|opus|haiku)-4-5/, 64_000],
  [/claude-sonnet-4[-@]/, 64_000],
  [/claude-opus-4[-@]/, 32_000],
  [/claude-3-haiku/, 4_096],
];

function longestAnswer(model: string): number {
  return LONGEST_ANSWERS.find(([name]) => name.test(model))?.[1] ?? Number.POSITIVE_INFINITY;
}
