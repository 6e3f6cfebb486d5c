/** Which of the parameters a call of the model is sent, when both the AgentRuntime and the pack give some. */
import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { Parameters } from "../../../agent-config/agent-config.ts";

export type SamplingOptions = Pick<
  LanguageModelV4CallOptions,
  | "maxOutputTokens"
  | "temperature"
  | "topP"
  | "topK"
  | "frequencyPenalty"
  | "presencePenalty"
  | "seed"
  | "stopSequences"
>;

/** The sampling parameters of a call: those of the AgentRuntime over those of the pack. */
export function samplingOptions(ofPack: Parameters, ofProvider: Parameters): SamplingOptions {
  const { maxTokens, ...others } = { ...ofPack, ...ofProvider };
  // The parameters were read from JSON, so a field that is not set is absent and not undefined.
  const sampling = others as SamplingOptions;
  return maxTokens === undefined ? sampling : { ...sampling, maxOutputTokens: maxTokens };
}
