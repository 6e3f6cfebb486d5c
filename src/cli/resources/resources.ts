import type { OutputFormat } from "../terminal/streams.ts";

/** The flags of both commands that show resources. */
export interface ResourceFlags {
  readonly namespace?: string | undefined;
  readonly state?: string | undefined;
  readonly output: OutputFormat;
}

/** What `status` and `explain` look at, and where it was read. */
export interface Resources {
  readonly source:
    | { readonly kind: "local"; readonly url: string }
    | { readonly kind: "cluster"; readonly context: string; readonly server: string };
  /** As received. */
  readonly items: readonly unknown[];
}
