import type { PromptPackDocument } from "../../promptpack/document/prompt-pack-document.ts";

/** One accepted version of a PromptPack. It never changes. */
export interface KeptVersion {
  /** Content hash, 12 hex digits. */
  readonly hash: string;
  /** The version that the content gives itself. */
  readonly semver: string;
  readonly document: PromptPackDocument;
}

/** A version that is kept, and of which no more is known at the moment. */
export interface UnreadVersion {
  readonly hash: string;
  readonly document?: undefined;
}

/** The versions of a PromptPack that agents run now. */
export interface PackVersions {
  readonly active?: KeptVersion;
  readonly canary?: { readonly weight: number; readonly version: KeptVersion };
}
