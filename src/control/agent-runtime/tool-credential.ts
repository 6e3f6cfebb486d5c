import type { AgentRuntimeSpec } from "../../api/agent-runtime.ts";
import type { KeySelector } from "../../api/fields/pod-fields.ts";
import type { ResolvedTool } from "../tool-registry/resolved-tool.ts";

/** Which key of a Secret of the agent's namespace a tool is sent, if any, or why it is refused one, with the cure. */
export type ToolCredential =
  | { readonly secretRef: KeySelector | undefined; readonly refusal?: undefined }
  | { readonly secretRef?: undefined; readonly refusal: string };

type CredentialTool = Pick<ResolvedTool, "name" | "authSecretRef" | "noCredential">;

export interface CredentialFacts {
  readonly agentNamespace: string;
  readonly registryNamespace: string;
  /** `toolRegistryRef.credentials` of the agent. */
  readonly credentials: NonNullable<AgentRuntimeSpec["toolRegistryRef"]>["credentials"];
}

/**
 * The name of a Secret means something only in the namespace of the object that names it. Else the author of a registry could
 * have any Secret of the agent's namespace sent to a URL of his choice.
 */
export function toolCredential(
  { name, authSecretRef, noCredential }: CredentialTool,
  { agentNamespace, registryNamespace, credentials = [] }: CredentialFacts,
): ToolCredential {
  const given = credentials.find(({ tool }) => tool === name);
  if (given !== undefined) {
    if (noCredential === undefined) return { secretRef: given.secretRef };
    return { refusal: `toolRegistryRef.credentials has one for it, but its ${noCredential}` };
  }
  if (authSecretRef === undefined || registryNamespace === agentNamespace) {
    return { secretRef: authSecretRef };
  }
  return {
    refusal:
      `its authSecretRef names a Secret for agents of namespace "${registryNamespace}" only; ` +
      `give its credential in toolRegistryRef.credentials, from a Secret of namespace "${agentNamespace}"`,
  };
}
