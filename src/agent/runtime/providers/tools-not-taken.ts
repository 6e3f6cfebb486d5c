/**
 * Whether a refusal says that the model, or its server as it was started, cannot call tools. `said` is the message of the error and the
 * body of the answer, as one text.
 */
export function saysToolsNotTaken(said: string): boolean {
  return TOOLS_NOT_TAKEN.some((pattern) => pattern.test(said));
}

/** Servers have these words: Ollama, OpenRouter, Groq, vLLM, llama.cpp, Bedrock, DeepSeek, Together, Azure. */
const TOOLS_NOT_TAKEN = [
  /\b(does not|doesn't|do not|don't|not) support (the )?(use of )?["'`]?(tools?|tool[ _-](use|calls?|calling|choice)|functions?|function[ _-]call(s|ing)?)\b/i,
  /\b(tools?|tool[ _-](use|calls?|calling)|functions?|function[ _-]call(s|ing)?)["'`]? (is|are) (not|un)( |-)?supported\b/i,
  /\bendpoints? found that support (the )?tool/i,
  /\btool choice requires\b|--enable-auto-tool-choice/i,
  /\btools? (param(eter)? )?requires? --jinja\b/i,
];
