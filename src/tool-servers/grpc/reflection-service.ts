import { create, createFileRegistry, type DescService, type Message } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

/** The newest first. What they say is the same. */
export const REFLECTION_PACKAGES = ["grpc.reflection.v1", "grpc.reflection.v1alpha"] as const;

/** What a client asks for; each request has one of these. */
export type ReflectionRequest =
  | { readonly listServices: string }
  | { readonly fileContainingSymbol: string }
  | { readonly fileByFilename: string };

/** What is read of an answer. */
export interface ReflectionResponse extends Message {
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Uint8Array[] };
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly errorResponse?: { readonly errorCode: number };
}

/** One of the names of a field and its number, and a type unless it is a string. */
type FieldOf = readonly [name: string, number: number, type?: string, repeated?: "repeated"];

/** The service by which a gRPC server describes itself. Oneofs are left out, since only one field of each is ever sent. */
export function reflectionService(packageName: string): DescService {
  const file = create(FileDescriptorProtoSchema, {
    name: `${packageName}.proto`,
    package: packageName,
    syntax: "proto3",
    messageType: [
      message(packageName, "ServerReflectionRequest", [
        ["file_by_filename", 3],
        ["file_containing_symbol", 4],
        ["list_services", 7],
      ]),
      message(packageName, "ServerReflectionResponse", [
        ["file_descriptor_response", 4, "FileDescriptorResponse"],
        ["list_services_response", 6, "ListServiceResponse"],
        ["error_response", 7, "ErrorResponse"],
      ]),
      message(packageName, "FileDescriptorResponse", [
        ["file_descriptor_proto", 1, "bytes", "repeated"],
      ]),
      message(packageName, "ListServiceResponse", [["service", 1, "ServiceResponse", "repeated"]]),
      message(packageName, "ServiceResponse", [["name", 1]]),
      message(packageName, "ErrorResponse", [["error_code", 1, "int32"]]),
    ],
    service: [
      {
        name: "ServerReflection",
        method: [
          {
            name: "ServerReflectionInfo",
            inputType: `.${packageName}.ServerReflectionRequest`,
            outputType: `.${packageName}.ServerReflectionResponse`,
            clientStreaming: true,
            serverStreaming: true,
          },
        ],
      },
    ],
  });
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));
  const service = registry.getService(`${packageName}.ServerReflection`);
  if (service === undefined) throw new Error("the reflection service is declared above");
  return service;
}

const SCALARS: Readonly<Record<string, FieldDescriptorProto_Type | undefined>> = {
  string: FieldDescriptorProto_Type.STRING,
  bytes: FieldDescriptorProto_Type.BYTES,
  int32: FieldDescriptorProto_Type.INT32,
};

function message(packageName: string, name: string, fields: readonly FieldOf[]): DescriptorProto {
  return create(DescriptorProtoSchema, {
    name,
    field: fields.map(([fieldName, number, type = "string", repeated]) => ({
      name: fieldName,
      jsonName: fieldName,
      number,
      label:
        repeated === undefined
          ? FieldDescriptorProto_Label.OPTIONAL
          : FieldDescriptorProto_Label.REPEATED,
      type: SCALARS[type] ?? FieldDescriptorProto_Type.MESSAGE,
      typeName: SCALARS[type] === undefined ? `.${packageName}.${type}` : "",
    })),
  });
}
