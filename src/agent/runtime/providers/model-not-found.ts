/**
 * Whether a refusal with 400 or the like says that the server does not know the model: many do not answer 404. `said` is the
 * message of the error and the body of the answer, as one text.
 */
export function saysModelNotFound(said: string): boolean {
  return MODEL_NOT_FOUND.some((pattern) => pattern.test(said));
}

const MODEL_NOT_FOUND = [
  /\b(model|deployment)_?not_?(found|exist)/i,
  /\bmodel_(decommissioned|deprecated)\b/i,
  /\b(invalid|unknown|unrecogni[sz]ed|no such) model\b(?! (parameter|response|output))/i,
  /\bnot a valid model\b/i,
  // Some characters of a name may stand between the words.
  /\bmodels?\b[^,;{}]{0,160}?\b(was not found|is not found|not found|does not exist|doesn't exist|not exist|is not available)\b/i,
];
