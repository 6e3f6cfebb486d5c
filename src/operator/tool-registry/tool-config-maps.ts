import type { ConfigMapData, ConfigMaps } from "../../control/tool-registry/descriptor-sets.ts";
import {
  CONFIG_MAPS,
  type ConfigMapObject,
  type StoredToolRegistry,
} from "../cluster/kubernetes-objects.ts";
import { ObjectReader } from "../cluster/object-reader.ts";
import type { OperatorContext } from "../cluster/operator-context.ts";
import { toolConfigMapsOf } from "../cluster/references-of.ts";

/** Reads the ConfigMaps that have descriptors of tools, once for each version. */
export class ToolConfigMaps {
  readonly #reader: ObjectReader<ConfigMapObject, ConfigMapData>;

  constructor({ client, caches }: Pick<OperatorContext, "client" | "caches">) {
    this.#reader = new ObjectReader<ConfigMapObject, ConfigMapData>({
      client,
      type: CONFIG_MAPS,
      cache: caches.configMaps,
      toFacts: ({ data, binaryData }) => ({ data, binaryData }),
    });
  }

  /** Those that the registry names, by name, without those that are not there. Rejects when one could not be read. */
  async of(registry: StoredToolRegistry, signal: AbortSignal): Promise<ConfigMaps> {
    const found = new Map<string, ConfigMapData>();
    for (const key of toolConfigMapsOf(registry)) {
      const configMap = await this.#reader.facts(key, signal);
      if (configMap !== undefined) found.set(key.slice(key.indexOf("/") + 1), configMap);
    }
    return found;
  }
}
