import type { AgentRuntime, RuntimeSpec } from "../../api/agent-runtime.ts";
import type { ConditionType } from "../../api/conditions.ts";
import { type AgentConfig, SECRETS_FOLDER } from "../../agent-config/agent-config.ts";
import type { Finding } from "../condition.ts";
import type { TrustPolicy } from "../trust-policy.ts";
import type { AgentReferences } from "./references.ts";
import type { SecretFile } from "./workload-decision.ts";

/** The last decision that was carried out. */
export interface PreviousDecision {
  readonly config?: AgentConfig | undefined;
  readonly secretFiles?: readonly SecretFile[] | undefined;
  /** A digest of all that the config was made of, but for the name of the agent. `undefined`: that is not known. */
  readonly madeOf?: string | undefined;
}

/** The input of the parts of the decision about an AgentRuntime. */
export interface AgentFacts {
  readonly agentRuntime: AgentRuntime;
  /** `undefined` for the handlers that run no model. */
  readonly runtime: RuntimeSpec | undefined;
  readonly references: AgentReferences;
  readonly previous: PreviousDecision;
  readonly policy: TrustPolicy;
}

/** The answer of one part: what it finds, and what it adds to the agent. */
export interface AgentPart<T extends ConditionType<"AgentRuntime">, V> {
  readonly finding: Finding<"AgentRuntime", T>;
  /** `undefined` when there is nothing that could run, and there was nothing before. */
  readonly result: { readonly value: V; readonly secretFiles: readonly SecretFile[] } | undefined;
}

export const PROVIDER_FOLDER = `${SECRETS_FOLDER}/provider`;
export const SESSION_STORE_FOLDER = `${SECRETS_FOLDER}/session-store`;
export const TOOLS_FOLDER = `${SECRETS_FOLDER}/tools`;
export const API_KEYS_FOLDER = `${SECRETS_FOLDER}/api-keys`;

/** The secret files of one folder in the decision that was carried out last. */
export function previousFiles(
  { secretFiles }: PreviousDecision,
  folder: string,
): readonly SecretFile[] | undefined {
  return secretFiles?.filter(({ path }) => path.startsWith(`${folder}/`));
}
