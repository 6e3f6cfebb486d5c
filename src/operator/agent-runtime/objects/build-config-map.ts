/** The ConfigMap with the agent config. When it is read again, it tells what was decided last. */
import { z } from "zod";
import {
  AGENT_CONFIG_PATH,
  type AgentConfig,
  agentConfigSchema,
} from "../../../agent-config/agent-config.ts";
import type { PreviousDecision } from "../../../control/agent-runtime/agent-facts.ts";
import type { SecretFile } from "../../../control/agent-runtime/workload-decision.ts";
import type { ConfigMapObject } from "../../cluster/kubernetes-objects.ts";
import {
  agentLabels,
  configMapName,
  FILES_DIGEST_ANNOTATION,
  FILES_REVISION_ANNOTATION,
  PACK_VERSIONS_ANNOTATION,
  SECRET_FILES_ANNOTATION,
} from "../../cluster/labels.ts";
import { versionsTextOfConfig } from "../../../control/prompt-pack/versions-text.ts";

/** The key that holds the agent config. */
export const CONFIG_KEY = AGENT_CONFIG_PATH.slice(AGENT_CONFIG_PATH.lastIndexOf("/") + 1);

export interface AgentFiles extends Pick<PreviousDecision, "madeOf"> {
  readonly config: AgentConfig;
  readonly secretFiles: readonly SecretFile[];
  /** How often the files have changed, from 1. */
  readonly filesRevision: number;
  /** A digest of the config and of the values of the secrets at this revision. */
  readonly filesDigest: string;
}

export function buildConfigMap(
  agentRuntime: { readonly name: string; readonly namespace: string },
  { config, secretFiles, filesRevision, filesDigest }: AgentFiles,
): ConfigMapObject {
  return {
    metadata: {
      name: configMapName(agentRuntime.name),
      namespace: agentRuntime.namespace,
      labels: agentLabels(agentRuntime.name),
      annotations: {
        [FILES_REVISION_ANNOTATION]: String(filesRevision),
        [FILES_DIGEST_ANNOTATION]: filesDigest,
        [PACK_VERSIONS_ANNOTATION]: versionsTextOfConfig(config),
        [SECRET_FILES_ANNOTATION]: JSON.stringify(secretFiles),
      },
    },
    data: { [CONFIG_KEY]: configText(config) },
  };
}

/** The text of the file that holds the agent config. */
export function configText(config: AgentConfig): string {
  return `${JSON.stringify(config, null, 2)}\n`;
}

const secretFilesSchema = z.array(
  z.strictObject({
    path: z.string(),
    secretName: z.string(),
    key: z.string().optional(),
    optional: z.literal(true).optional(),
  }),
);

/** What was decided last. A ConfigMap whose content somebody spoiled gives no decision. */
export function readConfigMap(
  live: ConfigMapObject | undefined,
): PreviousDecision & { readonly filesRevision: number; readonly filesDigest: string } {
  const { annotations = {} } = live?.metadata ?? {};
  const revision = Number(annotations[FILES_REVISION_ANNOTATION]);
  const files = {
    filesRevision: Number.isSafeInteger(revision) && revision > 0 ? revision : 0,
    filesDigest: annotations[FILES_DIGEST_ANNOTATION] ?? "",
  };
  const config = agentConfigSchema.safeParse(parseJSON(live?.data?.[CONFIG_KEY]));
  const secretFiles = secretFilesSchema.safeParse(parseJSON(annotations[SECRET_FILES_ANNOTATION]));
  if (!config.success || !secretFiles.success) return files;
  return { ...files, config: config.data, secretFiles: secretFiles.data };
}

function parseJSON(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
