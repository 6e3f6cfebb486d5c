/** Asks a gRPC server what it has. Servers speak one of two versions of the same protocol; some of the newest know the older one only. */
import { fromBinary, type DescService } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { missingImports } from "./descriptor-files.ts";
import { isInfrastructure } from "./offered-methods.ts";
import { MAX_DESCRIPTOR_BYTES, MAX_DESCRIPTOR_FILES, MAX_GRPC_SERVICES } from "./grpc-limits.ts";
import {
  REFLECTION_PACKAGES,
  type ReflectionRequest,
  type ReflectionResponse,
  reflectionService,
} from "./reflection-service.ts";

export interface Reflection {
  readonly files: readonly FileDescriptorProto[];
  /** Sentences about what the server does not tell. */
  readonly notes: readonly string[];
}

export interface ReadReflectionOptions {
  readonly transport: Transport;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Only these services are asked for. `undefined`: all but those of gRPC itself. */
  readonly services: readonly string[] | undefined;
}

/** The server tells too much to be read. */
export class TooManyDescriptorsError extends Error {
  override readonly name = "TooManyDescriptorsError";
}

/** Rejects with a ConnectError, or with a TooManyDescriptorsError. */
export async function readReflection(options: ReadReflectionOptions): Promise<Reflection> {
  const [newest, ...older] = REFLECTION_PACKAGES;
  try {
    return await readBy(reflectionService(newest), options);
  } catch (error) {
    if (!isUnimplemented(error)) throw error;
  }
  for (const name of older) return await readBy(reflectionService(name), options);
  throw new ConnectError("no version of the reflection service is known", Code.Unimplemented);
}

export function isUnimplemented(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unimplemented;
}

async function readBy(service: DescService, options: ReadReflectionOptions): Promise<Reflection> {
  const notes: string[] = [];
  const listed = await ask(service, [{ listServices: "*" }], options);
  const names = listed
    .flatMap(({ listServicesResponse }) => listServicesResponse?.service ?? [])
    .map(({ name }) => name)
    .filter((name) => options.services?.includes(name) ?? !isInfrastructure(name));
  const wanted = [...new Set(names)].toSorted();
  if (wanted.length > MAX_GRPC_SERVICES) {
    throw new TooManyDescriptorsError(
      `the server has ${wanted.length} services, and ${MAX_GRPC_SERVICES} are read; list those that are needed in grpc.services`,
    );
  }
  const files = new DescriptorFiles();
  const described = await ask(
    service,
    wanted.map((fileContainingSymbol) => ({ fileContainingSymbol })),
    options,
  );
  for (const [index, response] of described.entries()) {
    if (response.fileDescriptorResponse !== undefined) files.add(response);
    else notes.push(`the server does not describe its service ${wanted[index] ?? ""}`);
  }
  // A server may leave out imports, and what it sends then may have imports again.
  const asked = new Set<string>();
  for (;;) {
    const missing = missingImports(files.all).filter((name) => !asked.has(name));
    if (missing.length === 0 || asked.size > MAX_DESCRIPTOR_FILES) break;
    for (const name of missing) asked.add(name);
    const requests = missing.map((fileByFilename) => ({ fileByFilename }));
    for (const response of await ask(service, requests, options)) files.add(response);
  }
  return { files: files.all, notes };
}

/** The answers come in the order of the requests. */
async function ask(
  service: DescService,
  requests: readonly ReflectionRequest[],
  { transport, headers, signal }: ReadReflectionOptions,
): Promise<ReflectionResponse[]> {
  if (requests.length === 0) return [];
  const client = createClient(service, transport) as unknown as {
    serverReflectionInfo(
      requests: AsyncIterable<ReflectionRequest>,
      options: object,
    ): AsyncIterable<ReflectionResponse>;
  };
  const responses: ReflectionResponse[] = [];
  const { promise: answered, resolve: onAnswered } = Promise.withResolvers<void>();
  async function* sent(): AsyncIterable<ReflectionRequest> {
    yield* requests;
    // Some servers take the end of the requests for the end of the call, and answer no more.
    await answered;
  }
  try {
    for await (const response of client.serverReflectionInfo(sent(), { headers, signal })) {
      responses.push(response);
      if (responses.length === requests.length) break;
    }
  } finally {
    onAnswered();
  }
  return responses;
}

class DescriptorFiles {
  readonly #files = new Map<string, FileDescriptorProto>();
  #bytesLeft = MAX_DESCRIPTOR_BYTES;

  get all(): FileDescriptorProto[] {
    return [...this.#files.values()];
  }

  add({ fileDescriptorResponse }: ReflectionResponse): void {
    for (const bytes of fileDescriptorResponse?.fileDescriptorProto ?? []) {
      this.#bytesLeft -= bytes.length;
      if (this.#bytesLeft < 0 || this.#files.size >= MAX_DESCRIPTOR_FILES) {
        throw new TooManyDescriptorsError(
          "the server has too many descriptors to be read; list the services that are needed in grpc.services",
        );
      }
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      if (!this.#files.has(file.name)) this.#files.set(file.name, file);
    }
  }
}
