import type { KeySelector } from "../../api/fields/pod-fields.ts";
import type { ToolEntry } from "../../api/tool-registry.ts";
import type { OpenApiOperation } from "../../agent-config/openapi-operation.ts";
import type { AllowedAddresses } from "../../network/address-verdict.ts";

export type ToolType = ToolEntry["type"];

/** A valid tool of a ToolRegistry, which a model may be offered. It may be out of reach just now. */
export interface ResolvedTool {
  /** No two tools of a registry have the same name. */
  readonly name: string;
  readonly type: ToolType;
  /** Empty where a command stands in for it. */
  readonly url: string;
  /** `undefined` when the registry has none. The description of the pack is taken then, and else `fallbackDescription`. */
  readonly description?: string | undefined;
  readonly fallbackDescription: string;
  readonly method: ToolEntry["method"];
  /** A JSON Schema object. */
  readonly inputSchema?: Readonly<Record<string, unknown>> | undefined;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly authSecretRef?: KeySelector | undefined;
  readonly authType?: ToolEntry["authType"] | undefined;
  readonly authHeader?: string | undefined;
  /** Bytes. */
  readonly responseLimit?: number | undefined;
  readonly maxParallel?: number | undefined;
  /** Why it is never sent a credential, as `noCredential` says of its Service. `undefined`: it may be sent one. */
  readonly noCredential?: string | undefined;
  /** Whether a user is asked before a call. */
  readonly approval?: ToolEntry["approval"] | undefined;
  readonly allow?: readonly string[] | undefined;
  /** `descriptorSet` is base64, of the key of a ConfigMap that is named. */
  readonly grpc?:
    | (NonNullable<ToolEntry["grpc"]> & { readonly descriptorSet?: string | undefined })
    | undefined;
  readonly forward?: ToolEntry["forward"] | undefined;
  /** Which addresses it may have, besides public ones. `undefined`: no other. */
  readonly allowedAddresses?: AllowedAddresses | undefined;
  readonly mcp?: ToolEntry["mcp"] | undefined;
  readonly available: boolean;
  /** Of an openapi server: where its operations are, and what agents are told of them once its document was read. */
  readonly openapi?:
    | {
        readonly server?: string | undefined;
        readonly operations?: readonly OpenApiOperation[] | undefined;
      }
    | undefined;
  /** The tools that its server offers, where it stands for one. `undefined` while they are not known. */
  readonly listed?: readonly string[] | undefined;
}
