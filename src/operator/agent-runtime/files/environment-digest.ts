import type { EnvVar } from "../../../api/fields/core.ts";
import { digestText } from "./digest-text.ts";

/** Of the value under a key; `undefined` when there is none. */
export type ValueDigest = (
  kind: "Secret" | "ConfigMap",
  name: string,
  key: string,
) => string | undefined;

/**
 * Of what the variables are taken from, for a container cannot take another environment while it runs: a pod template with another
 * digest means new pods. `undefined`: nothing is taken from elsewhere, or none of it was ever there.
 * What was there and is gone counts as what it was, optional or not: the loss of a reference ends no replica.
 */
export function environmentDigest(
  environment: readonly EnvVar[],
  previous: string | undefined,
  digestOf: ValueDigest,
): string | undefined {
  const parts = environment.flatMap(({ name, valueFrom }) => {
    const { secretKeyRef, configMapKeyRef } = valueFrom ?? {};
    if (secretKeyRef !== undefined) {
      const { name: secret, key } = secretKeyRef;
      return [[name, digestOf("Secret", secret, key)] as const];
    }
    if (configMapKeyRef !== undefined) {
      const { name: configMap, key } = configMapKeyRef;
      return [[name, digestOf("ConfigMap", configMap, key)] as const];
    }
    return [];
  });
  const digest = digestText(previous, parts);
  return digest === "" ? undefined : digest;
}
