/** Where a runtime in another framework listens, and whether it does. */
import type { ProviderConfig } from "../../agent-config/agent-config.ts";

export interface GivenToRuntime {
  readonly provider: ProviderConfig | undefined;
  /** Where it finds the registry's tools as MCP. */
  readonly toolsMcpUrl: string | undefined;
}

export interface RuntimeEndpoint {
  /** Has what needs starting started. Later calls say what the next start is given. */
  start(given: GivenToRuntime): void;
  /** Settles with the base of its addresses once it answers. Rejects with a RuntimeUnavailableError, or as the signal says. */
  whenReady(signal: AbortSignal): Promise<URL>;
  /** Why it does not answer now, in a sentence for people. */
  problem(): Promise<string | undefined>;
  /** Ends what was started. */
  close(): Promise<void>;
}

/** The message is a sentence for people. */
export class RuntimeUnavailableError extends Error {
  override readonly name = "RuntimeUnavailableError";
}
