import { CONFIG_MAPS, type ConfigMapObject } from "./kubernetes-objects.ts";
import { digestOfValue, ObjectReader } from "./object-reader.ts";
import type { OperatorContext } from "./operator-context.ts";

/** Key of the ConfigMap → a digest of the value. */
export type ConfigMapDigests = ReadonlyMap<string, string>;
export type ConfigMapReader = Pick<ObjectReader<ConfigMapObject, ConfigMapDigests>, "facts">;

/** Reads the ConfigMaps that agents take environment variables from. */
export function createConfigMapReader({
  client,
  caches,
}: Pick<OperatorContext, "client" | "caches">): ConfigMapReader {
  return new ObjectReader<ConfigMapObject, ConfigMapDigests>({
    client,
    type: CONFIG_MAPS,
    cache: caches.configMaps,
    toFacts: ({ metadata, data = {} }) =>
      new Map(
        Object.entries(data).map(([key, value]) => [key, digestOfValue(metadata.uid ?? "", value)]),
      ),
  });
}
