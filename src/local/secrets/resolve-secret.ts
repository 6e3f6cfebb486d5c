/** Resolves Secrets on one machine: from the files, and from the environment of `omnia up` where no file gives one. */
import type { ProviderName } from "../../agent-config/agent-config.ts";
import { secretKeys, secretValue, type Secret } from "../../api/fields/core-objects.ts";
import { isSecretValue } from "../../control/is-secret-value.ts";
import type { SecretReference } from "../../control/agent-runtime/references.ts";

/** The environment variables that may give a provider's key. */
export const PROVIDER_VARIABLES: Readonly<Record<ProviderName, string>> = {
  openai: "OPENAI_API_KEY",
  anthropic: "ANTHROPIC_API_KEY",
  google: "GOOGLE_GENERATIVE_AI_API_KEY",
};
/** The environment variable that may give a session store's URL. */
export const STORE_VARIABLE = "REDIS_URL";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ResolvedSecret {
  readonly reference: SecretReference;
  /** Key → value. Keys with an empty value are left out. */
  readonly values: ReadonlyMap<string, string>;
}

/**
 * `standIn` is the variable that may give the value of a Secret with one key. A file comes first, so that a variable that happens
 * to be set does not change what a manifest says.
 */
export function resolveSecret(
  secret: Secret | undefined,
  environment: Environment,
  standIn?: { variable: string; key: string },
): ResolvedSecret {
  const values = secret === undefined ? new Map<string, string>() : valuesOf(secret);
  if (standIn !== undefined && !values.has(standIn.key)) {
    const value = environment[standIn.variable]?.trim();
    if (value !== undefined && value !== "") {
      values.set(standIn.key, value);
      return {
        values,
        reference: {
          found: true,
          keys: [...values.keys()],
          source: "environment",
          name: standIn.variable,
        },
      };
    }
  }
  if (secret === undefined) {
    return {
      values,
      reference: { found: false, hint: standIn && `set ${standIn.variable}` },
    };
  }
  return {
    values,
    reference: {
      found: true,
      keys: [...values.keys()],
      source: "secret",
      name: secret.metadata.name,
    },
  };
}

function valuesOf(secret: Secret): Map<string, string> {
  const entries = secretKeys(secret).map((key): [string, string] => [
    key,
    secretValue(secret, key)?.toString("utf8") ?? "",
  ]);
  return new Map(entries.filter(([, value]) => isSecretValue(value)));
}
