/** ToolRegistry: tools that agents may call, given by URL or discovered from Services. */
import { z } from "zod";
import { allowedNamespacesSchema } from "./fields/allowed-namespaces.ts";
import {
  MCP_TRANSPORTS,
  TOOL_AUTH_TYPES,
  TOOL_FORWARDS,
  TOOL_METHODS,
  TOOL_TYPES,
} from "./choices.ts";
import { conditionsSchema, observedGenerationSchema } from "./conditions.ts";
import { keySelectorSchema, quantitySchema } from "./fields/pod-fields.ts";
import { parseQuantity } from "./fields/quantity.ts";
import { durationField } from "./fields/duration.ts";
import {
  atomicList,
  int32,
  listByKey,
  mapOf,
  pattern,
  stringMap,
  serverURL,
  stringSet,
  text,
  toolURL,
} from "./fields/types.ts";
import { API_VERSION, TOOL_REGISTRY } from "./group.ts";
import { dataKey, dnsLabel, dnsSubdomain, labelValue, metadataSchema } from "./fields/names.ts";
import { withRules } from "./fields/rule.ts";
import { toolApprovalSchema } from "./tool-approval.ts";

const MAX_TOOLS = 128;
const MAX_HEADERS = 32;
const PORT_HINT = "must be a port number (1 to 65535) or the name of a port";
const PORT_NAME_PATTERN = /^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/;
const MIN_RESPONSE_BYTES = 1024;
const MAX_RESPONSE_BYTES = 1024 * 1024;
const RESPONSE_LIMIT_HINT = "must be from 1Ki to 1Mi";
const BILLIONTHS = 1_000_000_000n;
const DEFAULT_DESCRIPTORS_KEY = "descriptors.pb";
const SERVICE_NAME_PATTERN = /^[A-Za-z_][A-Za-z0-9_]*([.][A-Za-z_][A-Za-z0-9_]*)*$/;
const SERVICE_NAME_HINT = "must be the full name of a service, such as shop.v1.Shop";
const HEADER_NAME_PATTERN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const portSchema = withRules(
  z
    .union([z.int().min(1).max(65_535), pattern(15, PORT_NAME_PATTERN, PORT_HINT)], {
      error: PORT_HINT,
    })
    .meta({ "x-kubernetes-int-or-string": true, maxLength: 15 }),
  [
    {
      cel: "type(self) == int ? self >= 1 && self <= 65535 : self.matches('^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$')",
      holds: () => true,
      message: PORT_HINT,
    },
  ],
);

/** See tool-servers/server/tool-caller.ts. */
const CALLER_HEADER = /^x-omnia-(subject|session|timestamp|signature)$/i;

const headersSchema = withRules(
  mapOf(pattern(4096, /^[\t -~]*$/, "must be of printable ASCII characters"), MAX_HEADERS),
  [
    {
      cel: "self.all(name, name.matches('^[!#$%&\\'*+.^_`|~0-9A-Za-z-]+$'))",
      holds: (headers) => Object.keys(headers).every((name) => HEADER_NAME_PATTERN.test(name)),
      message: "a name of a header holds a character that HTTP does not allow",
    },
    {
      cel: "self.all(name, !name.matches('^(?i)x-omnia-(subject|session|timestamp|signature)$'))",
      holds: (headers) => !Object.keys(headers).some((name) => CALLER_HEADER.test(name)),
      message: "has a header that tells of the caller, which only the agent sets; see forward",
    },
  ],
);

const responseLimitSchema = withRules(quantitySchema, [
  {
    cel: "!isQuantity(string(self)) || (quantity(string(self)).compareTo(quantity('1Ki')) >= 0 && quantity(string(self)).compareTo(quantity('1Mi')) <= 0)",
    holds: (limit) => {
      const bytes = responseBytes(limit);
      return bytes >= MIN_RESPONSE_BYTES && bytes <= MAX_RESPONSE_BYTES;
    },
    message: RESPONSE_LIMIT_HINT,
  },
]);

/** The whole bytes of a `responseLimit`. */
export function responseBytes(limit: string | number): number {
  return Number((parseQuantity(limit) ?? 0n) / BILLIONTHS);
}

const inputSchema = z
  .looseObject({
    type: z.literal("object", 'must be "object": the arguments of a tool are an object').optional(),
  })
  .meta({ "x-kubernetes-preserve-unknown-fields": true });

const mcpSchema = withRules(
  z.strictObject({
    transport: z
      .enum(MCP_TRANSPORTS)
      .default("http")
      .describe("How the server is spoken to; sse is deprecated, and only omnia up runs stdio"),
    command: atomicList(text(4096), 64)
      .min(1)
      .optional()
      .describe("The program of a stdio server and its arguments, which no shell reads"),
    env: stringMap(64, 4096)
      .optional()
      .describe("Variables of a stdio server, besides PATH, HOME and the like"),
  }),
  [
    {
      cel: "has(self.command) == (has(self.transport) && self.transport == 'stdio')",
      holds: ({ command, transport }) => (command !== undefined) === (transport === "stdio"),
      path: ["command"],
      message: "goes with transport stdio, which needs it",
    },
    {
      cel: "!has(self.env) || (has(self.transport) && self.transport == 'stdio')",
      holds: ({ env, transport }) => env === undefined || transport === "stdio",
      path: ["env"],
      message: "goes with transport stdio",
      reason: "FieldValueForbidden",
    },
  ],
);

