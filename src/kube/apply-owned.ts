import { isAlreadyExists, isConflict, isInvalid } from "./client/api-error.ts";
import type { KubeClient } from "./client/client.ts";
import {
  type KubernetesObject,
  keyOf,
  type ManagedFields,
  type OwnerReference,
  type ResourceType,
} from "./client/object.ts";
import { quantityValue } from "./quantity.ts";

/** What was written last, as a digest: a field that we no longer want is told by it from one that others added. */
export const APPLIED_ANNOTATION = "omnia.altairalabs.ai/applied";
/** Before the digest of an object that has been applied to since it was created. */
const APPLIED_PREFIX = "applied-";
const OWNING_ATTEMPTS = 5;

/** Maps that are ours as a whole wherever they stand: a key that others add makes another selection, another limit, another file. */
const EXACT_MAPS = new Set([
  "data",
  "limits",
  "matchLabels",
  "nodeSelector",
  "requests",
  "selector",
]);

/** There is an object of this name, and it is somebody else's: it is left as it is. */
export class NotOursError extends Error {
  override readonly name = "NotOursError";
  /** It belonged to an owner of this name that was deleted, and goes by itself: another try will do. */
  readonly isLeftover: boolean;

  constructor(message: string, options: { isLeftover?: boolean | undefined } = {}) {
    super(message);
    this.isLeftover = options.isLeftover ?? false;
  }
}

export interface ApplyOptions {
  client: KubeClient;
  type: ResourceType;
  /** From the cache, or as it was just read. */
  live: KubernetesObject | undefined;
  /** Exactly the fields that are ours. */
  wanted: KubernetesObject;
  owner: OwnerReference;
  digest: (value: unknown) => string;
  /**
   * Paths of fields that others go on with once they are no longer wanted: they keep the value that they have then. Without,
   * a field that is no longer wanted gets its default.
   */
  handedOver?: readonly (readonly string[])[];
  signal: AbortSignal;
}

/**
 * Brings one owned object to what is wanted by server-side apply. Writes nothing when the live object has every wanted field
 * already and nothing is left of an earlier wish. Resolves to whether it wrote; rejects with NotOursError, without a
 * write, when the object belongs to another owner or to nobody.
 */
export async function applyOwned(options: ApplyOptions): Promise<boolean> {
  const { client, type, live, owner, digest, signal } = options;
  if (live !== undefined && !live.metadata.ownerReferences?.some((own) => own.uid === owner.uid)) {
    const of = `does not belong to ${owner.kind} ${owner.name}`;
    throw new NotOursError(`${type.kind} ${keyOf(live.metadata)} exists and ${of}`, {
      isLeftover: live.metadata.ownerReferences?.some(
        ({ kind, name, apiVersion }) =>
          kind === owner.kind && name === owner.name && apiVersion === owner.apiVersion,
      ),
    });
  }
  const metadata = { ...options.wanted.metadata, ownerReferences: [owner] };
  const created = digest({ ...options.wanted, metadata });
  const marked = (mark: string): KubernetesObject => ({
    ...options.wanted,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [APPLIED_ANNOTATION]: mark } },
  });
  if (live === undefined) {
    // Create and not apply: an object that came into being since the cache was filled must not be taken over.
    try {
      await client.create(type, marked(created), signal);
      return true;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    // Nor is the cache told of everything: of what was just made here, and of what has not the labels that it watches.
    const { name, namespace } = options.wanted.metadata;
    const found = await client.get(type, { namespace, name }, signal);
    return await applyOwned({ ...options, live: found });
  }
  const mark = live.metadata.annotations?.[APPLIED_ANNOTATION] ?? "";
  const wasApplied = mark.startsWith(APPLIED_PREFIX);
  const applied = `${APPLIED_PREFIX}${created}`;
  if (holds(live, marked(wasApplied ? applied : created))) return false;
  const handedOver = (options.handedOver ?? []).filter((path) => !isThere(options.wanted, path));
  if (!wasApplied || handedOver.length > 0) await ownByApply(options, live, handedOver);
  const wanted = marked(applied);
  const result = await applyOrLeave(options, live, wanted);
  if (holds(result, wanted)) return true;
  // Others' items in a list or a map stay in a server-side apply, or are why it is refused. They go this way; what
  // this writes is ours as what was created is.
  const { uid, namespace, name } = live.metadata;
  const patch = correctionOf(result, marked(created)) as Partial<KubernetesObject>;
  await client.mergePatch(
    type,
    { namespace, name },
    { ...patch, metadata: { ...patch.metadata, uid } },
    signal,
  );
  return true;
}

/** The object as it is then: the same when it would not be a valid one together with what others own of it. */
async function applyOrLeave(
  { client, type, signal }: ApplyOptions,
  live: KubernetesObject,
  wanted: KubernetesObject,
): Promise<KubernetesObject> {
  const metadata = { ...wanted.metadata, ...uidOf(live) };
  try {
    return await client.apply(type, { ...wanted, metadata }, { signal });
  } catch (error) {
    if (isInvalid(error)) return live;
    throw error;
  }
}

