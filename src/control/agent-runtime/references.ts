/** What was gathered of the references of an AgentRuntime. It has the same shape in a cluster and on one machine. */
import type { PromptPack } from "../../api/prompt-pack.ts";
import type { ToolRegistryStatus } from "../../api/tool-registry.ts";
import type { AllowedNamespaces } from "../../api/fields/allowed-namespaces.ts";
import type { Finding } from "../condition.ts";
import type { RunningVersions } from "../prompt-pack/pack-version.ts";
import type { ResolvedTool } from "../tool-registry/resolved-tool.ts";

export interface MissingReference {
  readonly found: false;
  /** Another cure than to make the object, for an object that may be there and cannot be seen. */
  readonly hint?: string | undefined;
  /** It is there and does not allow the agent's namespace. Only its owner is told so: to the agent it looks the same as absent. */
  readonly isRefused?: boolean | undefined;
}

export type PromptPackReference =
  | MissingReference
  | {
      readonly found: true;
      readonly name: string;
      readonly namespace: string;
      /** What was decided just now about the source, which may be newer than the status that was written last. */
      readonly validity: Finding<"PromptPack", "SourceValid">;
      readonly versions: RunningVersions;
      /** With `canary` a session keeps the version that it began with; with `immediate` all sessions get the newest one. */
      readonly strategy: PromptPack["spec"]["rollout"]["strategy"];
      /** Set when evals of the pack are to be run on the turns of its agents. */
      readonly evals?: PromptPack["spec"]["rollout"]["evals"];
      readonly allowedNamespaces?: AllowedNamespaces | undefined;
    };

export type ToolRegistryReference =
  | MissingReference
  | {
      readonly found: true;
      readonly name: string;
      readonly namespace: string;
      /** What `decideToolRegistry` decided just now. */
      readonly status: ToolRegistryStatus;
      readonly tools: readonly ResolvedTool[];
      readonly allowedNamespaces?: AllowedNamespaces | undefined;
    };

export type SecretReference =
  | {
      readonly found: false;
      /** Another cure than to make the Secret, such as "set OPENAI_API_KEY". */
      readonly hint?: string | undefined;
    }
  | {
      readonly found: true;
      /** The keys that hold a value. A key with an empty value counts as missing. */
      readonly keys: readonly string[];
      /** `environment` means that a variable gives the value in place of the Secret, whatever keys the Secret has. */
      readonly source: "secret" | "environment";
      /** The name of the Secret or of the environment variable. */
      readonly name: string;
      /** Key → why its value does not fit the use that the Secret was read for, without the value. */
      readonly unfitValues?: Readonly<Record<string, string>> | undefined;
    };

/** `urlProblem` says why the value is no URL of a session store, without the value; see `redisURLProblem`. */
export type SessionStoreReference = SecretReference & { readonly urlProblem?: string | undefined };

/** A reference that the AgentRuntime does not make is `undefined`. */
export interface AgentReferences {
  readonly promptPack?: PromptPackReference | undefined;
  readonly toolRegistry?: ToolRegistryReference | undefined;
  readonly providerSecret?: SecretReference | undefined;
  readonly sessionStoreSecret?: SessionStoreReference | undefined;
  /** The Secret of `facade.auth.apiKeysSecretRef`. Every key in it is one client. */
  readonly apiKeysSecret?: SecretReference | undefined;
  /**
   * The Secrets that `toolCredential` names for the registry's tools, by name. They are looked up in the agent's namespace,
   * where its pods are.
   */
  readonly toolSecrets?: Readonly<Record<string, SecretReference>> | undefined;
}
