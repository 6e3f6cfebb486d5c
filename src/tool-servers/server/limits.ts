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
/** Bytes of one answer of an MCP server, or of one message of a stream that stays open. */
export const MAX_MCP_ANSWER_BYTES = 4 * 1024 * 1024;
/** Bytes of what a command prints between two messages and is none. Past it the command is ended. */
export const MAX_COMMAND_NOISE_BYTES = 1024 * 1024;
export const MAX_MCP_CONNECT_MS = 10_000;
/** The same for a server that is a command, which may have to be downloaded first. */
export const MAX_MCP_START_MS = 60_000;
/** The time for all pages of a server's list. */
export const MAX_MCP_LIST_MS = 10_000;
/** How long a turn waits for the list of an MCP server before it goes on with the list before, or without the tools. */
export const MCP_LIST_WAIT_MS = 3_000;
/** A list that could not be read is read again after this time at the earliest. */
export const MCP_LIST_REST_MS = 5_000;
/** A list that is older is read again, since not every server tells when its tools change. */
export const MCP_LIST_AGE_MS = 5 * 60_000;
export const MAX_MCP_LIST_PAGES = 64;
/** Tools of one server. Those beyond are left out. */
export const MAX_LISTED_TOOLS = 1_024;
export const MAX_TOOL_NAME_CHARACTERS = 256;
export const MAX_TOOL_DESCRIPTION_CHARACTERS = 4_096;
/** A call whose streams have all ended without its answer is given up after this time. */
export const MCP_BROKEN_OFF_MS = 500;
/** An MCP client that nobody uses is closed after this time. */
export const MCP_IDLE_MS = 10 * 60_000;
/** The same for a client of a server that no tool of the config has any more. */
export const MCP_RETIRED_MS = 5_000;
/** How often the list of a server is read, at the least. */
export const LIST_INTERVAL_MS = 10 * 60_000;
/** How long it may take to read a list. */
export const MAX_LIST_READ_MS = 30_000;
/** Lists that one control plane reads at a time. */
export const MAX_LISTS_READ_AT_ONCE = 4;
/** Bytes of an OpenAPI document. One in YAML is read far more slowly than one in JSON. */
export const MAX_OPENAPI_BYTES = 16 * 1024 * 1024;
export const MAX_OPENAPI_YAML_BYTES = 1024 * 1024;
export const OPENAPI_READ_TIMEOUT_MS = 25_000;
/** Commas, brackets and braces of a document in JSON, which are about as many as its values. GitHub's has a quarter of it. */
export const MAX_OPENAPI_MARKS = 1_000_000;
/** A longer document is converted in a thread of its own, in so much of JavaScript's memory and so much time. */
export const MAX_INLINE_OPENAPI_CHARACTERS = 16 * 1024;
export const MAX_OPENAPI_THREAD_MEGABYTES = 160;
export const OPENAPI_CONVERT_TIMEOUT_MS = 20_000;
/** Operations of one OpenAPI document that a model is offered. A document with more needs `allow`. */
export const MAX_OPENAPI_OPERATIONS = 64;
/** As JSON, the operations of all openapi servers of a registry. They are a part of the config of every agent. */
export const MAX_OPERATIONS_BYTES = 256 * 1024;
/** Schemas within the schema of one operation's arguments. What is further away from the arguments is left out. */
export const MAX_OPERATION_SCHEMA_NODES = 2_000;
/** As JSON, the schema of one operation's arguments. */
export const MAX_OPERATION_SCHEMA_CHARACTERS = 32 * 1024;
