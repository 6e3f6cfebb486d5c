/** Builds the workload of an agent from its spec and its config. */
import { dirname, join } from "node:path/posix";
import type { AgentRuntime } from "../../api/agent-runtime.ts";
import { namesRuntime } from "../../api/runtime-variables.ts";
import type { EnvVar } from "../../api/fields/pod-fields.ts";
import { formatDuration } from "../../api/fields/duration.ts";
import { AGENT_CONFIG_PATH, type AgentConfig } from "../../agent-config/agent-config.ts";
import { contentHash } from "../../promptpack/document/content-hash.ts";
import { withoutUndefined } from "../without-undefined.ts";
import type { SecretFile, WorkloadDecision } from "./workload-decision.ts";

export function buildWorkload(
  { metadata, spec }: AgentRuntime,
  config: AgentConfig,
  secretFiles: readonly SecretFile[],
): WorkloadDecision {
  const { resources, nodeSelector, tolerations, affinity, image, imagePullSecrets } = spec;
  const { podTemplate } = spec;
  const rolling = {
    port: config.facade.port,
    environment: [
      { name: "OMNIA_AGENT_NAME", value: metadata.name },
      { name: "OMNIA_NAMESPACE", value: metadata.namespace },
      { name: "OMNIA_CONFIG", value: AGENT_CONFIG_PATH },
      // Our own image reads these from the config, and follows its changes without a restart.
      ...(image === undefined && !namesRuntime(spec.env) ? [] : environmentOfOthers(config)),
      ...(spec.env ?? []),
    ],
    secretFiles: secretFiles.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    resources,
    nodeSelector,
    tolerations,
    affinity,
    image,
    imagePullSecrets,
    podTemplate,
  };
  const autoscaling = spec.autoscaling?.enabled === true ? spec.autoscaling : undefined;
  return {
    ...withoutUndefined<Omit<WorkloadDecision, "replicas">>({
      ...rolling,
      autoscaling,
      rollHash: contentHash(rolling),
    }),
    replicas: autoscaling === undefined ? spec.replicas : undefined,
  };
}

/** What an image or a runtime of others is told of the provider and of the sessions. */
function environmentOfOthers({ provider, session }: AgentConfig): EnvVar[] {
  const folder = dirname(AGENT_CONFIG_PATH);
  const variables: Record<string, string | undefined> = {
    OMNIA_PROVIDER_NAME: provider?.name,
    OMNIA_PROVIDER_MODEL: provider?.model,
    OMNIA_PROVIDER_BASE_URL: provider?.baseURL,
    OMNIA_PROVIDER_API_KEY_FILE: provider && join(folder, provider.apiKeyFile),
    OMNIA_SESSION_TYPE: session.type,
    OMNIA_SESSION_TTL: formatDuration(session.ttlMs),
    OMNIA_SESSION_STORE_URL_FILE: session.storeURLFile && join(folder, session.storeURLFile),
  };
  return Object.entries(variables).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value }],
  );
}
