import type { SourceFlags } from "../source/choose-source.ts";
import type { OutputFormat } from "../terminal/streams.ts";

/** The flags that both commands that show resources have. */
export interface ResourceFlags extends SourceFlags {
  readonly namespace?: string | undefined;
  readonly output: OutputFormat;
}

/** What `status` and `explain` look at, and where it was read. */
export interface Resources {
  readonly source:
    | { readonly kind: "local"; readonly url: string }
    | { readonly kind: "cluster"; readonly context: string; readonly server: string };
  /** An `omnia up` that runs on this machine too and was not asked. */
  readonly other?: { readonly url: string } | undefined;
  /** Where the `omnia up` that was asked keeps its state. An older one does not tell. */
  readonly stateFolder?: string | undefined;
  /** The items as they were received. */
  readonly items: readonly unknown[];
}
