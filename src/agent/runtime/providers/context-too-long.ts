/**
 * Whether a refusal says that the conversation is longer than the model takes. Providers have no common code for it, so that
 * it is read from what they say: the message of the error and the body of the answer, as one text.
 */
export function saysContextTooLong(said: string): boolean {
  return CONTEXT_TOO_LONG.test(said);
}

const CONTEXT_TOO_LONG =
  /context_length_exceeded|context (length|window)|(prompt|input|request) is too (long|large)|token count .*exceeds|maximum .*tokens/i;
