/** What an AgentRuntime refers to, as gathered: the same for a cluster and for one machine. */
import type { PromptPackStatus } from "../../api/prompt-pack.ts";
import type { ToolRegistryStatus } from "../../api/tool-registry.ts";
import type { RunningVersions } from "../prompt-pack/pack-version.ts";
import type { ResolvedTool } from "../tool-registry/resolved-tool.ts";

/** `hint`: why it cannot be seen though it may be there, as another cure than to make it. */
type MissingReference = { readonly found: false; readonly hint?: string | undefined };

export type PromptPackReference =
  | MissingReference
  | {
      readonly found: true;
      readonly name: string;
      readonly namespace: string;
      /** The decision of this moment, not what was written last: both come from `decidePromptPack`. */
      readonly status: PromptPackStatus;
      readonly versions: RunningVersions;
    };

export type ToolRegistryReference =
  | MissingReference
  | {
      readonly found: true;
      readonly name: string;
      readonly namespace: string;
      /** As `decideToolRegistry` gave them. */
      readonly status: ToolRegistryStatus;
      readonly tools: readonly ResolvedTool[];
    };

export type SecretReference =
  | {
      readonly found: false;
      /** Another cure than to make the Secret, such as an environment variable: "set OPENAI_API_KEY". */
      readonly hint?: string | undefined;
    }
  | {
      readonly found: true;
      /** Those that hold something: a key with an empty value counts as missing. */
      readonly keys: readonly string[];
      /** `environment`: the value stands in for the Secret, whatever its keys are called. */
      readonly source: "secret" | "environment";
      /** Of the Secret or of the environment variable. */
      readonly name: string;
    };

/** `urlProblem`: why the value is no `redis://` or `rediss://` URL, without the value; see `redisURLProblem`. */
export type SessionStoreReference = SecretReference & { readonly urlProblem?: string | undefined };

/** A reference that the AgentRuntime does not make is left out. */
export interface AgentReferences {
  readonly promptPack?: PromptPackReference | undefined;
  readonly toolRegistry?: ToolRegistryReference | undefined;
  readonly providerSecret?: SecretReference | undefined;
  readonly sessionStoreSecret?: SessionStoreReference | undefined;
  /** `facade.auth.apiKeysSecretRef`; every key is one client. */
  readonly apiKeysSecret?: SecretReference | undefined;
  /** `authSecretRef` of the registry's tools, by the Secret's name. Looked for in the agent's namespace, where its pods are. */
  readonly toolSecrets?: Readonly<Record<string, SecretReference>> | undefined;
}
