import type { KubernetesObject, ResourceType } from "../client/object.ts";
import type { Cache } from "./cache.ts";
import { Reflector, type ReflectorOptions } from "./reflector.ts";

type Shared = Pick<ReflectorOptions<KubernetesObject>, "client" | "clock" | "random">;

export interface NamespacesOptions extends Shared {
  /** Empty: all namespaces. */
  readonly namespaces: readonly string[];
  readonly onError: (type: ResourceType, error: unknown) => void;
}

/** Answers what makes the reflectors that fill a cache with a kind: one for all namespaces, or one for each that is named. */
export function reflectNamespaces({
  client,
  namespaces,
  clock,
  random,
  onError,
}: NamespacesOptions) {
  const scopes = namespaces.length === 0 ? [undefined] : namespaces;
  return <T extends KubernetesObject>(
    type: ResourceType,
    cache: Cache<T>,
    what: Pick<
      ReflectorOptions<T>,
      "labelSelector" | "fieldSelector" | "metadataOnly" | "transform"
    > = {},
  ): Reflector<T>[] =>
    scopes.map(
      (namespace) =>
        new Reflector<T>({
          client,
          type,
          cache,
          namespace,
          ...what,
          clock,
          random,
          onError: (error) => onError(type, error),
        }),
    );
}
