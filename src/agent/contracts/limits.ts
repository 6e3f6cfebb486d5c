/**
 * What a replica of an agent takes at most: of its clients, of the models and tools that it calls, and of its files.
 *
 * Three kinds of limits stand elsewhere: those of a client's frame in protocol/frames.ts, since clients rely on them; those
 * of what a session store keeps in sessions/session-store.ts, and those of one store in its own files.
 *
 * Sizes are in bytes and times in milliseconds, unless the name says otherwise.
 */
import type { AgentConfig, LimitsConfig } from "../../agent-config/agent-config.ts";
import { MAX_BYTES_PER_HOLDER } from "../sessions/session-store.ts";

/** The limits that the agent config may set. What each of them means is said there. */
export type Limits = { readonly [Name in keyof LimitsConfig]-?: number };

export const DEFAULT_LIMITS: Limits = {
  // An idle connection costs under 12 KB.
  maxConnections: 20_000,
  messagesPerSecond: 20,
  messageBurst: 200,
  maxSessionsPerConnection: 16,
  maxUnsentBytes: 1024 * 1024,
  maxUnsentMs: 30_000,
  // One core can stream this many answers at a time without one of them holding up the others.
  maxTurnsInFlight: 500,
  maxQueuedTurns: 500,
  maxQueueMs: 10_000,
  // The models that are in use take this many tokens, and have room left for the prompt, the tools and the answer.
  maxHistoryTokens: 64_000,
  maxSessionBytesPerClient: MAX_BYTES_PER_HOLDER,
};

/** Call it at each use, so that a changed config is in force at once. */
export function limitsOf(config: AgentConfig | undefined): Limits {
  const set = config?.limits;
  return set === undefined ? DEFAULT_LIMITS : ({ ...DEFAULT_LIMITS, ...set } as Limits);
}

// Connections
/** TCP connections beside `maxConnections`: plain HTTP requests, and handshakes of WebSockets. */
export const MAX_PLAIN_CONNECTIONS = 256;
/** TCP connections that the system may hold until the agent accepts them. */
export const LISTEN_BACKLOG = 1_024;
export const PING_INTERVAL_MS = 30_000;
/** A client that has answered no ping for this long is gone. */
export const PONG_TIMEOUT_MS = 60_000;
/** Pings that are due this soon go out with the one that is due now. */
export const PING_TOGETHER_MS = 100;
/** Frames of one client that wait to be handled. Past either limit nothing more is read from the client for a while. */
export const MAX_WAITING_FRAMES = 64;
export const MAX_WAITING_CHARACTERS = 1024 * 1024;
/** How long a client may take to send the headers of its request. */
export const HEADERS_TIMEOUT_MS = 10_000;

/** The longest that one timer runs. Node takes 24 days at most, and fires at once past that. */
export const MAX_TIMER_MS = 60 * 60_000;

// Turns
/** What `retry_after` says, in seconds, when the replica takes no more turns. */
export const RETRY_AFTER_SECONDS = 1;
/** Far above what a model writes. An answer that reaches it ends with finish_reason `length`. */
export const MAX_ANSWER_CHARACTERS = 16 * 1024 * 1024;
/** Frames of a turn that wait to be written to the session store. Past it the handler waits. */
export const MAX_UNSTORED_CHARACTERS = 256 * 1024;
/** The time between two writes of one turn while many stream: so much for each of them, but no more than a reader notices. */
export const WRITE_INTERVAL_PER_STREAM_MS = 0.4;
export const MAX_WRITE_INTERVAL_MS = 40;
/** A turn whose handler gives no sign of life for this long, and longer than its slowest tool may take, is ended. */
export const MAX_TURN_SILENCE_MS = 10 * 60_000;
/** How long a handler may take to come to its end after its turn was stopped. */
export const STOP_GRACE_MS = 2_000;
/** How often the leases of the running turns are renewed; a fraction of TURN_LEASE_MS. */
export const LEASE_RENEWAL_MS = 5_000;
/** A turn that is taken over more often than this is ended, since it may be the turn that its replicas die of. */
export const MAX_TURN_TAKEOVERS = 5;
/** How often the turn of a message is begun again because the turn before it was abandoned. */
export const MAX_TURN_BEGINS = 3;
/** How long a message waits for the store to learn the end of a failed turn before it, once the store answers again. */
export const MAX_FAILED_TURN_WAIT_MS = 3_000;

