/**
 * What people leave in an example until they have the real thing: it is no value, so that the environment may give one,
 * and else the status says that it is missing.
 */
const PLACEHOLDER =
  /^(<.*>|\.{3}|…|x{3,}|(sk-)?(\.{3}|…)|(change|replace)[-_ ]?(me|this)|(sk-)?your[-_ ].*(key|token|secret|here))$/i;

/** Whether a Secret holds something under a key: neither nothing nor what an example has there. */
export function isSecretValue(text: string): boolean {
  const value = text.trim();
  return value !== "" && !PLACEHOLDER.test(value);
}
