/** A model of a server that speaks OpenAI's chat completions and is not OpenAI. */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV4, LanguageModelV4Prompt, SharedV4Warning } from "@ai-sdk/provider";
import { isOpenAIReasoningModel } from "../../../agent-config/openai-reasoning-model.ts";
import { returnedFieldsExtractor } from "./stream/returned-fields.ts";

export function createCompatibleModel(
  modelId: string,
  settings: { baseURL: string; apiKey: string; fetch: typeof fetch },
): Pick<LanguageModelV4, "doStream"> {
  const model = createOpenAICompatible({
    ...settings,
    // The metadata of calls come and go under this name.
    name: "openai",
    includeUsage: true,
    metadataExtractor: returnedFieldsExtractor,
    transformRequestBody: withoutUntaken,
  }).chatModel(modelId);
  return {
    doStream: (options) => model.doStream({ ...options, prompt: withErrorsNamed(options.prompt) }),
  };
}

/** The sampling parameters that OpenAI's reasoning models refuse, by their names on the wire. A proxy may lead to one. */
const UNTAKEN = {
  temperature: "temperature",
  top_p: "topP",
  frequency_penalty: "frequencyPenalty",
  presence_penalty: "presencePenalty",
} as const;

/** Leaves out what the model does not take, as OpenAI's own package does. */
function withoutUntaken(
  body: Record<string, unknown>,
  warnings: SharedV4Warning[] = [],
): Record<string, unknown> {
  if (!isOpenAIReasoningModel(String(body["model"]))) return body;
  const taken = { ...body };
  for (const [field, feature] of Object.entries(UNTAKEN)) {
    if (taken[field] !== undefined) warnings.push({ type: "unsupported", feature });
    delete taken[field];
  }
  return taken;
}

/** The package would write the error of a tool as if it were its result. */
function withErrorsNamed(prompt: LanguageModelV4Prompt): LanguageModelV4Prompt {
  return prompt.map((message) =>
    message.role !== "tool"
      ? message
      : {
          ...message,
          content: message.content.map((part) =>
            part.type === "tool-result" && part.output.type === "error-text"
              ? { ...part, output: { type: "json", value: { error: part.output.value } } }
              : part,
          ),
        },
  );
}
