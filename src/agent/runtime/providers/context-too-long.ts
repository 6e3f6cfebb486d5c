/**
 * Whether a refusal says that the conversation is longer than the model takes, and what it says of how long that is. Providers
 * have no common code for it, so that it is read from what they say: the message of the error and the body of the answer, as one
 * text. Servers have these words: OpenAI, Azure, Anthropic, Gemini, Vertex, Bedrock, llama.cpp, llama-cpp-python, Ollama, LM Studio,
 * vLLM, SGLang, TGI, TensorRT-LLM, MLC, TabbyAPI, Mistral, LiteLLM, OpenRouter, Groq, Cerebras, xAI, Cohere, DeepSeek, Moonshot, Qwen,
 * Z.ai, Doubao, ERNIE, Hunyuan, GitHub Models.
 */

/** What a server said when it refused a conversation, as far as it said it. */
export interface ContextRefusal {
  /** The tokens that the model takes at most; some servers count the answer among them. */
  contextTokens?: number | undefined;
  /** The tokens of the prompt that was refused. */
  promptTokens?: number | undefined;
}

/**
 * Statuses of 500 and more are for failures that pass, so that the words have to be plainer there. 413 says by itself that a
 * request is too large.
 */
export function saysContextTooLong(said: string, status: number): boolean {
  if (status === 413) return true;
  if (ABOUT_THE_ANSWER.test(said)) return false;
  if (CODES.test(said)) return true;
  return status < 500 ? WORDS.some((words) => words.test(said)) : PLAIN_WORDS.test(said);
}

const CODES =
  /context_length_exceeded|exceed_context_size|context_?window_?exceeded|max_prompt_tokens_exceeded|tokens_limit_reached|(prompt|input)_too_long|string_above_max_length/i;

const WORDS: readonly RegExp[] = [
  /\bcontext[ _-]?(length|window|size|limit)\b/i,
  /\b(prompt|input|request|request body|conversation|messages?) (is |are )?too (long|large)\b/i,
  /too many (input |prompt )?tokens/i,
  /token count\b.{0,80}\b(exceeds?|only supports)\b/i,
  /\bmaximum (input|prompt|sequence|model) length\b/i,
  /\bmax_model_len\b/,
  /must have less than \d+ tokens|`inputs` tokens \+ `max_new_tokens`/i,
  /reduce the (length|size) of (the |your )?(messages?|prompt|inputs?|request)/i,
  /exceed(s|ed)? (the )?(model('s)? )?(token limit|max(imum)? (input |prompt )?length)/i,
  /range of input length should be/i,
  /\b(prompt|input|query) (length|tokens?)\b.{0,60}?\b(exceeds?|exceeded|not exceed|(larger|longer|greater|more) than)\b/i,
  /\b(prompt|input)\b.{0,40}?\btokens\b.{0,30}?\b(larger|longer|greater|more) than\b/i,
  /exceed(s|ed)? (the )?max(imum)? ((input|prompt|message) )?tokens/i,
  /\bmax_(seq|input)_len\b/,
  // Chinese: too long; longer than the length that is supported; the input is too long.
  /超长|超过?(了)?.{0,20}(上下文|长度|输入)|(上下文|输入|内容).{0,20}(过长|超出|超过)/,
  /\bmaximum (?!.*\b(output|completion|new)\b).*tokens/i,
];

const PLAIN_WORDS =
  /exceed.{0,40}\bcontext[ _-]?(length|window|size|limit)\b|\bcontext[ _-]?(length|window|size|limit)\b.{0,20}\bexceed|\bmaximum context length is \d|\bprompt is too long\b|\binput is too long\b/i;

/** The request asks for a longer answer than the model gives, whatever the conversation is. */
const ABOUT_THE_ANSWER =
  /maximum value for `?max_\w*tokens|maximum (allowed )?number of output tokens|at most \d+ (output|completion) tokens/i;

export function contextRefusalIn(said: string): ContextRefusal {
  for (const pattern of PROMPT_AND_CONTEXT) {
    const { prompt, context } = pattern.exec(said)?.groups ?? {};
    if (context !== undefined) {
      return { contextTokens: numberOf(context), promptTokens: numberOf(prompt) };
    }
  }
  return { contextTokens: firstOf(CONTEXT, said), promptTokens: firstOf(PROMPT, said) };
}

const PROMPT_AND_CONTEXT: readonly RegExp[] = [
  /exceed context limit: (?<prompt>\d+) \+ \d+ > (?<context>\d+)/i,
  /prompt is too long: (?<prompt>\d+) tokens > (?<context>\d+)/i,
  /token count \(?(?<prompt>\d+)\)? exceeds the maximum number of tokens allowed \(?(?<context>\d+)/i,
  /token count (is|of) (?<prompt>\d+) (but model only supports up to|exceeds the limit of) (?<context>\d+)/i,
  /must have less than (?<context>\d+) tokens\. Given: (?<prompt>\d+)/i,
  /must be <= (?<context>\d+)\. Given: (?<prompt>\d+) `inputs`/i,
  /current length is (?<prompt>\d+) while limit is (?<context>\d+)/i,
];

const CONTEXT: readonly RegExp[] = [
  /"n_ctx"\s*:\s*(\d+)/,
  /(\d+) maximum context length/i,
  /\bcontext (?:length|window|size|limit)(?: limit)?(?: of| is|:)?(?: only)? ?\(?(\d+)/i,
  /\bmaximum (?:input|prompt|sequence|model) length(?: of| is|:)?(?: only)? \(?(\d+)/i,
  /token limit: (\d+)/i,
  /\b(?:input length limit|max_seq_len|max_num_tokens|max_input_len|exceeds the limit)\b(?: of| is|:)? ?\(?(\d+)/i,
  /tokens? in the prompt cannot exceed (\d+)/i,
];

const PROMPT: readonly RegExp[] = [
  /"n_prompt_tokens"\s*:\s*(\d+)/,
  /\brequest \((\d+) tokens\)/i,
  /messages resulted in (\d+) tokens/i,
  /\((\d+) (?:in (?:the |your )?(?:messages|prompt|input)|of text input)/i,
  /requested (\d+) tokens in the messages/i,
  /\b(\d+) input tokens/i,
  /prompt (?:contains|has) (\d+) tokens/i,
  /\bprompt length \(?(\d+)/i,
  /request contains (\d+)/i,
  /requested tokens \((\d+)\)/i,
  /\binput \((\d+) tokens\)/i,
  /prompt \(length (\d+)\)/i,
];

function firstOf(patterns: readonly RegExp[], said: string): number | undefined {
  for (const pattern of patterns) {
    const found = pattern.exec(said)?.[1];
    if (found !== undefined) return numberOf(found);
  }
  return undefined;
}

/** Ten million tokens are more than any model takes. */
const MAX_TOKENS = 10_000_000;

function numberOf(digits: string | undefined): number | undefined {
  const number = Number(digits);
  return Number.isInteger(number) && number > 0 && number <= MAX_TOKENS ? number : undefined;
}
