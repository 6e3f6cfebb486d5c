/**
 * Matches what an example has in place of a secret. It counts as no value: the environment may give the value then, and else
 * the status says that it is missing.
 */
const PLACEHOLDER =
  /^(<.*>|\.{3}|…|x{3,}|(sk-)?(\.{3}|…)|(change|replace)[-_ ]?(me|this)|(sk-)?your[-_ ].*(key|token|secret|here))$/i;

/** Whether the text under a key of a Secret is a value, and not empty or left from an example. */
export function isSecretValue(text: string): boolean {
  const value = text.trim();
  return value !== "" && !PLACEHOLDER.test(value);
}
