/** Names, labels and annotations of what the operator makes, and the labels of others that it reads. */
import { GROUP } from "../../api/group.ts";
import {
  agentSelector,
  INSTANCE_LABEL,
  NAME_LABEL,
} from "../../control/agent-runtime/agent-selector.ts";

export const MANAGED_BY_LABEL = "app.kubernetes.io/managed-by";
export const COMPONENT_LABEL = "app.kubernetes.io/component";

export const OPERATOR = "omnia-operator";
/** Of several operators in one namespace, the one that holds it leads. */
export const LEASE_NAME = `${OPERATOR}.${GROUP}`;
export const AGENT_COMPONENT = "agent";
export const PROMPT_PACK_COMPONENT = "prompt-pack";

/** Everything that the operator made for agents, in the form of the API. */
export const AGENT_LABEL_SELECTOR = `${MANAGED_BY_LABEL}=${OPERATOR},${COMPONENT_LABEL}=${AGENT_COMPONENT}`;

/** On an EndpointSlice: the name of its Service. */
export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

/** On what is made for an agent: a digest of what was written last, as `applyOwned` keeps it. */
export const APPLIED_ANNOTATION = `${GROUP}/applied`;
/** On the config of an agent: the secret files that its replicas were given, as JSON. */
export const SECRET_FILES_ANNOTATION = `${GROUP}/secret-files`;
/** On the config of an agent: the pack versions in it, as `versionsText` writes them. */
export const PACK_VERSIONS_ANNOTATION = `${GROUP}/pack-versions`;
/**
 * On the config of an agent: how often its files (config and secrets) have changed, from 1. On a pod: the last change that the
 * kubelet was told of; a pod without it was not told of any.
 */
export const FILES_REVISION_ANNOTATION = `${GROUP}/files-revision`;
/** On the config of an agent: a digest of the secrets' versions that the revision stands for. */
export const FILES_DIGEST_ANNOTATION = `${GROUP}/files-digest`;
/** On the pod template: another value means new pods. The first of what was decided, the other of what variables are taken from. */
export const ENVIRONMENT_ANNOTATION = `${GROUP}/environment`;
export const ROLL_HASH_ANNOTATION = `${GROUP}/roll-hash`;

const CONFIG_MAP_SUFFIX = "-config";

/** The name of the ConfigMap that holds the config of an agent; its key for the key of an agent. */
export function configMapName(agent: string): string {
  return agent + CONFIG_MAP_SUFFIX;
}

/** The agent whose config has this name, name or key as above; undefined when it is the name of no config. */
export function agentOfConfigMap(configMap: string): string | undefined {
  return configMap.endsWith(CONFIG_MAP_SUFFIX)
    ? configMap.slice(0, -CONFIG_MAP_SUFFIX.length)
    : undefined;
}

export function agentLabels(agent: string): Record<string, string> {
  return {
    ...agentSelector(agent),
    [MANAGED_BY_LABEL]: OPERATOR,
    [COMPONENT_LABEL]: AGENT_COMPONENT,
  };
}

export function promptPackLabels(pack: string): Record<string, string> {
  return {
    [NAME_LABEL]: "omnia-prompt-pack",
    [INSTANCE_LABEL]: pack.slice(0, 63).replace(/[^a-z0-9]+$/, ""),
    [MANAGED_BY_LABEL]: OPERATOR,
    [COMPONENT_LABEL]: PROMPT_PACK_COMPONENT,
  };
}
