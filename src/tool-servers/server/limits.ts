/** The limits of calls to tools, and of what comes back. */

/** Bytes of a tool's answer that are handed to the model. The rest is cut off, and the model is told so. */
export const MAX_TOOL_OUTPUT_BYTES = 64 * 1024;
/** Bytes of an answer that is an error. */
export const MAX_TOOL_ERROR_BYTES = 4 * 1024;
export const MAX_TOOL_REDIRECTS = 3;
/** The longest pause before a tool is called again, before it is spread at random. */
export const MAX_TOOL_RETRY_WAIT_MS = 5_000;
export const MAX_TOOL_CONNECT_MS = 10_000;
/** A tool that failed this often in a row is left alone for TOOL_REST_MS. */
export const MAX_TOOL_FAILURES = 5;
export const TOOL_REST_MS = 5_000;
/** Calls of one tool that may wait for others to end, where its `maxParallel` bounds them. */
export const MAX_WAITING_TOOL_CALLS = 100;
/** Servers of tools that are remembered with their failures. Beyond this number the one that was made longest ago is forgotten. */
export const MAX_TOOL_SERVERS = 1_024;
