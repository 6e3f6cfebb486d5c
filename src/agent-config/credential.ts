/**
 * Which texts can be sent as a credential. The control plane judges the values of Secrets by it, and the agent the files that it
 * reads. The blanks and line breaks around a text do not count: nobody means them. No answer repeats the text.
 */

/** Why a text can be no API key of a model provider: it is sent in a header, and no key has a blank. */
export function apiKeyProblem(text: string): string | undefined {
  const value = text.trim();
  return headerValueProblem(value) ?? (/[\t ]/.test(value) ? "it holds a blank" : undefined);
}

/** Why no HTTP header can have this text as its value. */
export function headerValueProblem(text: string): string | undefined {
  const value = text.trim();
  if (/[\r\n]/.test(value))
    return `it holds a line break (${value.split(/\r\n?|\n/).length} lines)`;
  // oxlint-disable-next-line no-control-regex -- these are the characters that are looked for
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(value)) return "it holds a control character";
  if (/[^\t -~]/.test(value)) return "it holds a character that is not of ASCII";
  return undefined;
}
