/** The kinds that files may hold, with the schema that reads each of them, and the kinds that are known to be Kubernetes' own. */
import { agentRuntimeSchema } from "./agent-runtime.ts";
import {
  configMapSchema,
  CORE_API_VERSION,
  secretSchema,
  serviceSchema,
} from "./fields/core-objects.ts";
import {
  AGENT_RUNTIME,
  API_VERSION,
  GROUP,
  OMNIA_KINDS,
  PROMPT_PACK,
  TOOL_REGISTRY,
} from "./group.ts";
import { nearest } from "./fields/nearest.ts";
import { promptPackSchema } from "./prompt-pack.ts";
import { toolRegistrySchema } from "./tool-registry.ts";

export const KIND_SCHEMAS = {
  [AGENT_RUNTIME]: agentRuntimeSchema,
  [PROMPT_PACK]: promptPackSchema,
  [TOOL_REGISTRY]: toolRegistrySchema,
  ConfigMap: configMapSchema,
  Secret: secretSchema,
  Service: serviceSchema,
} as const;

export type Kind = keyof typeof KIND_SCHEMAS;

const CORE_KINDS = ["ConfigMap", "Secret", "Service"] as const;

/** Other kinds of core/v1. */
const FOREIGN_CORE_KINDS = [
  "Binding",
  "ComponentStatus",
  "Endpoints",
  "Event",
  "LimitRange",
  "Namespace",
  "Node",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "Pod",
  "PodTemplate",
  "ReplicationController",
  "ResourceQuota",
  "ServiceAccount",
];
/** The API groups of Kubernetes that have no dot in their names. */
const FOREIGN_GROUPS = ["apps", "autoscaling", "batch", "extensions", "policy"];

/** The kind of a document, or the reason why the document is not taken. */
export type KindVerdict =
  | { taken: true; kind: Kind }
  | { taken: false; severity: "error" | "warning"; field: "apiVersion" | "kind"; message: string };

export function judgeKind(apiVersion: string, kind: string): KindVerdict {
  const [group, version] = splitAPIVersion(apiVersion);
  if (isOneOf(OMNIA_KINDS, kind)) {
    if (apiVersion === API_VERSION) return { taken: true, kind };
    const isOther = group === GROUP && /^[a-z0-9]{1,24}$/.test(version);
    return wrongAPIVersion(kind, API_VERSION, isOther ? `, and no version ${version}` : "");
  }
  if (group === GROUP) {
    const meant = nearest(kind, OMNIA_KINDS);
    const core = isOneOf(CORE_KINDS, kind) ? `; ${kind} has apiVersion "${CORE_API_VERSION}"` : "";
    const cure = meant === undefined ? core : `; did you mean ${meant}?`;
    return error("kind", `${GROUP} has no such kind (it has ${OMNIA_KINDS.join(", ")})${cure}`);
  }
  if (isOneOf(CORE_KINDS, kind) && !group.includes(".")) {
    if (apiVersion === CORE_API_VERSION) return { taken: true, kind };
    return wrongAPIVersion(kind, CORE_API_VERSION);
  }
  if (group === "" && version === CORE_API_VERSION && !FOREIGN_CORE_KINDS.includes(kind)) {
    const meant = nearest(kind, [...CORE_KINDS, ...FOREIGN_CORE_KINDS]);
    if (meant !== undefined) return error("kind", `v1 has no such kind; did you mean ${meant}?`);
    return error("kind", "v1 has no such kind");
  }
  const known = group === "" || group.includes(".") || FOREIGN_GROUPS.includes(group);
  if (!known || !/^v[0-9]+((alpha|beta)[0-9]+)?$/.test(version)) {
    return error("apiVersion", `must be like "${API_VERSION}" or "v1"`);
  }
  const near = nearest(group, [GROUP]);
  if (near !== undefined)
    return error("apiVersion", `unknown group; did you mean "${API_VERSION}"?`);
  return {
    taken: false,
    severity: "warning",
    field: "kind",
    message: `${kind} (${apiVersion}) is not for Omnia and left alone`,
  };
}

function splitAPIVersion(apiVersion: string): [group: string, version: string] {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? ["", apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
}

function wrongAPIVersion(kind: string, right: string, besides = ""): KindVerdict {
  return error("apiVersion", `${kind} has apiVersion "${right}"${besides}`);
}

function error(field: "apiVersion" | "kind", message: string): KindVerdict {
  return { taken: false, severity: "error", field, message };
}

function isOneOf<T extends string>(words: readonly T[], word: string): word is T {
  return (words as readonly string[]).includes(word);
}