// Turns while the session store does not answer
/** Pauses after which a turn's write is tried again; together well under TURN_LEASE_MS. */
export const TURN_WRITE_RETRIES_MS = [250, 500, 1_000, 2_000, 4_000] as const;
/** The same for the begin of a turn, for which a client waits. */
export const TURN_BEGIN_RETRIES_MS = [250, 500] as const;
/** The same for the end of a turn whose clients were already told that it failed. */
export const STORE_RETURN_RETRIES_MS: readonly number[] = Array.from({ length: 60 }, () => 1_000);
/** What a turn wrote in the last while is kept, to be written again should the store have lost it. */
export const RECENT_WRITES_MS = 5_000;
export const MAX_RECENT_FRAMES = 1_000;
/** Turns that the store may have begun without an answer, and how often and how long they are withdrawn. */
export const MAX_UNSURE_TURNS = 10_000;
export const UNSURE_TURN_RETRY_MS = 1_000;
export const UNSURE_TURN_TIMEOUT_MS = 60_000;

// Models
/** How often a request is made again after a failure that may pass. */
export const MAX_PROVIDER_RETRIES = 2;
/** A provider that asks for a longer pause is not waited for: the person who chats decides. */
export const MAX_PROVIDER_RETRY_WAIT_MS = 3_000;
/**
 * A provider that sends no byte for this long is given up, before its answer as well as within it. There is no limit on the
 * whole answer, which may rightly take long. Keep-alive comments and pings count as signs of life. A model that says
 * something once a minute is slow, and not gone.
 */
export const PROVIDER_IDLE_LIMIT_MS = 90_000;
/** A connection to a provider that is not made within this time is given up. */
export const PROVIDER_CONNECT_LIMIT_MS = 10_000;
/** Bytes of an answer that wait to be read, from which on no more are taken from its connection. */
export const MAX_UNREAD_ANSWER_BYTES = 64 * 1024;
/** Bytes of one answer: some 200,000 tokens as they travel. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Bytes that are read of an answer that is an error. */
export const MAX_ERROR_BODY_BYTES = 64 * 1024;
/** A server that said why its answer ended, and neither sends more nor ends its stream, is not waited for any longer. */
export const ANSWER_END_WAIT_MS = 5_000;
/** What a server may still send behind the end of its answer, before its connection is given up. */
export const ANSWER_LINGER_MS = 1_000;
/** Names of fields and events in which a server departed from its protocol, and their length, as they are logged. */
export const MAX_DEPARTURES = 32;
export const MAX_DEPARTURE_CHARACTERS = 64;
/** Errors that are looked at: the one that was thrown, and its causes. */
export const MAX_ERROR_CAUSES = 8;
/** Characters that are shown of the word that a server gives for the end of an answer. */
export const MAX_FINISH_REASON_CHARACTERS = 64;
/** A longer id of a call is not shown to clients, but in its place a shorter one. */
export const MAX_CALL_ID_CHARACTERS = 256;
/** How often a model that refuses a prompt as too long is asked with fewer earlier turns, in one step. The last time without any. */
export const MAX_SHORTER_PROMPTS = 3;
/** Models of which a replica remembers the characters in a token, and the longest prompt. */
export const MAX_RATED_MODELS = 16;

// Answers that validators check
/** Characters of an answer that wait for a validator to judge them. An answer that has more is refused. */
export const MAX_CHECKED_CHARACTERS = 1024 * 1024;

// Tools
/** How long it may take to learn which arguments a tool takes, when a user edits those of a call that waits. */
export const MAX_EDIT_CHECK_MS = 5_000;
/** No provider takes a longer name of a tool. */
export const MAX_TOOL_NAME_CHARACTERS = 64;
/** How often the prompts of a turn ask members of the pack, and how deep members may ask each other. */
export const MAX_MEMBER_CALLS = 16;
export const MAX_MEMBER_DEPTH = 3;
/** Characters of the answer of a member that the one who asked is told. */
export const MAX_MEMBER_ANSWER_CHARACTERS = 64 * 1024;
/** Characters of the description of a skill, where the model is told which ones there are. */
export const MAX_LISTED_SKILL_CHARACTERS = 1_024;
/** More than a model writes in one answer. */
export const MAX_ARGUMENT_CHARACTERS = 1024 * 1024;
/** Begins of objects that are looked at in arguments that are no JSON. */
export const MAX_ARGUMENT_STATES = 64;
/** To check the arguments of one call against the schema of its tool. A step is about ten nanoseconds. */
export const MAX_ARGUMENT_STEPS = 6_000_000;
/** Problems with the arguments of a call that a model is told at a time. */
export const MAX_ARGUMENT_PROBLEMS = 5;

