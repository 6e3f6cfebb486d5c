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
/** The name of the lease. Of several operators in one namespace, the one that holds it leads. */
export const LEASE_NAME = `${OPERATOR}.${GROUP}`;
/** On the lease: the holder, and the name and uid of the pod that it runs in. */
export const HOLDER_POD_ANNOTATION = `${GROUP}/holder-pod`;
/** On the lease: the namespaces that its holder looks after, separated by commas, or "*" for all of them. */
export const LOOKS_AFTER_ANNOTATION = `${GROUP}/looks-after`;
/** The Secret with the key that signs agent configs. It is in the namespace of the operator. */
export const SIGNING_KEY_NAME = `${OPERATOR}-signing-key`;
/** The Secret with the keys by which gateways prove to agents who asks. It is in the namespace of the operator. */
export const GATEWAY_KEY_NAME = "omnia-gateway-key";
/** The controller that stands in the events. */
export const EVENT_REPORTER = `${GROUP}/operator`;
export const AGENT_COMPONENT = "agent";
export const PROMPT_PACK_COMPONENT = "prompt-pack";

/** Selects everything that the operator made for agents. It has the form that the API takes in a query. */
export const AGENT_LABEL_SELECTOR = `${MANAGED_BY_LABEL}=${OPERATOR},${COMPONENT_LABEL}=${AGENT_COMPONENT}`;

/** Selects the ConfigMaps that hold versions of packs. */
export const PACK_VERSION_LABEL_SELECTOR = `${MANAGED_BY_LABEL}=${OPERATOR},${COMPONENT_LABEL}=${PROMPT_PACK_COMPONENT}`;

/** The port for clients, of an agent's pods and of its Service. */
export const FACADE_PORT_NAME = "facade";

/** On an EndpointSlice: the name of its Service. */
export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

/** On what is made for an agent: a digest of what was written last, as `applyOwned` keeps it. */
export const APPLIED_ANNOTATION = `${GROUP}/applied`;
/** On the config of an agent: the secret files that its replicas were given, as JSON. */
export const SECRET_FILES_ANNOTATION = `${GROUP}/secret-files`;
/** On the config of an agent: the pack versions in it, as `versionsText` writes them. */
export const PACK_VERSIONS_ANNOTATION = `${GROUP}/pack-versions`;
/**
 * On the config of an agent: how often its files (config and secrets) have changed, from 1. On a pod: the last change that its
 * kubelet was told of. A kubelet was told of no change if the pod has no such annotation.
 */
export const FILES_REVISION_ANNOTATION = `${GROUP}/files-revision`;
/** On the config of an agent: a digest of the config and of the values of the secrets at this revision. */
export const FILES_DIGEST_ANNOTATION = `${GROUP}/files-digest`;
/** On the pod template: a digest of the values that environment variables are taken from. Another digest leads to new pods. */
export const ENVIRONMENT_ANNOTATION = `${GROUP}/environment`;
/** On the pod template: a digest of the whole template, which tells the pods of the newest one. */
export const ROLL_HASH_ANNOTATION = `${GROUP}/roll-hash`;

/** On the Deployment of an agent that is autoscaled: the number that was carried over, as JSON. */
export const SCALING_ANNOTATION = `${GROUP}/scaling`;

const CONFIG_MAP_SUFFIX = "-config";

/** The ConfigMap that holds the config of an agent: its name for the agent's name, its key for the agent's key. */
export function configMapName(agent: string): string {
  return agent + CONFIG_MAP_SUFFIX;
}

/** The inverse of `configMapName`. `undefined`: a ConfigMap of this name holds no config of an agent. */
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
