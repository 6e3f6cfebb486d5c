/** The limits of what it takes to know a client. */
export const MAX_TOKEN_CHARACTERS = 16 * 1024;
export const MAX_API_KEYS = 1_000;
export const MAX_API_KEY_BYTES = 64 * 1024;
/** How long an issuer of tokens may take to answer with its discovery document, or with its keys. */
export const ISSUER_TIMEOUT_MS = 5_000;
/** Bytes of either answer. */
export const MAX_ISSUER_ANSWER_BYTES = 256 * 1024;
export const MAX_ISSUER_KEYS = 100;
/** Keys are fetched again after this long, and also when a token names an unknown one, which may be new. */
export const ISSUER_KEYS_AGE_MS = 10 * 60_000;
/** The pause before an issuer is asked again that did not answer well. */
export const ISSUER_RETRY_MS = 1_000;
/** How often keys are fetched because a token names an unknown one: invented keys must not keep the issuer busy. */
export const UNKNOWN_KEY_RATE = { perSecond: 0.1, burst: 5 };
