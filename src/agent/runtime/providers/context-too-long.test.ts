import { describe, expect, it } from "vitest";
import { contextRefusalIn, saysContextTooLong } from "./context-too-long.ts";

/** What servers answer, with the tokens that the model takes and those of the prompt, where they say them. */
const REFUSALS: readonly [
  server: string,
  status: number,
  said: string,
  contextTokens?: number | undefined,
  promptTokens?: number,
][] = [
  [
    "OpenAI",
    400,
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 12000 tokens. Please reduce the length of the messages.",
    8192,
    12000,
  ],
  [
    "OpenAI, of old",
    400,
    "This model's maximum context length is 4097 tokens. However, you requested 5500 tokens (5000 in the messages, 500 in the completion).",
    4097,
    5000,
  ],
  [
    "OpenAI Responses",
    400,
    '{"error":{"message":"Your input exceeds the context window of this model. Please adjust your input and try again.","code":"context_length_exceeded"}}',
  ],
  ["Azure", 400, '{"error":{"code":"context_length_exceeded","message":"…"}}'],
  ["Anthropic", 400, "prompt is too long: 210000 tokens > 200000 maximum", 200000, 210000],
  [
    "Anthropic, with the answer",
    400,
    "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or `max_tokens` and try again",
    200000,
    190000,
  ],
  [
    "Gemini",
    400,
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    1048576,
    1200000,
  ],
  [
    "Gemini, without brackets",
    400,
    "The input token count exceeds the maximum number of tokens allowed 1048576.",
  ],
  [
    "Vertex",
    400,
    "Unable to submit request because the input token count is 33000 but model only supports up to 32768. Reduce the input token count and try again.",
    32768,
    33000,
  ],
  ["Bedrock", 400, "Input is too long for requested model."],
  [
    "llama.cpp",
    400,
    '{"error":{"code":400,"message":"request (12021 tokens) exceeds the available context size (8192 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":12021,"n_ctx":8192}}',
    8192,
    12021,
  ],
  [
    "llama.cpp, of old",
    500,
    "the request exceeds the available context size. try increasing the context size or enable context shift",
  ],
  ["llama-cpp-python", 400, "Requested tokens (3000) exceed context window of 2048", 2048, 3000],
  ["Ollama", 400, "the input length exceeds the context length"],
  ["Ollama, of another version", 500, "input length exceeds maximum context length"],
  ["Ollama, new", 400, "prompt too long; exceeded max context length by 5 tokens"],
  [
    "LM Studio",
    400,
    "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.",
    4096,
  ],
  [
    "vLLM",
    400,
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens in the messages, Please reduce the length of the messages.",
    4096,
    5000,
  ],
  [
    "vLLM, new",
    400,
    "You passed 4097 input tokens and requested 0 output tokens. However, the model's context length is only 4096 tokens, resulting in a maximum input length of 4096 tokens. Please reduce the length of the input prompt.",
    4096,
    4097,
  ],
  [
    "vLLM, of an engine",
    500,
    "The decoder prompt (length 5000) exceeds the context length. Make sure that `max_model_len` is no smaller than the number of text tokens.",
    undefined,
    5000,
  ],
  [
    "vLLM, of a longer prompt",
    400,
    "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
    4096,
    5000,
  ],
  [
    "SGLang",
    400,
    "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
    4096,
    5000,
  ],
  [
    "TGI",
    422,
    '{"error":"Input validation error: `inputs` must have less than 1024 tokens. Given: 2000","error_type":"validation"}',
    1024,
    2000,
  ],
  [
    "TGI, with the answer",
    422,
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 3000 `inputs` tokens and 20 `max_new_tokens`",
    2048,
    3000,
  ],
  [
    "Mistral",
    400,
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    32768,
    40000,
  ],
  [
    "LiteLLM",
    400,
    "litellm.ContextWindowExceededError: litellm.BadRequestError: ContextWindowExceededError: OpenAIException - request (16021 tokens) exceeds the available context size (8192 tokens), try increasing it",
    8192,
    16021,
  ],
  [
    "OpenRouter",
    400,
    "This endpoint's maximum context length is 32768 tokens. However, you requested about 40000 tokens (36000 of text input, 4000 in the output).",
    32768,
    36000,
  ],
  ["Groq", 400, "Please reduce the length of the messages or completion."],
  ["Groq, of the whole request", 413, "Request too large for model `llama`"],
  [
    "Cerebras",
    400,
    "Please reduce the length of the messages or completion. Current length is 8290 while limit is 8192",
    8192,
    8290,
  ],
  [
    "xAI",
    400,
    "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    131072,
    537812,
  ],
  ["Cohere", 400, "too many tokens: total number of tokens in the prompt cannot exceed 4081", 4081],
  ["Moonshot", 400, "Your request exceeded model token limit: 8192", 8192],
  ["Z.ai", 400, "Prompt exceeds max length"],
  ["Qwen", 400, "Range of input length should be [1, 30720]"],
  [
    "GitHub Models",
    413,
    '{"error":{"code":"tokens_limit_reached","message":"Request body too large for gpt-4o model. Max size: 8000 tokens."}}',
  ],
  [
    "GitHub Copilot",
    400,
    '{"error":{"code":"model_max_prompt_tokens_exceeded","message":"prompt token count of 72529 exceeds the limit of 64000"}}',
    64000,
    72529,
  ],
  ["Z.ai, in Chinese", 400, '{"error":{"code":"1261","message":"Prompt 超长"}}'],
  ["a server in Chinese", 400, "输入内容过长，超过模型最大上下文长度"],
  ["Doubao", 400, "Total tokens of image and text exceed max message tokens."],
  ["ERNIE", 400, "the length of input tokens exceeds the limit 5120", 5120],
  ["Hunyuan", 400, "input tokens exceed max limit"],
  [
    "TensorRT-LLM",
    400,
    "The sum of prompt length (5000) and query length should not exceed max_num_tokens (4096)",
    4096,
    5000,
  ],
  [
    "MLC",
    400,
    "Request prompt has 5000 tokens in total, larger than the model input length limit 4096.",
    4096,
    5000,
  ],
  ["TabbyAPI", 400, "Prompt length 5000 is greater than max_seq_len 4096", 4096, 5000],
  [
    "Cloudflare",
    400,
    "AiError: The estimated number of input and maximum output tokens (9000) exceeded this model context window limit (8192).",
    8192,
  ],
  ["a proxy", 413, "<html>413 Request Entity Too Large</html>"],
];