/** The merge patch that brings `live` to hold `wanted`. */
export function correctionOf(live: unknown, wanted: unknown, isExact = false): unknown {
  if (!isMap(live) || !isMap(wanted)) return wanted;
  const patch: Record<string, unknown> = {};
  if (isExact) {
    for (const name of Object.keys(live)) if (!(name in wanted)) patch[name] = null;
  }
  for (const [name, value] of Object.entries(wanted)) {
    const exact = EXACT_MAPS.has(name);
    if (!holds(live[name], value, exact)) patch[name] = correctionOf(live[name], value, exact);
  }
  return patch;
}

/**
 * What was created is ours as "Update" in the eyes of server-side apply, and would stay when a later apply leaves it out. This makes
 * it ours as "Apply". Others write to it all the while, their statuses above all: who comes in between is no failure.
 */
async function ownByApply(
  { client, type, signal }: ApplyOptions,
  live: KubernetesObject,
  handedOver: readonly (readonly string[])[],
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

/** All that the manager owns, whichever way it came by it, as owned by apply; what is handed over is nobody's. */
function withOneApply(
  managedFields: readonly ManagedFields[],
  manager: string,
  handedOver: readonly (readonly string[])[],
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

/** `fields` in the form of managed fields, where each name has "f:" before it. */
function without(fields: unknown, [name, ...rest]: readonly string[]): unknown {
  const key = `f:${name}`;
  if (!isMap(fields) || !(key in fields)) return fields;
  const { [key]: field, ...others } = fields;
  if (rest.length === 0) return others;
  const left = without(field, rest);
  return left === field ? fields : { ...others, [key]: left };
}

/** The server puts them into an order of its own. */
function isSameSet(some: readonly ManagedFields[], others: readonly ManagedFields[]): boolean {
  const texts = new Set(others.map((entry) => JSON.stringify(entry)));
  return some.length === others.length && some.every((entry) => texts.has(JSON.stringify(entry)));
}

function isThere(object: unknown, [name, ...rest]: readonly string[]): boolean {
  if (name === undefined) return object !== undefined;
  return isMap(object) && isThere(object[name], rest);
}

function merged(one: unknown, other: unknown): unknown {
  if (!isMap(one) || !isMap(other)) return one ?? other;
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...names].map((name) => [name, merged(one[name], other[name])]));
}

/** With the uid, an apply to an object that was made anew meanwhile is a conflict and no take-over. */
function uidOf(live: KubernetesObject): { uid?: string } {
  return live.metadata.uid === undefined ? {} : { uid: live.metadata.uid };
}

/** Writes a status by server-side apply, unless it is there already. Resolves to whether it wrote. */
export async function applyStatus(options: {
  client: KubeClient;
  type: ResourceType;
  live: KubernetesObject & { status?: unknown };
  status: object;
  signal: AbortSignal;
}): Promise<boolean> {
  const { client, type, live, signal } = options;
  const status = JSON.parse(JSON.stringify(options.status)) as object;
  if (holds(live.status, status) && holds(status, live.status)) return false;
  const { name, namespace } = live.metadata;
  await client.apply(
    type,
    {
      metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...uidOf(live) },
      status,
    } as KubernetesObject,
    { subresource: "status", signal },
  );
  return true;
}

/**
 * Whether every field of `wanted` stands in `live` with that value. Fields that only `live` has are passed over: defaults, and what
 * others manage. Lists must match as a whole, item by item, and so must maps that mean another thing with a key more
 * (`isExact`). Quantities are compared by value ("1000m" is "1").
 */
export function holds(live: unknown, wanted: unknown, isExact = false): boolean {
  if (Object.is(live, wanted) || wanted === undefined) return true;
  if (Array.isArray(wanted)) {
    if (!Array.isArray(live)) return wanted.length === 0 && live === undefined;
    return live.length === wanted.length && wanted.every((item, index) => holds(live[index], item));
  }
  if (typeof wanted === "object" && wanted !== null) {
    // The server drops empty maps.
    if (live === undefined) return Object.values(wanted).every((value) => value === undefined);
    if (!isMap(live)) return false;
    if (isExact && Object.keys(live).some((name) => !(name in wanted))) return false;
    return Object.entries(wanted).every(([name, value]) =>
      holds(live[name], value, EXACT_MAPS.has(name)),
    );
  }
  // And empty texts.
  if (wanted === "") return live === undefined;
  if (typeof live === "string" && (typeof wanted === "string" || typeof wanted === "number")) {
    const value = quantityValue(live);
    return value !== undefined && value === quantityValue(String(wanted));
  }
  return false;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
