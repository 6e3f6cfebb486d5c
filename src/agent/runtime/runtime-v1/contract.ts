/**
 * The gRPC contract omnia.runtime.v1, as far as an agent uses it. examples/grpc-runtime/runtime.proto says what each field
 * means; a test holds both to the same names and numbers. The descriptors are made when they are first needed, from these tables.
 */
import {
  create,
  createFileRegistry,
  type DescMethodStreaming,
  type DescMethodUnary,
} from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import {
  DescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  type DescriptorProto,
  type FieldDescriptorProto,
} from "@bufbuild/protobuf/wkt";

export const RUNTIME_PACKAGE = "omnia.runtime.v1";
const SERVICE = `${RUNTIME_PACKAGE}.RuntimeService`;

/** The number of a field, and its type: a scalar, a message or an enum of the contract. Brackets mean a list. */
type Field = readonly [
  number: number,
  type: "string" | "bool" | "int32" | "map" | (string & {}) | readonly [string],
];

const MESSAGES: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  ClientMessage: {
    session_id: [1, "string"],
    content: [2, "string"],
    metadata: [3, "map"],
    client_tool_result: [5, "ClientToolResult"],
  },
  ClientToolResult: {
    call_id: [1, "string"],
    result_json: [2, "string"],
    is_rejected: [3, "bool"],
    rejection_reason: [4, "string"],
  },
  ServerMessage: {
    chunk: [1, "Chunk"],
    tool_call: [2, "ToolCall"],
    tool_result: [3, "ToolResult"],
    done: [4, "Done"],
    error: [5, "Error"],
  },
  Chunk: { content: [1, "string"], role: [2, "string"] },
  ToolCall: {
    id: [1, "string"],
    name: [2, "string"],
    arguments_json: [3, "string"],
    execution: [4, "ToolExecution"],
  },
  ToolResult: { id: [1, "string"], result_json: [2, "string"], is_error: [3, "bool"] },
  Done: { final_content: [1, "string"], usage: [2, "Usage"], parts: [3, ["ContentPart"]] },
  ContentPart: { type: [1, "string"], text: [2, "string"] },
  Usage: { input_tokens: [1, "int32"], output_tokens: [2, "int32"] },
  Error: { code: [1, "string"], message: [2, "string"] },
  HealthRequest: {},
  HealthResponse: {
    healthy: [1, "bool"],
    status: [2, "string"],
    contract_version: [3, "string"],
    capabilities: [4, ["string"]],
  },
  HasConversationRequest: { session_id: [1, "string"] },
  HasConversationResponse: { state: [1, "ResumeState"] },
};

/** The messages whose fields are one choice, by the name of the choice. */
const CHOICES: Readonly<Record<string, string>> = { ServerMessage: "message" };

/** The names in the order of their numbers, from 0. */
const ENUMS: Readonly<Record<string, readonly string[]>> = {
  ToolExecution: ["TOOL_EXECUTION_SERVER", "TOOL_EXECUTION_CLIENT"],
  ResumeState: [
    "RESUME_STATE_UNSPECIFIED",
    "RESUME_STATE_RESUMABLE",
    "RESUME_STATE_NOT_FOUND",
    "RESUME_STATE_UNAVAILABLE",
  ],
};

const SCALARS: Readonly<Record<string, Type>> = {
  string: Type.STRING,
  bool: Type.BOOL,
  int32: Type.INT32,
};

export const CONTRACT_FILE = create(FileDescriptorProtoSchema, {
  name: "omnia/runtime/v1/runtime.proto",
  package: RUNTIME_PACKAGE,
  syntax: "proto3",
  messageType: Object.entries(MESSAGES).map(([name, fields]) => messageOf(name, fields)),
  enumType: Object.entries(ENUMS).map(([name, values]) => ({
    name,
    value: values.map((value, number) => ({ name: value, number })),
  })),
  service: [
    {
      name: "RuntimeService",
      method: [
        {
          name: "Converse",
          inputType: typeName("ClientMessage"),
          outputType: typeName("ServerMessage"),
          clientStreaming: true,
          serverStreaming: true,
        },
        methodOf("Health"),
        methodOf("HasConversation"),
      ],
    },
  ],
});

export interface RuntimeContract {
  readonly converse: DescMethodStreaming;
  readonly health: DescMethodUnary;
  readonly hasConversation: DescMethodUnary;
}

export function createRuntimeContract(): RuntimeContract {
  const service = createFileRegistry(CONTRACT_FILE, () => undefined).getService(SERVICE);
  if (service === undefined) throw new Error(`the contract lacks ${SERVICE}`);
  return service.method as unknown as RuntimeContract;
}

function messageOf(name: string, fields: Readonly<Record<string, Field>>): DescriptorProto {
  const choice = CHOICES[name];
  return create(DescriptorProtoSchema, {
    name,
    field: Object.entries(fields).map(([field, [number, type]]) => ({
      ...fieldOf(name, field, number, type),
      ...(choice === undefined ? {} : { oneofIndex: 0 }),
    })),
    oneofDecl: choice === undefined ? [] : [{ name: choice }],
    nestedType: Object.entries(fields)
      .filter(([, [, type]]) => type === "map")
      .map(([field]) => ({
        name: entryName(field),
        field: [fieldOf("", "key", 1, "string"), fieldOf("", "value", 2, "string")],
        options: { mapEntry: true },
      })),
  });
}

function fieldOf(
  message: string,
  name: string,
  number: number,
  type: Field[1],
): FieldDescriptorProto {
  const one = typeof type === "string" ? type : type[0];
  const isMap = one === "map";
  const isPlain = SCALARS[one] !== undefined;
  return create(FieldDescriptorProtoSchema, {
    name,
    number,
    jsonName: protoCamelCase(name),
    label: isMap || typeof type !== "string" ? Label.REPEATED : Label.OPTIONAL,
    type: SCALARS[one] ?? (ENUMS[one] === undefined ? Type.MESSAGE : Type.ENUM),
    ...(isPlain ? {} : { typeName: typeName(isMap ? `${message}.${entryName(name)}` : one) }),
  });
}

/** protoc calls the entries of a map so. */
function entryName(field: string): string {
  const camel = protoCamelCase(field);
  return `${camel.charAt(0).toUpperCase()}${camel.slice(1)}Entry`;
}

function typeName(name: string): string {
  return `.${RUNTIME_PACKAGE}.${name}`;
}

function methodOf(name: string): { name: string; inputType: string; outputType: string } {
  return { name, inputType: typeName(`${name}Request`), outputType: typeName(`${name}Response`) };
}