// Files
export const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
export const MAX_SECRET_BYTES = 64 * 1024;
/** How often files are read even if no change of them was noticed. */
export const FILE_POLL_MS = 10_000;
/** The same while there is no usable config yet. */
export const FIRST_CONFIG_POLL_MS = 1_000;
/** Changes of files that come within this time are taken together. */
export const FILE_SETTLE_MS = 50;
/** The pause before a session store that could not be opened is tried again. */
export const STORE_RETRY_MS = 2_000;

// Readiness
export const READINESS_TIMEOUT_MS = 3_000;

// Drain
export const DRAIN_TIMEOUT_MS = 60_000;
/**
 * Idle connections are closed one after the other, so that their clients do not all come back at once: 50 a second, or as
 * many as it takes to be done well before the drain has to end. So a drain takes no longer than its clients need.
 */
export const IDLE_CLOSE_INTERVAL_MS = 20;
export const IDLE_CLOSE_SPREAD_MS = 45_000;
/** How long the last frames may take to leave at the end of a drain. */
export const FLUSH_TIMEOUT_MS = 2_000;

// What gateways ask for beside connections
/** Requests of gateways that are answered at a time. A request beyond the limit is answered with 429. */
export const MAX_API_REQUESTS = 64;
/** Those of them that call a tool, which may take long. */
export const MAX_API_TOOL_CALLS = 16;
/** Bytes of the body of one request. */
export const MAX_API_BODY_BYTES = 1024 * 1024;
/** How long a request may take, and how long a call of a tool by hand, with all its attempts. */
export const API_TIMEOUT_MS = 10_000;
export const MAX_API_TOOL_CALL_MS = 10 * 60_000;

// Tools as MCP, for runtimes that bind them
export const MAX_TOOLS_ENDPOINT_CONNECTIONS = 256;
/** Bytes of one request: more than the longest arguments. */
export const MAX_TOOLS_ENDPOINT_BYTES = 2 * 1024 * 1024;
/** Calls of one turn that wait for each other. */
export const MAX_WAITING_BOUND_CALLS = 32;

// Runtimes in other frameworks
/** How long a turn waits for a runtime that is being started. */
export const RUNTIME_START_WAIT_MS = 10_000;
/** How often a runtime that is being started is asked whether it answers. */
export const RUNTIME_START_PROBE_MS = 100;
/** How long a runtime may take to answer whether it is ready. */
export const RUNTIME_PROBE_TIMEOUT_MS = 2_000;
/** The pauses before a runtime that has ended is started again. One that was ready for the last of them ran well. */
export const RUNTIME_RESTART = { firstMs: 500, lastMs: 30_000 } as const;
/** The time from SIGTERM to SIGKILL for a runtime, once the agent has drained. */
export const RUNTIME_END_GRACE_MS = 5_000;
/** Characters of a line that a runtime prints. The rest of a longer one is left out. */
export const MAX_RUNTIME_LINE_CHARACTERS = 16 * 1024;
/** How long a runtime may take to accept a connection. */
export const RUNTIME_CONNECT_MS = 5_000;
/** A runtime that sends nothing for this long is given up. Its own tools may take their time. */
export const RUNTIME_IDLE_LIMIT_MS = 5 * 60_000;
/** How long a runtime may keep its connection open behind the end of a run. The turn does not wait for it. */
export const RUNTIME_LINGER_MS = 5_000;
/** Calls whose arguments a runtime has begun to send in one step. */
export const MAX_RUNTIME_CALLS = 128;
/** Messages in one step of a runtime of which the agent remembers that they are not the model's. */
export const MAX_RUNTIME_MESSAGES = 1_024;
/** Bytes of one event of a runtime, or of one message over gRPC. */
export const MAX_RUNTIME_EVENT_BYTES = 8 * 1024 * 1024;
/** Calls that are refused in one step because the turn may have no more, before the runtime is given up. */
export const MAX_REFUSED_RUNTIME_CALLS = 16;

/** Turns that wait for the evals of the pack. More of them are not judged. */
export const MAX_TURNS_TO_JUDGE = 256;
