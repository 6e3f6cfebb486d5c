import { TOOL_REGISTRY } from "../group.ts";
import { type KindCase, manifestOf } from "./kind-case.ts";

function registry(...tools: unknown[]): object {
  return manifestOf(TOOL_REGISTRY, { tools });
}

function tool(changes: Record<string, unknown>): object {
  return registry({ name: "weather", url: "http://weather.tools.svc/v1", ...changes });
}

function discovered(changes: Record<string, unknown>): object {
  return registry({ name: "found", selector: { matchLabels: { team: "support" } }, ...changes });
}

export const TOOL_REGISTRY_CASES: readonly KindCase[] = [
  { name: "no tools", manifest: registry() },
  { name: "a URL alone", manifest: tool({}) },
  {
    name: "a tool with all that an http tool can have",
    manifest: tool({
      type: "http",
      description: "Tells the weather",
      method: "GET",
      timeout: "2.5s",
      retries: 0,
      headers: { "X-Team": "support" },
      authSecretRef: { name: "weather", key: "token" },
      inputSchema: {
        type: "object",
        properties: { city: { type: "string", enum: ["Oslo", null], default: null } },
        required: ["city"],
      },
    }),
  },
  {
    name: "a path with arguments, and a credential in a header",
    manifest: tool({
      url: "https://shop.example/orders/{order_id}/items?all=1",
      authSecretRef: { name: "shop", key: "token" },
      authType: "header",
      authHeader: "X-Api-Key",
      responseLimit: "256Ki",
      maxParallel: 4,
    }),
  },
  {
    name: "a tool that is told of its caller",
    manifest: tool({ authSecretRef: { name: "shop", key: "token" }, forward: ["subject"] }),
  },
  { name: "a tool that is told of nothing", manifest: tool({ forward: [] }) },
  { name: "a user and a password", manifest: tool({ authType: "basic" }) },
  { name: "a limit in bytes", manifest: tool({ responseLimit: 1024 }) },
  { name: "the greatest limit", manifest: tool({ responseLimit: "1Mi" }) },
  { name: "a grpc tool by host and port", manifest: tool({ type: "grpc", url: "tools:50051" }) },
  { name: "a grpc tool by URL", manifest: tool({ type: "grpc", url: "grpcs://tools:50051" }) },
  { name: "an MCP server with a choice of tools", manifest: tool({ type: "mcp", allow: ["a"] }) },
  { name: "an MCP server over SSE", manifest: tool({ type: "mcp", mcp: { transport: "sse" } }) },
  { name: "an MCP server with no setting", manifest: tool({ type: "mcp", mcp: {} }) },
  {
    name: "a command that is an MCP server",
    manifest: registry({
      name: "time",
      type: "mcp",
      mcp: { transport: "stdio", command: ["npx", "-y", "npx"], env: { TZ: "", HOME: "/tmp" } },
    }),
  },
  {
    name: "MCP settings of an http tool",
    manifest: tool({ mcp: { transport: "http" } }),
    refusedAt: "spec.tools[0].mcp",
  },
  {
    name: "a command with a URL",
    manifest: tool({ type: "mcp", mcp: { transport: "stdio", command: ["a"] } }),
    refusedAt: "spec.tools[0].mcp.transport",
  },
  {
    name: "a command for Services",
    manifest: discovered({ type: "mcp", mcp: { transport: "stdio", command: ["a"] } }),
    refusedAt: "spec.tools[0].mcp.transport",
  },
  {
    name: "a stdio server without a command",
    manifest: registry({ name: "time", type: "mcp", mcp: { transport: "stdio" } }),
    refusedAt: "spec.tools[0].mcp.command",
  },
  {
    name: "an empty command",
    manifest: registry({ name: "time", type: "mcp", mcp: { transport: "stdio", command: [] } }),
    refusedAt: "spec.tools[0].mcp.command",
  },
  {
    name: "a command without its transport",
    manifest: tool({ type: "mcp", mcp: { command: ["a"] } }),
    refusedAt: "spec.tools[0].mcp.command",
  },
  {
    name: "variables without a command",
    manifest: tool({ type: "mcp", mcp: { env: { A: "b" } } }),
    refusedAt: "spec.tools[0].mcp.env",
  },
  {
    name: "an MCP transport that nobody knows",
    manifest: tool({ type: "mcp", mcp: { transport: "websocket" } }),
    refusedAt: "spec.tools[0].mcp.transport",
  },
  {
    name: "an MCP server with neither URL nor selector",
    manifest: registry({ name: "time", type: "mcp", mcp: {} }),
    refusedAt: "spec.tools[0].url",
  },
  { name: "calls that never wait for an approval", manifest: tool({ approval: "never" }) },
  { name: "calls that always wait", manifest: discovered({ approval: "always" }) },
  {
    name: "calls that wait where their arguments match",
    manifest: tool({
      approval: {
        arguments: {
          type: "object",
          properties: { amount: { exclusiveMinimum: 100 }, note: { enum: ["a", null] } },
        },
      },
    }),
  },
  { name: "any arguments", manifest: tool({ approval: { arguments: {} } }) },
  { name: "an approval that is unset", manifest: tool({ approval: null }) },
  {
    name: "an openapi server with a server of its own",
    manifest: tool({ type: "openapi", openapi: { server: "https://api.example.com:8443/v1" } }),
  },
  {
    name: "an openapi server with a path",
    manifest: tool({ type: "openapi", openapi: { server: "/v1/" } }),
  },
  { name: "an openapi server without more", manifest: tool({ type: "openapi", openapi: {} }) },
  {
    name: "Services that may be openapi servers by their annotations",
    manifest: discovered({ openapi: { server: "/" } }),
  },
  {
    name: "openapi of an http tool",
    manifest: tool({ openapi: { server: "/v1" } }),
    refusedAt: "spec.tools[0].openapi",
  },
  ...["", "v1", "ftp://a", "https://a/b?c=d", "https://u:p@a/", "https://a/{b}", "/a#b"].map(
    (server) => ({
      name: `an openapi server at ${JSON.stringify(server)}`,
      manifest: tool({ type: "openapi", openapi: { server } }),
      refusedAt: "spec.tools[0].openapi.server",
    }),
  ),
  {
    name: "a grpc tool with a set of descriptors and a choice of services",
    manifest: tool({
      type: "grpc",
      grpc: { descriptorSetRef: { name: "shop.descriptors" }, services: ["shop.v1.Shop", "Admin"] },
      allow: ["Shop_GetOrder"],
    }),
  },
  {
    name: "grpc Services with a set of descriptors",
    manifest: discovered({
      type: "grpc",
      grpc: { descriptorSetRef: { name: "shop", key: "a.pb" } },
    }),
  },
  { name: "Services by label", manifest: discovered({}) },
  { name: "all Services with the tool label", manifest: discovered({ selector: {} }) },
  {
    name: "Services by name",
    manifest: discovered({ selector: { matchLabels: { team: "support" }, names: ["a", "b.c"] } }),
  },
  {
    name: "a name of a Service twice",
    manifest: discovered({ selector: { names: ["a", "a"] } }),
    refusedAt: "spec.tools[0].selector.names[1]",
  },
  {
    name: "a registry for namespaces with a label",
    manifest: manifestOf(TOOL_REGISTRY, {
      tools: [],
      allowedNamespaces: {
        from: "Selector",
        selector: {
          matchLabels: { team: "support" },
          matchExpressions: [{ key: "stage", operator: "NotIn", values: ["test"] }],
        },
      },
    }),
  },
  {
    name: "a selector of namespaces that is missing",
    manifest: manifestOf(TOOL_REGISTRY, { tools: [], allowedNamespaces: { from: "Selector" } }),
    refusedAt: "spec.allowedNamespaces.selector",
  },
  {
    name: "a selector of namespaces that means nothing",
    manifest: manifestOf(TOOL_REGISTRY, {
      tools: [],
      allowedNamespaces: { from: "All", selector: {} },
    }),
    refusedAt: "spec.allowedNamespaces.selector",
  },
  { name: "a port by number", manifest: discovered({ port: 8080 }) },
  { name: "a port by name", manifest: discovered({ port: "http" }) },
  { name: "no list of tools", manifest: manifestOf(TOOL_REGISTRY, {}), refusedAt: "spec.tools" },
  {
    name: "a tool without name",
    manifest: tool({ name: undefined }),
    refusedAt: "spec.tools[0].name",
  },
  {
    name: "a tool with a capital",
    manifest: tool({ name: "Weather" }),
    refusedAt: "spec.tools[0].name",
  },
  {
    name: "two tools of one name",
    manifest: registry({ name: "a", url: "http://a" }, { name: "a", url: "http://b" }),
    refusedAt: "spec.tools[1].name",
    serverRefusesAt: "spec.tools[1]",
  },
  {
    name: "a URL and a selector",
    manifest: tool({ selector: { matchLabels: { a: "b" } } }),
    refusedAt: "spec.tools[0].selector",
  },
  {
    name: "neither URL nor selector",
    manifest: tool({ url: undefined }),
    refusedAt: "spec.tools[0].url",
  },
  { name: "a port beside a URL", manifest: tool({ port: 80 }), refusedAt: "spec.tools[0].port" },
  { name: "port 0", manifest: discovered({ port: 0 }), refusedAt: "spec.tools[0].port" },
  {
    name: "a port beyond the last",
    manifest: discovered({ port: 65536 }),
    refusedAt: "spec.tools[0].port",
  },
  {
    name: "a port name with capitals",
    manifest: discovered({ port: "HTTP" }),
    refusedAt: "spec.tools[0].port",
  },
  {
    name: "a port name that is too long",
    manifest: discovered({ port: "a-very-long-port" }),
    refusedAt: "spec.tools[0].port",
  },
  {
    name: "a label with a value that none can have",
    manifest: discovered({ selector: { matchLabels: { team: "a b" } } }),
    refusedAt: "spec.tools[0].selector.matchLabels.team",
  },
  {
    name: "a selector by expressions",
    manifest: discovered({ selector: { matchExpressions: [] } }),
    refusedAt: "spec.tools[0].selector.matchExpressions",
  },
  { name: "an unknown type", manifest: tool({ type: "soap" }), refusedAt: "spec.tools[0].type" },
  {
    name: "a URL without scheme",
    manifest: tool({ url: "weather:80" }),
    refusedAt: "spec.tools[0].url",
  },
  {
    name: "a URL with a password",
    manifest: tool({ url: "http://me:secret@weather/" }),
    refusedAt: "spec.tools[0].url",
  },
  {
    name: "an unknown method",
    manifest: tool({ method: "get" }),
    refusedAt: "spec.tools[0].method",
  },
  {
    name: "a timeout of nothing",
    manifest: tool({ timeout: "0s" }),
    refusedAt: "spec.tools[0].timeout",
  },
  {
    name: "a timeout of two hours",
    manifest: tool({ timeout: "2h" }),
    refusedAt: "spec.tools[0].timeout",
  },
  {
    name: "an unknown way of a credential",
    manifest: tool({ authType: "digest" }),
    refusedAt: "spec.tools[0].authType",
  },
  {
    name: "a credential in a header that is not named",
    manifest: tool({ authType: "header" }),
    refusedAt: "spec.tools[0].authHeader",
  },
  {
    name: "a header for a credential that goes elsewhere",
    manifest: tool({ authHeader: "X-Api-Key" }),
    refusedAt: "spec.tools[0].authHeader",
  },
  {
    name: "a credential in a header of the connection",
    manifest: tool({ authType: "header", authHeader: "Transfer-Encoding" }),
    refusedAt: "spec.tools[0].authHeader",
  },
  {
    name: "a credential in a header with a space",
    manifest: tool({ authType: "header", authHeader: "X Key" }),
    refusedAt: "spec.tools[0].authHeader",
  },
  {
    name: "a credential in a header that tells of the caller",
    manifest: tool({ authType: "header", authHeader: "x-omnia-Subject" }),
    refusedAt: "spec.tools[0].authHeader",
  },
  {
    name: "a header that only the agent sets",
    manifest: tool({ headers: { "X-Omnia-Signature": "v1=0" } }),
    refusedAt: "spec.tools[0].headers",
  },
  {
    name: "a caller that nothing signs",
    manifest: tool({ forward: ["subject"] }),
    refusedAt: "spec.tools[0].forward",
  },
  {
    name: "a fact of the caller that there is not",
    manifest: tool({ authSecretRef: { name: "shop", key: "token" }, forward: ["token"] }),
    refusedAt: "spec.tools[0].forward[0]",
  },
  {
    name: "a fact of the caller twice",
    manifest: tool({
      authSecretRef: { name: "shop", key: "token" },
      forward: ["subject", "subject"],
    }),
    refusedAt: "spec.tools[0].forward",
  },
  ...[1023, "1Gi", "100m", 0].map((responseLimit) => ({
    name: `a limit of ${responseLimit}`,
    manifest: tool({ responseLimit }),
    refusedAt: "spec.tools[0].responseLimit",
  })),
  {
    name: "no call at a time",
    manifest: tool({ maxParallel: 0 }),
    refusedAt: "spec.tools[0].maxParallel",
  },
  { name: "eleven retries", manifest: tool({ retries: 11 }), refusedAt: "spec.tools[0].retries" },
  {
    name: "a header with a space in its name",
    manifest: tool({ headers: { "X Team": "a" } }),
    refusedAt: "spec.tools[0].headers",
  },
  {
    name: "a header with a line break",
    manifest: tool({ headers: { "X-Team": "a\r\nb" } }),
    refusedAt: "spec.tools[0].headers.X-Team",
  },
  {
    name: "a secret without key",
    manifest: tool({ authSecretRef: { name: "a" } }),
    refusedAt: "spec.tools[0].authSecretRef.key",
  },
  {
    name: "an input schema that is no object",
    manifest: tool({ inputSchema: ["a"] }),
    refusedAt: "spec.tools[0].inputSchema",
  },
  {
    name: "arguments that are no object",
    manifest: tool({ inputSchema: { type: "string" } }),
    refusedAt: "spec.tools[0].inputSchema.type",
  },
  {
    name: "another word for an approval",
    manifest: tool({ approval: "sometimes" }),
    refusedAt: "spec.tools[0].approval",
  },
  {
    name: "a number for an approval",
    manifest: tool({ approval: 1 }),
    refusedAt: "spec.tools[0].approval",
  },
  {
    name: "a list of approvals",
    manifest: tool({ approval: ["always"] }),
    refusedAt: "spec.tools[0].approval",
  },
  {
    name: "an approval of nothing",
    manifest: tool({ approval: {} }),
    refusedAt: "spec.tools[0].approval",
    serverRefusesAt: "spec.tools[0].approval.arguments",
  },
  {
    name: "an approval of a text",
    manifest: tool({ approval: { arguments: "amount > 100" } }),
    refusedAt: "spec.tools[0].approval",
    serverRefusesAt: "spec.tools[0].approval.arguments",
  },
  {
    name: "an approval of arguments that are no object",
    manifest: tool({ approval: { arguments: { type: "array" } } }),
    refusedAt: "spec.tools[0].approval",
    serverRefusesAt: "spec.tools[0].approval.arguments.type",
  },
  {
    name: "an approval with an unknown field",
    manifest: tool({ approval: { arguments: {}, reason: "x" } }),
    refusedAt: "spec.tools[0].approval.reason",
    serverRefusesAt: "spec.tools[0].approval",
  },
  {
    name: "a tool that is allowed twice",
    manifest: tool({ allow: ["a", "a"] }),
    refusedAt: "spec.tools[0].allow[1]",
  },
  {
    name: "descriptors of a tool that is not grpc",
    manifest: tool({ grpc: { descriptorSetRef: { name: "shop" } } }),
    refusedAt: "spec.tools[0].grpc",
  },
  {
    name: "descriptors of an mcp server",
    manifest: tool({ type: "mcp", grpc: {} }),
    refusedAt: "spec.tools[0].grpc",
  },
  {
    name: "descriptors without the name of a ConfigMap",
    manifest: tool({ type: "grpc", grpc: { descriptorSetRef: {} } }),
    refusedAt: "spec.tools[0].grpc.descriptorSetRef.name",
  },
  {
    name: "a key that no ConfigMap has",
    manifest: tool({ type: "grpc", grpc: { descriptorSetRef: { name: "shop", key: "a/b" } } }),
    refusedAt: "spec.tools[0].grpc.descriptorSetRef.key",
  },
  {
    name: "a name that no service has",
    manifest: tool({ type: "grpc", grpc: { services: ["shop/v1"] } }),
    refusedAt: "spec.tools[0].grpc.services[0]",
  },
  {
    name: "an unknown field",
    manifest: tool({ endpoint: "x" }),
    refusedAt: "spec.tools[0].endpoint",
  },
];
