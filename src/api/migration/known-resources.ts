import { isMap, type YAMLMap } from "yaml";
import { DEFAULT_NAMESPACE } from "../fields/names.ts";
import { API_VERSION, PROMPT_PACK } from "../group.ts";
import { PROVIDER } from "../upstream/upstream-kinds.ts";
import { type ManifestPart, resourcesOf } from "./manifest-parts.ts";
import type { MigrationWorld, ObjectKey, ProviderObject } from "./world.ts";

/** Finds the resources of some files by kind, namespace and name. */
export class KnownResources implements MigrationWorld {
  readonly #resources = new Map<string, YAMLMap>();
  readonly #packs: YAMLMap[] = [];
  readonly #users = new Map<string, string[]>();

  constructor(parts: readonly ManifestPart[]) {
    for (const { map } of parts.flatMap(resourcesOf)) {
      const kind = textOf(map, "kind");
      const name = textOf(map, "metadata", "name");
      if (kind === undefined || name === undefined) continue;
      const key = resourceKey(kind, { namespace: namespaceOf(map), name });
      // The translation changes the resources. What they say is asked of the copies.
      if (!this.#resources.has(key)) this.#resources.set(key, map.clone() as YAMLMap);
      if (kind === PROMPT_PACK && textOf(map, "apiVersion") === API_VERSION) {
        this.#packs.push(map.clone() as YAMLMap);
      }
    }
  }

  provider({ namespace, name }: ObjectKey, usedBy: string): ProviderObject | undefined {
    const found = this.#resources.get(resourceKey(PROVIDER, { namespace, name }));
    const spec: unknown = found?.get("spec", true);
    if (!isMap(spec)) return undefined;
    const key = `${namespace}/${name}`;
    this.#users.set(key, [...new Set([...(this.#users.get(key) ?? []), usedBy])]);
    return { namespace, name, spec };
  }

  /** The AgentRuntimes that have taken the Provider. */
  usersOf({ namespace, name }: ObjectKey): readonly string[] {
    return this.#users.get(`${namespace}/${name}`) ?? [];
  }

  promptPack({ namespace, name }: ObjectKey, version: string | undefined): string {
    if (this.#resources.has(resourceKey(PROMPT_PACK, { namespace, name }))) return name;
    const named = this.#packs.filter(
      (pack) => namespaceOf(pack) === namespace && textOf(pack, "spec", "packName") === name,
    );
    const asked = named.find((pack) => textOf(pack, "spec", "version") === version);
    const highest = named.toSorted((a, b) =>
      compareVersions(textOf(b, "spec", "version"), textOf(a, "spec", "version")),
    )[0];
    const chosen = (version === undefined ? undefined : asked) ?? highest;
    return chosen === undefined ? name : (textOf(chosen, "metadata", "name") ?? name);
  }

  keysOf(kind: "Secret" | "ConfigMap", key: ObjectKey): readonly string[] | undefined {
    const found = this.#resources.get(resourceKey(kind, key));
    if (found === undefined) return undefined;
    return ["data", "stringData"].flatMap((field) => {
      const values: unknown = found.get(field, true);
      return isMap(values) ? Object.keys(values.toJSON() as object) : [];
    });
  }
}

function resourceKey(kind: string, { namespace, name }: ObjectKey): string {
  return `${kind}/${namespace}/${name}`;
}

function namespaceOf(map: YAMLMap): string {
  return textOf(map, "metadata", "namespace") ?? DEFAULT_NAMESPACE;
}

function textOf(map: YAMLMap, ...path: string[]): string | undefined {
  const value: unknown = map.getIn(path);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** By numbers, as far as there are some: 1.10.0 comes after 1.9.0. */
function compareVersions(a = "", b = ""): number {
  return a.localeCompare(b, "en", { numeric: true });
}
