import type { AgentRuntime } from "../../api/agent-runtime.ts";
import type { KeySelector } from "../../api/fields/pod-fields.ts";
import type { ResolvedTool } from "../tool-registry/resolved-tool.ts";

/** Which key of a Secret of the agent's namespace a tool is sent, if any, or which it is refused and why, with the cure. */
export type ToolCredential =
  | { readonly secretRef: KeySelector | undefined; readonly refusal?: undefined }
  | {
      readonly secretRef?: undefined;
      readonly refusedRef: KeySelector;
      readonly refusal: string;
    };

type CredentialTool = Pick<ResolvedTool, "name" | "authSecretRef" | "noCredential">;

/**
 * The name of a Secret means something only in the namespace of the object that names it. Else the author of a registry could
 * have any Secret of the agent's namespace sent to a URL of his choice.
 */
export function toolCredential(
  { name, authSecretRef, noCredential }: CredentialTool,
  { metadata, spec }: Pick<AgentRuntime, "metadata" | "spec">,
  registryNamespace: string,
): ToolCredential {
  const given = spec.toolRegistryRef?.credentials?.find(({ tool }) => tool === name);
  if (given !== undefined) {
    const { secretRef } = given;
    if (noCredential === undefined) return { secretRef };
    const refusal = `toolRegistryRef.credentials has one for it, but its ${noCredential}`;
    return { refusedRef: secretRef, refusal };
  }
  if (authSecretRef === undefined || registryNamespace === metadata.namespace) {
    return { secretRef: authSecretRef };
  }
  return {
    refusedRef: authSecretRef,
    refusal:
      `its authSecretRef names a Secret for agents of namespace "${registryNamespace}" only; ` +
      `give its credential in toolRegistryRef.credentials, from a Secret of namespace "${metadata.namespace}"`,
  };
}
