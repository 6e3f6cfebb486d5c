/** Makes the part of the agent config that says how clients reach the agent, and which clients may. */
import type { AgentConfig, AuthConfig } from "../../agent-config/agent-config.ts";
import { type AgentFacts, API_KEYS_FOLDER } from "./agent-facts.ts";
import type { SecretFile } from "./workload-decision.ts";

export interface FacadePart {
  readonly value: AgentConfig["facade"];
  readonly secretFiles: readonly SecretFile[];
  /** Says that the Secret of the API keys is not there. The keys of before are not kept then, and nobody may come in. */
  readonly problem?: string | undefined;
}

export function facadePart({ agentRuntime, references }: AgentFacts): FacadePart {
  const { port, allowedOrigins, auth } = agentRuntime.spec.facade;
  const secretName = auth?.apiKeysSecretRef?.name;
  const value: AgentConfig["facade"] = {
    port,
    allowedOrigins,
    auth: auth && authConfig(auth),
  };
  if (secretName === undefined) return { value, secretFiles: [] };
  const secretFiles = [{ path: API_KEYS_FOLDER, secretName }];
  if (references.apiKeysSecret?.found === true) return { value, secretFiles };
  const problem = `Secret "${secretName}" of facade.auth.apiKeysSecretRef is not there; make it, with one key for each client`;
  return { value, secretFiles, problem };
}

function authConfig({
  jwt,
  apiKeysSecretRef,
}: NonNullable<AgentFacts["agentRuntime"]["spec"]["facade"]["auth"]>): AuthConfig {
  return {
    jwt,
    apiKeysFolder: apiKeysSecretRef === undefined ? undefined : API_KEYS_FOLDER,
    apiKeysSecret: apiKeysSecretRef?.name,
  };
}
