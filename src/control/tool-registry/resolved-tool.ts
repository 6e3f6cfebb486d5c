import type { KeySelector } from "../../api/fields/core.ts";
import type { ToolEntry } from "../../api/tool-registry.ts";

export type ToolType = ToolEntry["type"];

/** A tool of a ToolRegistry that a model may be offered. It may be out of reach just now; invalid ones are not here. */
export interface ResolvedTool {
  /** Once in a registry. */
  readonly name: string;
  readonly type: ToolType;
  readonly url: string;
  /** `undefined`: nobody wrote one; then a pack may, and else `fallbackDescription` serves. */
  readonly description?: string | undefined;
  readonly fallbackDescription: string;
  readonly method: ToolEntry["method"];
  /** A JSON Schema object. */
  readonly inputSchema?: Readonly<Record<string, unknown>> | undefined;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly authSecretRef?: KeySelector | undefined;
  readonly allow?: readonly string[] | undefined;
  readonly available: boolean;
}
