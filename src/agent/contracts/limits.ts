/** Every limit of an agent replica, in one place. Sizes in bytes and times in milliseconds unless the name says otherwise. */
import type { AgentConfig, LimitsConfig } from "../../agent-config/agent-config.ts";

/** Those that the agent config may set; what each one means is told there. */
export type Limits = { readonly [Name in keyof LimitsConfig]-?: number };

export const DEFAULT_LIMITS: Limits = {
  // An idle connection costs under 12 KB.
  maxConnections: 20_000,
  messagesPerSecond: 20,
  messageBurst: 200,
  maxSessionsPerConnection: 16,
  maxUnsentBytes: 1024 * 1024,
  maxUnsentMs: 30_000,
  // As many answers at a time stream through one core without one holding up the other.
  maxTurnsInFlight: 500,
  maxQueuedTurns: 500,
  maxQueueMs: 10_000,
  // Fits the models that are in use, with room for prompt, tools and answer.
  maxHistoryTokens: 64_000,
};

/** Asked for at each use, so that a changed config counts at once. */
export function limitsOf(config: AgentConfig | undefined): Limits {
  const set = config?.limits;
  return set === undefined ? DEFAULT_LIMITS : ({ ...DEFAULT_LIMITS, ...set } as Limits);
}

// Connections
export const PING_INTERVAL_MS = 30_000;
/** A client that answered no ping for this long is gone. */
export const PONG_TIMEOUT_MS = 60_000;
/** Pings that are due so soon go out with the one that is due now. */
export const PING_TOGETHER_MS = 100;
/** Frames of one client that wait for their turn; past either limit nothing more is read from it for a while. */
export const MAX_WAITING_FRAMES = 64;
export const MAX_WAITING_CHARACTERS = 1024 * 1024;
/** How long a client may take to send the headers of its request. */
export const HEADERS_TIMEOUT_MS = 10_000;

// Turns
/** What `retry_after` says, in seconds, when the replica takes no more turns. */
export const RETRY_AFTER_SECONDS = 1;
/** Far above what a model writes; an answer that reaches it ends with finish_reason `length`. */
export const MAX_ANSWER_CHARACTERS = 16 * 1024 * 1024;
/** Frames of a turn that wait to be written to the session store; past it the handler waits. */
export const MAX_UNSTORED_CHARACTERS = 256 * 1024;
/** A turn whose handler gives no sign of life for this long, and longer than its slowest tool may take, is ended. */
export const MAX_TURN_SILENCE_MS = 10 * 60_000;
/** How long a handler may take to come to its end after its turn was stopped. */
export const STOP_GRACE_MS = 2_000;
/** How often the leases of the running turns are renewed; a fraction of TURN_LEASE_MS. */
export const LEASE_RENEWAL_MS = 5_000;
/** Pauses after which a turn's write is tried again when the store does not answer; together well under TURN_LEASE_MS. */
export const TURN_WRITE_RETRIES_MS = [250, 500, 1_000, 2_000, 4_000] as const;
/** The same for a turn of which the clients were told that it failed, once the store was tried for long. */
export const STORE_RETURN_RETRIES_MS: readonly number[] = Array.from({ length: 60 }, () => 1_000);
/** A turn that was taken over so often, for one replica after the other died with it, is ended. */
export const MAX_TURN_TAKEOVERS = 5;
/** The same for the begin of a turn, for which a client waits. */
export const TURN_BEGIN_RETRIES_MS = [250, 500] as const;

// Files
export const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
export const MAX_SECRET_BYTES = 64 * 1024;
export const MAX_API_KEYS = 1_000;
/** The safety net under the file watch. */
export const FILE_POLL_MS = 10_000;
/** The same while there is no usable config yet. */
export const FIRST_CONFIG_POLL_MS = 1_000;
/** Changes of files that come together are taken together. */
export const FILE_SETTLE_MS = 50;
export const STORE_RETRY_MS = 2_000;

// Readiness
export const READINESS_TIMEOUT_MS = 3_000;

// Drain
export const DRAIN_TIMEOUT_MS = 60_000;
/**
 * Idle connections are closed one after the other, so that their clients do not all come back at once: 50 a second, or as
 * many as it takes to be done well before the drain's end. So a drain takes no longer than its clients need.
 */
export const IDLE_CLOSE_INTERVAL_MS = 20;
export const IDLE_CLOSE_SPREAD_MS = 45_000;
/** How long the last frames may take to leave at the end of a drain. */
export const FLUSH_TIMEOUT_MS = 2_000;
