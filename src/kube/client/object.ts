/** Kubernetes objects as raw JSON, the same from list, watch and get. */
export interface ObjectMeta {
  name: string;
  namespace?: string | undefined;
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  generation?: number | undefined;
  creationTimestamp?: string | undefined;
  deletionTimestamp?: string | undefined;
  labels?: Record<string, string> | undefined;
  annotations?: Record<string, string> | undefined;
  ownerReferences?: OwnerReference[] | undefined;
  finalizers?: string[] | undefined;
  managedFields?: ManagedFields[] | undefined;
}

export interface ManagedFields {
  manager: string;
  operation: string;
  subresource?: string;
  [other: string]: unknown;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** One kind as the API server serves it. */
export interface ResourceType {
  /** "" for core. */
  group: string;
  version: string;
  kind: string;
  plural: string;
  namespaced: boolean;
}

export function apiVersionOf(type: ResourceType): string {
  return type.group === "" ? type.version : `${type.group}/${type.version}`;
}

/** The path of a collection or, with a name, of an object in it. */
export function pathOf(
  type: ResourceType,
  at: {
    namespace?: string | undefined;
    name?: string | undefined;
    subresource?: string | undefined;
  } = {},
): string {
  const root = type.group === "" ? "/api" : `/apis/${type.group}`;
  const namespace =
    type.namespaced && at.namespace !== undefined
      ? `/namespaces/${encodeURIComponent(at.namespace)}`
      : "";
  const name = at.name === undefined ? "" : `/${encodeURIComponent(at.name)}`;
  const subresource = at.subresource === undefined ? "" : `/${at.subresource}`;
  return `${root}/${type.version}${namespace}/${type.plural}${name}${subresource}`;
}

/** "namespace/name", or the bare name of an object without a namespace. */
export function keyOf(metadata: Pick<ObjectMeta, "name" | "namespace">): string {
  return metadata.namespace === undefined
    ? metadata.name
    : `${metadata.namespace}/${metadata.name}`;
}

/** Whether the object with this uid is among the object's owners. */
export function isOwnedBy({ metadata }: KubernetesObject, uid: string | undefined): boolean {
  return metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
}
