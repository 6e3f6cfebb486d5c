/** The fields of ToolRegistries: `tools` until January 2026, `handlers` since. */
import { gone, implied, moved, under, type UpstreamField } from "./upstream-field.ts";

const SELECTOR = 'a Service is found by the label omnia.altairalabs.ai/tool: "true" besides';
const NO_NAMESPACE = "Services are looked for in the registry's own namespace";
const NO_PROCESS = "a tool is behind a URL here, and no command is run";
const NO_MAPPING = "arguments and answers are passed on as they are";
const NO_CREDENTIAL = "a tool is sent a bearer token, from authSecretRef";
const NO_BACKOFF = "only the number of tries can be set";
const NO_FILES = "the authorities that the system trusts are trusted";
const ANSWER = "the answer of a tool goes to the model as it is";

function selector(prefix: string): UpstreamField[] {
  return [
    moved("2025-12", `${prefix}.matchLabels`, "selector.matchLabels", SELECTOR),
    moved("2025-12", `${prefix}.port`, "port"),
    gone("2025-12", `${prefix}.namespace`, NO_NAMESPACE),
  ];
}

function retries(config: string): UpstreamField[] {
  return [
    moved(
      "2026",
      `${config}.retryPolicy.maxAttempts`,
      "retries",
      "one less: the first try does not count",
    ),
    gone("2026", `${config}.retryPolicy`, NO_BACKOFF),
  ];
}

const TOOL_FIELDS: readonly UpstreamField[] = [
  moved("2025-12", "endpoint.url", "url"),
  ...selector("endpoint.selector"),
  moved("2025-12", "schema.input", "inputSchema", "a mapping, and no text"),
  gone("2025-12", "schema.output", ANSWER),
  moved("2026", "mcpConfig.endpoint", "url"),
  implied(
    "2026",
    "mcpConfig.transport",
    ["sse", "streamable-http"],
    "a server that has a URL is spoken to over HTTP",
  ),
  gone("2026", "mcpConfig.command", NO_PROCESS),
  gone("2026", "mcpConfig.args", NO_PROCESS),
  gone("2026", "mcpConfig.env", NO_PROCESS),
  gone("2026", "mcpConfig.workDir", NO_PROCESS),
];

const HANDLER_FIELDS: readonly UpstreamField[] = [
  moved(
    "2026",
    "name",
    "name",
    "the name that the model calls, tool.name with - for _, where there is one",
  ),
  moved("2026", "type", "type"),
  moved("2026", "timeout", "timeout"),
  moved("2026", "retries", "retries"),
  moved("2026", "tool.name", "name", "with - for _"),
  moved("2026", "tool.description", "description"),
  moved("2026", "tool.inputSchema", "inputSchema"),
  gone("2026", "tool.outputSchema", ANSWER),
  ...selector("selector").map((field) => ({ ...field, since: "2026" as const })),
  moved("2026", "auth.secretRef", "authSecretRef"),
  implied("2026", "auth.type", ["bearer", "none"], NO_CREDENTIAL),
  gone("2026", "auth", NO_CREDENTIAL),

  moved("2026", "httpConfig.endpoint", "url"),
  moved("2026", "httpConfig.method", "method"),
  moved("2026", "httpConfig.headers", "headers"),
  moved("2026", "httpConfig.authSecretRef", "authSecretRef"),
  implied("2026", "httpConfig.authType", ["bearer"], NO_CREDENTIAL),
  ...retries("httpConfig"),
  implied("2026", "httpConfig.contentType", ["application/json"], "arguments go as JSON"),
  gone("2026", "httpConfig.urlTemplate", "arguments go into the body, or with GET into the query"),
  gone("2026", "httpConfig.queryParams", "arguments go into the body, or with GET into the query"),
  gone("2026", "httpConfig.headerParams", "arguments go into the body, or with GET into the query"),
  gone("2026", "httpConfig.staticQuery", "write it into the query of url"),
  gone("2026", "httpConfig.staticBody", NO_MAPPING),
  gone("2026", "httpConfig.bodyMapping", NO_MAPPING),
  gone("2026", "httpConfig.responseMapping", NO_MAPPING),
  gone("2026", "httpConfig.redact", NO_MAPPING),

  moved("2026", "openAPIConfig.specURL", "url"),
  gone("2026", "openAPIConfig.baseURL", "the address is that of the specification's servers"),
  moved("2026", "openAPIConfig.operationFilter", "allow"),
  moved("2026", "openAPIConfig.headers", "headers"),
  moved("2026", "openAPIConfig.authSecretRef", "authSecretRef"),
  implied("2026", "openAPIConfig.authType", ["bearer"], NO_CREDENTIAL),
  ...retries("openAPIConfig"),

  moved("2026", "grpcConfig.endpoint", "url"),
  moved("2026", "grpcConfig.tls", "url", "with TLS the URL begins with grpcs://"),
  gone("2026", "grpcConfig.tlsCertPath", NO_FILES),
  gone("2026", "grpcConfig.tlsKeyPath", NO_FILES),
  gone("2026", "grpcConfig.tlsCAPath", NO_FILES),
  gone("2026", "grpcConfig.tlsInsecureSkipVerify", NO_FILES),
  ...retries("grpcConfig"),

  moved("2026", "mcpConfig.endpoint", "url"),
  implied(
    "2026",
    "mcpConfig.transport",
    ["sse", "streamable-http"],
    "a server that has a URL is spoken to over HTTP",
  ),
  gone("2026", "mcpConfig.command", NO_PROCESS),
  gone("2026", "mcpConfig.args", NO_PROCESS),
  gone("2026", "mcpConfig.env", NO_PROCESS),
  gone("2026", "mcpConfig.workDir", NO_PROCESS),
  moved("2026", "mcpConfig.toolFilter.allowlist", "allow"),
  gone(
    "2026",
    "mcpConfig.toolFilter.blocklist",
    "list what is allowed instead, or name the tools in the blocklist of the pack's tool_policy",
  ),
  ...retries("mcpConfig"),

  gone("2026", "clientConfig", "tools run behind a URL here, and not at the client"),
];

export const TOOL_REGISTRY_FIELDS: readonly UpstreamField[] = [
  ...under("tools[].", TOOL_FIELDS, "tools[]."),
  ...under("handlers[].", HANDLER_FIELDS, "tools[]."),
  gone("2026", "probe", "tools with a URL are tried by themselves"),
];
