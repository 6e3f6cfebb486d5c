import type { KeptPack, KeptVersion } from "../versions/kept-pack.ts";

/** What a rollback did, in a cluster or on this machine. */
export interface Rollback {
  /** The pack after it. */
  readonly pack: KeptPack;
  readonly to: KeptVersion;
  /** The hash of what the source held before, if that was valid. */
  readonly from: string | undefined;
  /** A sentence about where it was written. `undefined`: that version was there already. */
  readonly written: string | undefined;
  readonly warnings: readonly string[];
}
