import type { FieldPath } from "../../api/fields/problems.ts";
import { secretKeys, secretValue } from "../../api/fields/core-objects.ts";
import { type KeySelector } from "../../api/fields/pod-fields.ts";
import type { Kind } from "../../api/kinds.ts";
import { type ManifestResource, resourceKey } from "../../api/manifest/manifest.ts";
import { resolveSecret } from "../../local/secrets/resolve-secret.ts";
import type { Findings } from "./findings.ts";

export type ResourceOf<K extends Kind> = Extract<ManifestResource, { kind: K }>;

/** Finds the resources of some files by name. A lookup that fails reports a finding at the place of the reference. */
export class ReferenceLookup {
  readonly #byName = new Map<string, ManifestResource>();
  readonly #findings: Findings;

  constructor(resources: readonly ManifestResource[], findings: Findings) {
    this.#findings = findings;
    for (const resource of resources) {
      const key = resourceKey(resource);
      if (!this.#byName.has(key)) this.#byName.set(key, resource);
    }
  }

  /** Adds a note when there is none. `path` is that of the name in `from`. */
  find<K extends Kind>(
    from: ManifestResource,
    path: FieldPath,
    kind: K,
    name: string,
    namespace: string = from.namespace,
  ): ResourceOf<K> | undefined {
    const found = this.peek(kind, name, namespace);
    if (found === undefined) {
      const message = `${kind} "${name}" of namespace "${namespace}" is not among the files, so it was not checked`;
      this.#findings.note(from, path, message);
    }
    return found;
  }

  /** Adds no note. */
  peek<K extends Kind>(kind: K, name: string, namespace: string): ResourceOf<K> | undefined {
    return this.#byName.get(resourceKey({ kind, namespace, name })) as ResourceOf<K> | undefined;
  }

  of<K extends Kind>(kind: K, namespace: string): ResourceOf<K>[] {
    return [...this.#byName.values()].filter(
      (resource): resource is ResourceOf<K> =>
        resource.kind === kind && resource.namespace === namespace,
    );
  }

  /** Returns the text under a key of a ConfigMap. `path` is that of the key in `from`. */
  valueOf(
    from: ManifestResource,
    path: FieldPath,
    { name, value: { data = {}, binaryData = {} } }: ResourceOf<"ConfigMap">,
    key: string,
  ): string | undefined {
    if (Object.hasOwn(data, key)) return data[key];
    const message = Object.hasOwn(binaryData, key)
      ? `ConfigMap "${name}" has the key "${key}" in binaryData; put it into data`
      : `ConfigMap "${name}" has no key "${key}"${list(Object.keys(data))}`;
    this.#findings.error(from, path, message);
    return undefined;
  }

  /** Returns the text under a key of a Secret, which must not be empty. `path` is that of the reference in `from`. */
  secretValue(
    from: ManifestResource,
    path: FieldPath,
    { name, key }: KeySelector,
    namespace?: string,
  ): string | undefined {
    const secret = this.find(from, [...path, "name"], "Secret", name, namespace);
    if (secret === undefined) return undefined;
    const at = [...path, "key"];
    const value = secretValue(secret.value, key)?.toString("utf8").trim();
    const usable = resolveSecret(secret.value, {}).values.get(key);
    if (value === undefined) {
      const keys = list(secretKeys(secret.value));
      this.#findings.error(from, at, `Secret "${name}" has no key "${key}"${keys}`);
    } else if (value === "") {
      this.#findings.error(from, at, `the key "${key}" of Secret "${name}" is empty`);
    } else if (usable === undefined) {
      const message = `the key "${key}" of Secret "${name}" holds a placeholder, which counts as missing`;
      this.#findings.note(from, at, message);
    }
    return usable;
  }

  /** Checks that the value under a key of a Secret can be sent as `judge` wants it. `path` is that of the reference in `from`. */
  credential(
    from: ManifestResource,
    path: FieldPath,
    selector: KeySelector,
    judge: (value: string) => string | undefined,
    namespace?: string,
  ): void {
    const value = this.secretValue(from, path, selector, namespace);
    const problem = value === undefined ? undefined : judge(value);
    if (problem === undefined) return;
    const { name, key } = selector;
    const message = `the key "${key}" of Secret "${name}" cannot be sent: ${problem}; write the key alone into the Secret, on one line, without blanks`;
    this.#findings.error(from, [...path, "key"], message);
  }
}

function list(keys: readonly string[]): string {
  return keys.length === 0
    ? "; it has none"
    : `; it has ${keys.map((key) => `"${key}"`).join(", ")}`;
}
