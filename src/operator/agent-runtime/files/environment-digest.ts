import type { EnvVar } from "../../../api/fields/pod-fields.ts";
import { digestText } from "./digest-text.ts";

/** A digest of the value under a key, `undefined` when there is none. */
export type ValueDigest = (
  kind: "Secret" | "ConfigMap",
  name: string,
  key: string,
) => string | undefined;

/**
 * A digest of the values that environment variables are taken from. The environment of a container cannot change while it runs, so
 * another digest in the pod template leads to new pods. A value that is gone counts as the one that was there last, optional or
 * not, so that a lost reference ends no replica. `undefined`: no variable is taken from elsewhere, or none of the values ever existed.
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
