/** Whether an object may be referred to from another namespace, as its owner and the operator's administrator say. */
import type { AllowedNamespaces, LabelSelector } from "../api/fields/allowed-namespaces.ts";

/** What holds for objects that say nothing themselves: any namespace may refer to them, or only their own. */
export const CROSS_NAMESPACE_REFERENCES = ["Allowed", "Granted"] as const;
export type CrossNamespaceReferences = (typeof CROSS_NAMESPACE_REFERENCES)[number];

export interface NamespaceFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The label by which every namespace has its own name. The API server sets it. */
const METADATA_NAME_LABEL = "kubernetes.io/metadata.name";

/** `labels` are `undefined` where the labels of namespaces cannot be read: then only the one that every namespace has is known. */
export function namespaceFacts(
  name: string,
  labels: Readonly<Record<string, string>> | undefined,
): NamespaceFacts {
  return { name, labels: { ...labels, [METADATA_NAME_LABEL]: name } };
}

/** An object of the same namespace may always be referred to. */
export function isGranted(
  object: {
    readonly namespace: string;
    readonly allowedNamespaces: AllowedNamespaces | undefined;
  },
  from: NamespaceFacts,
  otherwise: CrossNamespaceReferences,
): boolean {
  if (object.namespace === from.name) return true;
  const { allowedNamespaces } = object;
  switch (allowedNamespaces?.from) {
    case undefined:
      return otherwise === "Allowed";
    case "All":
      return true;
    case "Same":
      return false;
    case "Selector":
      return matchesLabels(allowedNamespaces.selector ?? {}, from.labels);
  }
}

/** As Kubernetes matches a label selector: an empty one matches everything. */
function matchesLabels(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  labels: Readonly<Record<string, string>>,
): boolean {
  const valueOf = (key: string): string | undefined =>
    Object.hasOwn(labels, key) ? labels[key] : undefined;
  return (
    Object.entries(matchLabels).every(([key, value]) => valueOf(key) === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = valueOf(key);
      switch (operator) {
        case "In":
          return value !== undefined && values.includes(value);
        case "NotIn":
          return value === undefined || !values.includes(value);
        case "Exists":
          return value !== undefined;
        case "DoesNotExist":
          return value === undefined;
      }
    })
  );
}
