/** The values of fields that the resources and the agent config have in common. */
export const PROVIDER_NAMES = ["openai", "anthropic", "google"] as const;
/** The APIs of OpenAI. */
export const PROVIDER_APIS = ["chat", "responses"] as const;
/** The fields of a chat completion that may hold the most tokens of an answer. */
export const TOKEN_LIMIT_FIELDS = ["max_tokens", "max_completion_tokens"] as const;
export const HANDLER_NAMES = ["runtime", "demo", "echo"] as const;
export const SESSION_STORES = ["memory", "redis"] as const;
export const TOOL_TYPES = ["http", "grpc", "mcp", "openapi"] as const;
/** How an MCP server is spoken to. */
export const MCP_TRANSPORTS = ["http", "sse", "stdio"] as const;
/** How a tool is sent its credential. */
export const TOOL_AUTH_TYPES = ["bearer", "basic", "header"] as const;
/** What a tool is told of who it is called for. */
export const TOOL_FORWARDS = ["subject"] as const;
/** Whether the user is asked before a tool is called, whatever the arguments. */
export const TOOL_APPROVALS = ["never", "always"] as const;
export const TOOL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
