import { isAlreadyExists, isInvalid } from "./client/api-error.ts";
import type { KubeClient } from "./client/client.ts";
import {
  isOwnedBy,
  type KubernetesObject,
  keyOf,
  type OwnerReference,
  type ResourceType,
} from "./client/object.ts";
import { correctionOf, holds, isMap } from "./holds.ts";
import { type FieldPath, ownByApply } from "./own-by-apply.ts";

/** Stands before the digest of an object that was applied to since it was created. */
const APPLIED_PREFIX = "applied-";

/** An object of this name exists and belongs to somebody else, so it is left as it is. */
export class NotOursError extends Error {
  override readonly name = "NotOursError";
  /** It belonged to a deleted owner of the same name, and will be deleted without our doing: another try will succeed. */
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
  /** Holds a digest of what was written last. It tells a field that we want no longer from a field that others added. */
  appliedAnnotation: string;
  digest: (value: unknown) => string;
  /**
   * Fields that others manage once we want them no longer: they keep the value that they have then. Any other field that is no
   * longer wanted gets its default.
   */
  handedOver?: readonly FieldPath[] | undefined;
  signal: AbortSignal;
}

/**
 * Brings one owned object to what is wanted by server-side apply. Writes nothing when the live object has every wanted field
 * already and nothing is left of what was wanted before. Resolves to whether it wrote. Rejects with NotOursError, without a
 * write, when the object belongs to another owner or to nobody.
 */
export async function applyOwned(options: ApplyOptions): Promise<boolean> {
  const { client, type, live, appliedAnnotation, signal } = options;
  if (live === undefined) return await createOwned(options);
  assertOwned(type, live, options.owner);
  const digest = digestOf(options);
  const mark = live.metadata.annotations?.[appliedAnnotation] ?? "";
  const wasApplied = mark.startsWith(APPLIED_PREFIX);
  const wanted = marked(options, `${APPLIED_PREFIX}${digest}`);
  if (holds(live, wasApplied ? wanted : marked(options, digest))) return false;

  const handedOver = (options.handedOver ?? []).filter((path) => !hasField(options.wanted, path));
  if (!wasApplied || handedOver.length > 0) await ownByApply(options, live, handedOver);
  const result = await applyUnlessInvalid(options, live, wanted);
  if (holds(result, wanted)) return true;

  // A server-side apply leaves what others added to a list or a map, or is refused for it. A merge patch takes it out. What the
  // patch writes is ours in the same way as what was created, which the mark without the prefix says.
  const { uid, namespace, name } = live.metadata;
  const patch = correctionOf(result, marked(options, digest)) as Partial<KubernetesObject>;
  const metadata = { ...patch.metadata, uid };
  await client.mergePatch(type, { namespace, name }, { ...patch, metadata }, signal);
  return true;
}

/** Creates and does not apply, so that an object that came into being since the cache was filled is not taken over. */
async function createOwned(options: ApplyOptions): Promise<boolean> {
  const { client, type, signal } = options;
  try {
    await client.createUnread(type, marked(options, digestOf(options)), signal);
    return true;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  // The cache did not know what was just made here, or an object without the labels that the cache watches.
  const { name, namespace } = options.wanted.metadata;
  const live = await client.get(type, { namespace, name }, signal);
  return await applyOwned({ ...options, live });
}

function assertOwned(type: ResourceType, live: KubernetesObject, owner: OwnerReference): void {
  if (isOwnedBy(live, owner.uid)) return;
  const message = `${type.kind} ${keyOf(live.metadata)} exists and does not belong to ${owner.kind} ${owner.name}`;
  const isLeftover = live.metadata.ownerReferences?.some(
    ({ kind, name, apiVersion }) =>
      kind === owner.kind && name === owner.name && apiVersion === owner.apiVersion,
  );
  throw new NotOursError(message, { isLeftover });
}

function owned({ wanted, owner }: ApplyOptions): KubernetesObject {
  return { ...wanted, metadata: { ...wanted.metadata, ownerReferences: [owner] } };
}

function digestOf(options: ApplyOptions): string {
  return options.digest(owned(options));
}

function marked(options: ApplyOptions, mark: string): KubernetesObject {
  const object = owned(options);
  const annotations = { ...object.metadata.annotations, [options.appliedAnnotation]: mark };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/**
 * Resolves to the object as it is afterwards: to `live` when the wanted fields and those of others together would make an invalid
 * object. An object that was deleted and made again meanwhile is a conflict, because the uid is sent.
 */
async function applyUnlessInvalid(
  { client, type, signal }: ApplyOptions,
  live: KubernetesObject,
  wanted: KubernetesObject,
): Promise<KubernetesObject> {
  const metadata = { ...wanted.metadata, uid: live.metadata.uid };
  try {
    return await client.apply(type, { ...wanted, metadata }, { signal });
  } catch (error) {
    if (isInvalid(error)) return live;
    throw error;
  }
}

function hasField(object: unknown, [name, ...rest]: FieldPath): boolean {
  if (name === undefined) return object !== undefined;
  return isMap(object) && hasField(object[name], rest);
}