const TRANSPORT_HEADER =
  /^(connection|content-length|expect|host|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/i;

const grpcSchema = z.strictObject({
  descriptorSetRef: z
    .strictObject({
      name: dnsSubdomain().describe("Name of the ConfigMap"),
      key: dataKey()
        .default(DEFAULT_DESCRIPTORS_KEY)
        .describe("Key that holds it, in binaryData or as base64"),
    })
    .optional()
    .describe("Descriptors of the server, as protoc writes them; reflection if unset"),
  services: stringSet(pattern(256, SERVICE_NAME_PATTERN, SERVICE_NAME_HINT), 64)
    .optional()
    .describe("Only these services, by full name; all but those of gRPC itself if unset"),
});

export const toolEntrySchema = withRules(
  z.strictObject({
    name: dnsLabel().describe("Name of the entry, once in a registry"),
    type: z.enum(TOOL_TYPES).default("http").describe("How the tool is spoken to"),
    url: toolURL()
      .optional()
      .describe(
        "Where the tool is; or else selector. {name} in the path of an http tool is an argument",
      ),
    description: z.string().max(4096).optional().describe("What the model is told about it"),
    selector: z
      .strictObject({
        matchLabels: mapOf(labelValue(), 16)
          .default({})
          .describe("Labels that the Services carry, besides omnia.altairalabs.ai/tool"),
        names: stringSet(dnsSubdomain(), 64)
          .optional()
          .describe("Only the Services with these names; required to send them a credential"),
      })
      .optional()
      .describe("Services that offer tools; or else url"),
    port: portSchema.optional().describe("Port of the Services: its number or name"),
    method: z
      .enum(TOOL_METHODS)
      .default("POST")
      .describe("HTTP method: with GET and DELETE the arguments are the query, else the body"),
    inputSchema: inputSchema
      .optional()
      .describe("The arguments that the tool takes, as a JSON Schema"),
    timeout: durationField("1ms", "1h").default("30s").describe("How long one call may take"),
    retries: int32(0, 10)
      .default(2)
      .describe(
        "How often a call is tried again that failed; POST and PATCH only when it was surely not received",
      ),
    headers: headersSchema.optional().describe("Headers of every call; no place for secrets"),
    authSecretRef: keySelectorSchema
      .optional()
      .describe(
        "Key of a Secret, sent as the credential of every call; a bearer token if authType is unset",
      ),
    authType: z
      .enum(TOOL_AUTH_TYPES)
      .optional()
      .describe("How the credential is sent; basic takes user:password, bearer if unset"),
    authHeader: pattern(128, HEADER_NAME_PATTERN, "must be a name of a header, such as X-Api-Key")
      .optional()
      .describe("The header that has the credential, with authType header"),
    responseLimit: responseLimitSchema
      .optional()
      .describe("How much of an answer the model is given, in bytes or as 256Ki; 64Ki if unset"),
    maxParallel: int32(1, 1000)
      .optional()
      .describe("How many calls each replica makes at a time; any number if unset"),
    approval: toolApprovalSchema
      .optional()
      .describe(
        "Which calls wait until a user approves them: never, always, or those whose arguments match a schema",
      ),
    allow: stringSet(text(256), 256)
      .optional()
      .describe("Of an mcp, openapi or grpc server, only these tools"),
    openapi: z
      .strictObject({
        server: serverURL()
          .optional()
          .describe("Where the operations are; as the document says if unset"),
      })
      .optional()
      .describe("How an openapi server is called, whose url leads to its document"),
    grpc: grpcSchema.optional().describe("What goes with type grpc"),
    forward: stringSet(z.enum(TOOL_FORWARDS), TOOL_FORWARDS.length)
      .optional()
      .describe(
        "What each call tells of its caller in X-Omnia-… headers, signed with the credential",
      ),
    mcp: mcpSchema.optional().describe("What is particular to an MCP server"),
  }),
  [
    {
      cel: "!has(self.url) || !has(self.selector)",
      holds: ({ url, selector }) => url === undefined || selector === undefined,
      path: ["selector"],
      message: "must not stand beside url; remove one of the two",
      reason: "FieldValueForbidden",
    },
    {
      cel: "has(self.url) || has(self.selector) || (has(self.mcp) && has(self.mcp.transport) && self.mcp.transport == 'stdio')",
      holds: ({ url, selector, mcp }) =>
        url !== undefined || selector !== undefined || mcp?.transport === "stdio",
      path: ["url"],
      message: "required, unless selector names the Services that offer the tool",
      reason: "FieldValueRequired",
    },
    {
      cel: "!has(self.mcp) || (has(self.type) && self.type == 'mcp')",
      holds: ({ type, mcp }) => mcp === undefined || type === "mcp",
      path: ["mcp"],
      message: "goes with type mcp",
      reason: "FieldValueForbidden",
    },
    {
      cel: "!has(self.mcp) || !has(self.mcp.transport) || self.mcp.transport != 'stdio' || (!has(self.url) && !has(self.selector))",
      holds: ({ url, selector, mcp }) =>
        mcp?.transport !== "stdio" || (url === undefined && selector === undefined),
      path: ["mcp", "transport"],
      message: "stdio has a command, and neither url nor selector",
    },
    {
      cel: "!has(self.port) || !has(self.url)",
      holds: ({ port, url }) => port === undefined || url === undefined,
      path: ["port"],
      message: "goes with selector; write the port into url",
      reason: "FieldValueForbidden",
    },
    {
      cel: "!has(self.url) || (has(self.type) && self.type == 'grpc') || self.url.matches('^https?://')",
      holds: ({ url, type }) => url === undefined || type === "grpc" || /^https?:\/\//.test(url),
      path: ["url"],
      message: "must begin with http:// or https://",
    },
    {
      cel: "!has(self.openapi) || has(self.selector) || (has(self.type) && self.type == 'openapi')",
      holds: ({ openapi, selector, type }) =>
        openapi === undefined || selector !== undefined || type === "openapi",
      path: ["openapi"],
      message: "goes with type openapi",
      reason: "FieldValueForbidden",
    },
    {
      cel: "!has(self.grpc) || (has(self.type) && self.type == 'grpc')",
      holds: ({ grpc, type }) => grpc === undefined || type === "grpc",
      path: ["grpc"],
      message: "goes with type grpc",
      reason: "FieldValueForbidden",
    },
    {
      cel: "has(self.authHeader) == (has(self.authType) && self.authType == 'header')",
      holds: ({ authType, authHeader }) => (authHeader !== undefined) === (authType === "header"),
      path: ["authHeader"],
      message: "goes with authType header, which needs it",
    },
    {
      cel: "!has(self.authHeader) || !self.authHeader.matches('^(?i)(connection|content-length|expect|host|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$')",
      holds: ({ authHeader }) => authHeader === undefined || !TRANSPORT_HEADER.test(authHeader),
      path: ["authHeader"],
      message: "is a header of the connection, which can have no credential",
    },
    {
      cel: "!has(self.forward) || size(self.forward) == 0 || has(self.authSecretRef)",
      holds: ({ forward = [], authSecretRef }) =>
        forward.length === 0 || authSecretRef !== undefined,
      path: ["forward"],
      message: "needs authSecretRef, whose credential signs what is told of the caller",
    },
    {
      cel: "!has(self.authHeader) || !self.authHeader.matches('^(?i)x-omnia-(subject|session|timestamp|signature)$')",
      holds: ({ authHeader }) => authHeader === undefined || !CALLER_HEADER.test(authHeader),
      path: ["authHeader"],
      message: "is a header that tells of the caller, which can have no credential",
    },
  ],
);

export const toolRegistrySpecSchema = z.strictObject({
  tools: listByKey(toolEntrySchema, "name", MAX_TOOLS).describe("The tools"),
  allowedNamespaces: allowedNamespacesSchema
    .optional()
    .describe("Whose AgentRuntimes may refer to it; as the operator is set if unset"),
});

export const toolRegistryStatusSchema = z.object({
  phase: z
    .enum(["Pending", "Ready", "Degraded", "Failed"])
    .optional()
    .describe("Where the registry stands"),
  discoveredTools: int32(0).optional().describe("Tools that were found"),
  availableTools: int32(0).optional().describe("Tools that can be called"),
  tools: z
    .array(
      z.object({
        name: z.string().max(256).describe("Name of the tool"),
        type: z.string().max(63).optional().describe("How it is spoken to"),
        endpoint: z.string().max(4096).optional().describe("Where it is"),
        available: z.boolean().describe("Whether it can be called"),
        reason: z.string().max(1024).optional().describe("Why not"),
        message: z.string().max(1024).optional().describe("Why not, for people"),
        server: z.string().max(256).optional().describe("The tool of spec whose server has it"),
        hash: z.string().max(64).optional().describe("Of its description and arguments"),
      }),
    )
    .max(1024)
    .meta({ "x-kubernetes-list-type": "atomic" })
    .optional()
    .describe("Every tool with its state"),
  observedGeneration: observedGenerationSchema,
  conditions: conditionsSchema.optional().describe("What holds, and why not"),
});

export const toolRegistrySchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal(TOOL_REGISTRY),
  metadata: metadataSchema(dnsSubdomain()),
  spec: toolRegistrySpecSchema,
  status: toolRegistryStatusSchema.optional(),
});

export type ToolRegistry = z.output<typeof toolRegistrySchema>;
export type ToolEntry = z.output<typeof toolEntrySchema>;
export type ToolRegistryStatus = z.output<typeof toolRegistryStatusSchema>;
