/**
 * Whether the name is that of a model of OpenAI that reasons before it answers: o1 and its followers, and GPT-5 and later except for
 * the chat models of a whole version. Such a model takes other parameters than the others. The name of a deployment says nothing.
 */
export function isOpenAIReasoningModel(model: string): boolean {
  if (/^o\d+(?:-|$)/.test(model)) return true;
  const [, major = "0", minor, variant = ""] =
    /^gpt-(\d+)(?:\.(\d+))?(?:-(.+))?$/.exec(model) ?? [];
  return Number(major) >= 5 && !(minor === undefined && variant.startsWith("chat"));
}
