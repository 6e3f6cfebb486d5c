/** What a gateway may do in a cluster, which is exactly what it does. The roles of the chart are generated from it. */
import { GROUP } from "../api/group.ts";
import type { PolicyRule } from "../operator/permissions.ts";

/** In every namespace whose agents it leads to. It reads no Secret: what it needs of them are files. */
export const GATEWAY_RULES: readonly PolicyRule[] = [
  { apiGroups: [GROUP], resources: ["agentruntimes"], verbs: ["list", "watch"] },
  // It starts an agent that has no replica because nobody used it.
  { apiGroups: [GROUP], resources: ["agentruntimes/scale"], verbs: ["patch"] },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
];

/** Besides, in every namespace, where it has an HTTP API: what that shows. It still reads no Secret. */
export const GATEWAY_RESOURCE_RULES: readonly PolicyRule[] = [
  { apiGroups: [GROUP], resources: ["promptpacks", "toolregistries"], verbs: ["list", "watch"] },
  // Restarts and last words of replicas, and what happened to the resources.
  { apiGroups: [""], resources: ["pods", "events"], verbs: ["list", "watch"] },
  // The versions of packs, which are read when somebody asks for them.
  { apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list"] },
];

/** In the whole cluster, where tokens of the cluster are taken: it asks who somebody is, and what that one may do. */
export const GATEWAY_API_RULES: readonly PolicyRule[] = [
  { apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"], verbs: ["create"] },
  { apiGroups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"], verbs: ["create"] },
];
