/** The names that users write and other programs rely on: group, kinds, labels, annotations. */
export const GROUP = "omnia.altairalabs.ai";
export const VERSION = "v1alpha1";
export const API_VERSION = `${GROUP}/${VERSION}` as const;

export const AGENT_RUNTIME = "AgentRuntime";
export const PROMPT_PACK = "PromptPack";
export const TOOL_REGISTRY = "ToolRegistry";
export const OMNIA_KINDS = [AGENT_RUNTIME, PROMPT_PACK, TOOL_REGISTRY] as const;
export type OmniaKind = (typeof OMNIA_KINDS)[number];

/** A Service with this label set to "true" offers a tool. */
export const TOOL_LABEL = `${GROUP}/tool`;
/** Annotations of a Service that offers a tool. */
export const TOOL_PATH_ANNOTATION = `${GROUP}/tool-path`;
export const TOOL_DESCRIPTION_ANNOTATION = `${GROUP}/tool-description`;
export const TOOL_TYPE_ANNOTATION = `${GROUP}/tool-type`;
export const TOOL_NAME_ANNOTATION = `${GROUP}/tool-name`;
export const TOOL_SCHEMA_ANNOTATION = `${GROUP}/tool-schema`;
/** Annotation of a Service: the URL that stands for it on one machine, without a cluster. */
export const LOCAL_URL_ANNOTATION = `${GROUP}/local-url`;
/** Annotation of a resource of ours in a cluster: the namespace of the operator that looks after it. */
export const MANAGED_BY_ANNOTATION = `${GROUP}/managed-by`;

/** The key of a PromptPack's ConfigMap that is read unless the PromptPack names another. */
export const DEFAULT_PACK_KEY = "promptpack.json";
/** The key that is read when a providerSecretRef names none. */
export const DEFAULT_PROVIDER_SECRET_KEY = "api-key";
/** The port of `/healthz`, `/readyz` and `/metrics`, which no facade may take. */
export const MANAGEMENT_PORT = 8081;
