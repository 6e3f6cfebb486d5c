/** The fields of AgentRuntimes. */
import { AGENT_PROVIDER_FIELDS } from "./provider-fields.ts";
import { gone, implied, moved, under, type UpstreamField } from "./upstream-field.ts";

const NO_MEDIA = "an agent speaks text here";
const SECRET_KEY = "the key has to be named: session.storeRef.key";
const NO_ROLLOUT = "a new version of a pack is tried by rollout.canary of the PromptPack here";

const POD_FIELDS: readonly UpstreamField[] = [
  moved("2025-12", "nodeSelector", "nodeSelector"),
  moved("2025-12", "tolerations", "tolerations"),
  moved("2025-12", "affinity", "affinity"),
];

const FACADE_FIELDS: readonly UpstreamField[] = [
  gone(
    "2026",
    "image",
    "the facade is part of each replica here, with one image for both: spec.image",
  ),
  moved("2026", "extraEnv", "env", "without names that begin with OMNIA_"),
  gone("2026", "a2a", "agents are reached over WebSocket here"),
  gone("2026", "mcp", "agents are reached over WebSocket here"),
  gone("2026", "clientToolTimeout", "tools run behind a URL here, and not at the client"),
  gone("2026", "drainTimeout", "turns go on for 60 s at most when a replica ends"),
  gone("2026", "expose", "reach the agent through its Service or a gateway"),
  gone("2026", "managementPlane", "every agent has port 8081 for probes and metrics here"),
];

export const AGENT_RUNTIME_FIELDS: readonly UpstreamField[] = [
  implied(
    "2025-12",
    "promptPackRef.track",
    ["stable"],
    "the versions of a PromptPack are its own matter",
  ),
  gone(
    "2025-12",
    "promptPackRef.version",
    "a PromptPack has one version in use, that of its content",
  ),

  moved("2025-12", "runtime.replicas", "replicas"),
  moved("2025-12", "runtime.resources", "resources"),
  ...under("runtime.", POD_FIELDS),
  moved("2026", "runtime.extraEnv", "env", "without names that begin with OMNIA_"),
  gone("2026", "runtime.volumes", "no volumes can be added"),
  gone("2026", "runtime.volumeMounts", "no volumes can be added"),
  gone(
    "2026",
    "runtime.autoscaling.keda.connectionThreshold",
    "name a trigger in autoscaling.keda.triggers",
  ),
  moved("2025-12", "runtime.autoscaling", "autoscaling"),

  {
    from: "session.storeRef.name",
    since: "2025-12",
    to: "session.storeRef.name",
    note: SECRET_KEY,
    isShared: true,
  },
  {
    from: "session.ttl",
    since: "2025-12",
    to: "session.ttl",
    isShared: true,
  },
  moved("2026", "context.type", "session.type"),
  moved("2026", "context.storeRef.name", "session.storeRef.name", SECRET_KEY),
  moved("2026", "context.ttl", "session.ttl"),

  {
    from: "providerSecretRef.name",
    since: "2025-12",
    to: "provider.apiKeySecretRef.name",
    note: "provider.name and provider.model are required beside it",
    isShared: true,
  },
  moved("2026", "providerRef", "provider", "write what the Provider of this name says there"),
  moved(
    "2026",
    "providers",
    "provider",
    'write there what the Provider says that is called "default", or the only one',
  ),
  ...AGENT_PROVIDER_FIELDS,

  moved(
    "2026",
    "facades[].type",
    "facade.type",
    "websocket is the only one; other facades have no counterpart",
  ),
  moved("2026", "facades[].port", "facade.port"),
  moved("2026", "facades[].handler", "facade.handler"),
  ...under("facades[].", FACADE_FIELDS),
  ...under("facade.", FACADE_FIELDS),
  gone("2026", "a2a", "agents are reached over WebSocket here"),

  moved("2026", "externalAuth.oidc.issuer", "facade.auth.jwt.issuer"),
  moved("2026", "externalAuth.oidc.audience", "facade.auth.jwt.audiences"),
  gone("2026", "externalAuth.oidc.claimMapping", "a session belongs to the sub claim of its token"),
  moved(
    "2026",
    "externalAuth.sharedToken.secretRef.name",
    "facade.auth.apiKeysSecretRef.name",
    "every key of this Secret is one client",
  ),
  gone(
    "2026",
    "externalAuth.sharedToken.trustEndUserHeader",
    "a client is known by its credential alone",
  ),
  gone(
    "2026",
    "externalAuth.apiKeys",
    "list the keys of clients in the Secret of facade.auth.apiKeysSecretRef",
  ),
  gone(
    "2026",
    "externalAuth.clientKeys",
    "list the keys of clients in the Secret of facade.auth.apiKeysSecretRef",
  ),
  gone("2026", "externalAuth.edgeTrust", "headers of a proxy are not trusted: use facade.auth.jwt"),
  gone(
    "2026",
    "externalAuth.allowManagementPlane",
    "every agent has port 8081 for probes and metrics here",
  ),

  implied("2026", "mode", ["agent"], "every agent is one to talk to"),
  gone("2026", "inputSchema", "an agent takes messages here, and has no functions"),
  gone("2026", "outputSchema", "an agent answers in text here, and has no functions"),
  gone("2026", "outputFormat", "an agent answers in text here"),
  gone("2026", "invocationRecording", "an agent has no functions here"),
  gone("2026", "framework", "an agent is run by Omnia's own image, or by the one of spec.image"),
  moved("2026", "podOverrides.nodeSelector", "nodeSelector"),
  moved("2026", "podOverrides.tolerations", "tolerations"),
  moved("2026", "podOverrides.affinity", "affinity"),
  moved("2026", "podOverrides.imagePullSecrets", "imagePullSecrets"),
  moved("2026", "podOverrides.extraEnv", "env", "without names that begin with OMNIA_"),
  gone("2026", "podOverrides", "pods take no other fields from the AgentRuntime"),
  gone("2026", "extraPodAnnotations", "pods take no annotations from the AgentRuntime"),
  gone("2026", "console", NO_MEDIA),
  gone("2026", "media", NO_MEDIA),
  gone("2026", "duplex", NO_MEDIA),
  gone(
    "2026",
    "evals",
    "packs keep their evals, which `omnia eval` runs over scripted conversations",
  ),
  gone("2026", "memory", "an agent remembers the session and nothing beyond it"),
  gone("2026", "privacyPolicyRef", "there is no such policy here"),
  gone("2026", "serviceGroup", "an agent needs no services of a workspace here"),
  gone("2026", "rollout", NO_ROLLOUT),
];
