import type { KeySelector } from "../../api/fields/pod-fields.ts";
import { listNames } from "../object-name.ts";
import type { SecretReference } from "./references.ts";

export interface SecretProblem {
  readonly reason: "SecretNotFound" | "SecretKeyMissing";
  readonly message: string;
}

/** Finds why a Secret does not give a key; `undefined` when it does. */
export function judgeSecretKey(
  { name, key }: KeySelector,
  reference: SecretReference | undefined,
): SecretProblem | undefined {
  if (reference === undefined || !reference.found) {
    const hint = reference?.hint === undefined ? "" : `, or ${reference.hint}`;
    const message = `Secret "${name}" is not there; make it, with the key "${key}"${hint}`;
    return { reason: "SecretNotFound", message };
  }
  if (reference.source === "environment" || reference.keys.includes(key)) return undefined;
  const has = reference.keys.length === 0 ? "it is empty" : `it has ${listNames(reference.keys)}`;
  const message = `Secret "${name}" has nothing under the key "${key}"; ${has}. Add the key, or name another`;
  return { reason: "SecretKeyMissing", message };
}

export interface CredentialProblem {
  readonly reason: "InvalidKey";
  readonly message: string;
}

/** Finds why a Secret does not give a credential that can be sent; `undefined` when it does. */
export function judgeCredential(
  selector: KeySelector,
  reference: SecretReference | undefined,
): SecretProblem | CredentialProblem | undefined {
  const problem = judgeSecretKey(selector, reference);
  if (problem !== undefined || reference?.found !== true) return problem;
  const { unfitValues = {} } = reference;
  if (!Object.hasOwn(unfitValues, selector.key)) return undefined;
  const source = describeSecretKey(selector, reference);
  const place = reference.source === "environment" ? `into ${reference.name}` : "into the Secret";
  const message = `The key from ${source} cannot be sent: ${unfitValues[selector.key]}. Write the key alone ${place}, on one line, without blanks`;
  return { reason: "InvalidKey", message };
}

/** Says where a value comes from, for the message of a condition that holds. */
export function describeSecretKey(
  { name, key }: KeySelector,
  reference: SecretReference | undefined,
): string {
  return reference?.found === true && reference.source === "environment"
    ? `the environment variable ${reference.name}, which stands in for Secret "${name}"`
    : `Secret "${name}", key "${key}"`;
}