describe("a conversation that is too long", () => {
  it.each(REFUSALS)(
    "is known by what %s says with HTTP %i, and so is the limit where it is said",
    (_server, status, said, contextTokens, promptTokens) => {
      expect(saysContextTooLong(said, status)).toBe(true);
      expect(contextRefusalIn(said)).toEqual({ contextTokens, promptTokens });
    },
  );

  it.each<[string, number, string]>([
    ["a value", 400, "temperature must be between 0 and 2"],
    [
      "an unknown field",
      400,
      "Unsupported parameter: 'max_tokens' is not supported with this model.",
    ],
    [
      "the length of the answer (Anthropic)",
      400,
      "max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens for claude",
    ],
    [
      "the length of the answer (OpenAI)",
      400,
      "max_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you provided 100000.",
    ],
    [
      "the length of the answer (Groq)",
      400,
      "`max_tokens` must be less than or equal to `32768`, the maximum value for `max_tokens` is less than the `context_window` for this model",
    ],
    ["another limit", 400, "the input timeout of the request is greater than the maximum"],
    ["a value in Chinese", 400, "参数 max_tokens 长度不合法，必须大于 0"],
    ["a failure that passes", 500, "Internal error while the context window was allocated"],
    ["an overloaded server", 503, "too many tokens in flight"],
  ])("is not what a refusal of %s means", (_what, status, said) => {
    expect(saysContextTooLong(said, status)).toBe(false);
  });

  it("is at most as long as any model could take, whatever a server says", () => {
    expect(contextRefusalIn('{"n_ctx":99999999999999999999,"n_prompt_tokens":0}')).toEqual({
      contextTokens: undefined,
      promptTokens: undefined,
    });
  });
});
