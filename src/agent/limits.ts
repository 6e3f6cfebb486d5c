/** Every limit of an agent replica, in one place. Sizes in bytes and times in milliseconds unless the name says otherwise. */

// Connections
export const MAX_CONNECTIONS = 10_000;
export const PING_INTERVAL_MS = 30_000;
/** A client that answered no ping for this long is gone. */
export const PONG_TIMEOUT_MS = 60_000;
/** Past this, a client's turn waits; unless it reads, the connection ends after MAX_UNSENT_MS. */
export const MAX_UNSENT_BYTES = 1024 * 1024;
export const MAX_UNSENT_MS = 30_000;
/** Frames of one client that wait for their turn; past either limit nothing more is read from it for a while. */
export const MAX_WAITING_FRAMES = 64;
export const MAX_WAITING_CHARACTERS = 1024 * 1024;
/**
 * Frames of one connection that did not begin a turn: refused messages, cancels, resumes. A client that waits for its
 * answers never meets this limit.
 */
export const IDLE_FRAMES_PER_SECOND = 20;
export const IDLE_FRAMES_BURST = 200;
/** Sessions that one connection follows at a time, its own included. */
export const MAX_SESSIONS_PER_CONNECTION = 16;
/** How long a client may take to send the headers of its request. */
export const HEADERS_TIMEOUT_MS = 10_000;

// Turns
export const MAX_TURNS_IN_FLIGHT = 2_000;
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
/** Idle connections are closed one after the other, so that their clients do not all come back at once. */
export const IDLE_CLOSE_INTERVAL_MS = 2;
export const IDLE_CLOSE_SPREAD_MS = 10_000;
/** How long the last frames may take to leave at the end of a drain. */
export const FLUSH_TIMEOUT_MS = 2_000;
