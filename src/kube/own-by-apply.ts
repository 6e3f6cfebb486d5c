import { isConflict } from "./client/api-error.ts";
import type { KubeClient } from "./client/client.ts";
import type { KubernetesObject, ManagedFields, ResourceType } from "./client/object.ts";
import { isMap } from "./holds.ts";

const OWNING_ATTEMPTS = 5;

/** The names that lead to a field, such as `["spec", "replicas"]`. */
export type FieldPath = readonly string[];

/**
 * Server-side apply takes what we created for ours by "Update", and would leave such a field in place when a later apply leaves it
 * out. This makes it ours by "Apply". The fields at the paths of `handedOver` become nobody's. Others write to the object all the
 * while, above all its status, so a conflict is tried again.
 */
export async function ownByApply(
  { client, type, signal }: { client: KubeClient; type: ResourceType; signal: AbortSignal },
  live: KubernetesObject,
  handedOver: readonly FieldPath[],
): Promise<void> {
  const at = { namespace: live.metadata.namespace, name: live.metadata.name };
  for (let attempt = 1; ; attempt += 1) {
    const { metadata } = await client.get(type, at, signal);
    const before = metadata.managedFields ?? [];
    const managedFields = withOneApply(before, client.fieldManager, handedOver);
    if (isSameSet(managedFields, before)) return;
    const { uid } = live.metadata;
    const { resourceVersion } = metadata;
    const patch = { metadata: { uid, resourceVersion, managedFields } };
    try {
      await client.mergePatch(type, at, patch, signal);
      return;
    } catch (error) {
      if (!isConflict(error) || attempt === OWNING_ATTEMPTS) throw error;
    }
  }
}

/** All that the manager owns, in whichever way it came to own it, as one entry that is owned by apply. */
function withOneApply(
  managedFields: readonly ManagedFields[],
  manager: string,
  handedOver: readonly FieldPath[],
): ManagedFields[] {
  const isOurs = (entry: ManagedFields): boolean =>
    entry.manager === manager && (entry.subresource ?? "") === "";
  const [first, ...more] = managedFields.filter(isOurs);
  const others = managedFields.filter((entry) => !isOurs(entry));
  if (first === undefined) return others;
  const fieldsV1 = more.reduce(
    (fields, entry) => merged(fields, entry["fieldsV1"]),
    first["fieldsV1"],
  );
  const kept = handedOver.reduce<unknown>(without, fieldsV1);
  return [...others, { ...first, operation: "Apply", fieldsV1: kept }];
}

/** `fields` has the form of managed fields, in which "f:" stands before each name. */
function without(fields: unknown, [name, ...rest]: FieldPath): unknown {
  const key = `f:${name}`;
  if (!isMap(fields) || !(key in fields)) return fields;
  const { [key]: field, ...others } = fields;
  if (rest.length === 0) return others;
  const left = without(field, rest);
  return left === field ? fields : { ...others, [key]: left };
}

function merged(one: unknown, other: unknown): unknown {
  if (!isMap(one) || !isMap(other)) return one ?? other;
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...names].map((name) => [name, merged(one[name], other[name])]));
}

/** The API server puts the entries into an order of its own. */
function isSameSet(some: readonly ManagedFields[], others: readonly ManagedFields[]): boolean {
  const texts = new Set(others.map((entry) => JSON.stringify(entry)));
  return some.length === others.length && some.every((entry) => texts.has(JSON.stringify(entry)));
}
