/** What the other resources of the files tell a migration. */
import type { YAMLMap } from "yaml";

export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

export interface ProviderObject extends ObjectKey {
  /** Is copied into each AgentRuntime that uses the Provider. */
  readonly spec: YAMLMap;
}

export interface MigrationWorld {
  /** Finds a Provider, and remembers who uses it. */
  provider(key: ObjectKey, usedBy: string): ProviderObject | undefined;
  /** The name of the PromptPack object that has this name or `packName`, the version that is asked for or else the highest one. */
  promptPack(key: ObjectKey, version: string | undefined): string;
  /** The keys of a Secret or ConfigMap; `undefined` when it is not among the files. */
  keysOf(kind: "Secret" | "ConfigMap", key: ObjectKey): readonly string[] | undefined;
}

/** The key that is meant of an object: the first of `wanted` that it has, or its only one. Where it is not known, the first. */
export function likelyKey(
  wanted: readonly [string, ...string[]],
  keys: readonly string[] | undefined,
): string {
  const known = wanted.find((key) => keys?.includes(key));
  const [only] = keys?.length === 1 ? keys : [];
  return known ?? only ?? wanted[0];
}
