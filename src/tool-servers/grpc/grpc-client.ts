/** What speaks gRPC with one server. It and the packages that it needs are loaded only where a tool is of type grpc. */
import { createHash } from "node:crypto";
import {
  type DescMethodUnary,
  type DescService,
  fromBinary,
  fromJson,
  type JsonValue,
  type Message,
  type Registry,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorSetSchema,
  MethodOptions_IdempotencyLevel,
} from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  unansweredAttempt,
  isTooLargeMessage,
  answerOutcome,
  type AnswerLimits,
} from "./grpc-answer.ts";
import { type Descriptors, toDescriptors } from "./descriptor-files.ts";
import type { GrpcAddress } from "./grpc-address.ts";
import { MAX_STREAM_MESSAGES, MESSAGE_BYTES_FACTOR } from "./grpc-limits.ts";
import type { Http2Connection } from "./http2-connection.ts";
import { isObjectMessage, VALUE_ARGUMENT } from "./message-schema.ts";
import { type CalledMethod, isInfrastructure } from "./offered-methods.ts";
import { isUnimplemented, readReflection, TooManyDescriptorsError } from "./read-reflection.ts";
import type { Attempt } from "../server/gated-calls.ts";
import type { Deadline } from "../../time/deadline.ts";

export interface Described extends Descriptors {
  readonly services: readonly DescService[];
  /** The same for the same descriptors. */
  readonly digest: string;
}

export interface GrpcCallOptions extends AnswerLimits {
  readonly headers: Readonly<Record<string, string>>;
  readonly deadline: Deadline;
  readonly timeoutMs: number;
  /** Called when the server does not have the method. */
  readonly onUnimplemented: () => void;
}

export class GrpcClient {
  readonly #address: GrpcAddress;
  readonly #connection: Http2Connection;
  /** By the bytes that a message may have. */
  readonly #transports = new Map<number, Transport>();

  constructor(address: GrpcAddress, connection: Http2Connection) {
    this.#address = address;
    this.#connection = connection;
  }

  /** Rejects with an error whose text may be logged, as `describeFailure` gives it. */
  async reflect(options: {
    readonly headers: Readonly<Record<string, string>>;
    readonly services: readonly string[] | undefined;
    readonly signal: AbortSignal;
  }): Promise<Described> {
    const transport = this.#transport(MAX_REFLECTION_BYTES);
    const { files, notes } = await readReflection({ ...options, transport });
    return describe(files, notes, options.services);
  }

  /** Makes one attempt. Never rejects. */
  async attempt(
    method: CalledMethod,
    request: Message,
    registry: Registry,
    options: GrpcCallOptions,
  ): Promise<Attempt> {
    const { deadline, timeoutMs, secrets, responseLimit } = options;
    const maxBytes = responseLimit * MESSAGE_BYTES_FACTOR;
    const headers = { ...options.headers, "grpc-timeout": `${timeoutMs}m` };
    const transport = this.#transport(maxBytes);
    const received: JsonValue[] = [];
    let bytes = 0;
    try {
      if (isUnary(method)) {
        const { message } = await transport.unary(
          method,
          deadline.signal,
          undefined,
          headers,
          request,
        );
        return answered(answerOutcome(toJson(method.output, message, { registry }), options));
      }
      const { message: messages } = await transport.stream(
        method,
        deadline.signal,
        undefined,
        headers,
        only(request),
      );
      for await (const message of messages) {
        if (received.length === MAX_STREAM_MESSAGES) {
          return answered(cutOff(received, `${MAX_STREAM_MESSAGES} messages`, options));
        }
        const value = toJson(method.output, message, { registry });
        bytes += Buffer.byteLength(JSON.stringify(value));
        if (bytes > responseLimit && received.length > 0) {
          return answered(cutOff(received, `${responseLimit} bytes`, options));
        }
        received.push(value);
      }
      return answered(answerOutcome(received, options));
    } catch (error) {
      const tooLarge = isTooLargeMessage(error);
      if (received.length > 0 && (tooLarge || deadline.isOver)) {
        const after = tooLarge ? `${responseLimit} bytes` : `${timeoutMs / 1000} seconds`;
        return answered(cutOff(received, after, options));
      }
      if (tooLarge) {
        return answered({ error: `the tool's answer is larger than ${maxBytes} bytes` });
      }
      if (deadline.isOver) {
        // The server may be gone without a word, so that calls that come now go another way.
        this.#connection.renew();
        const late = `the tool did not answer within ${timeoutMs / 1000} seconds`;
        return { outcome: { error: late }, result: "failed", mayTryAgain: false };
      }
      if (isUnimplemented(error)) options.onUnimplemented();
      const isIdempotent =
        method.idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
      const attempt = unansweredAttempt(error, { secrets, isIdempotent });
      return received.length === 0 ? attempt : { ...attempt, mayTryAgain: false };
    }
  }

  #transport(readMaxBytes: number): Transport {
    const known = this.#transports.get(readMaxBytes);
    if (known !== undefined) return known;
    const { origin, prefix } = this.#address;
    const transport = createGrpcTransport({
      baseUrl: `${origin}${prefix}`,
      sessionManager: this.#connection,
      readMaxBytes,
    });
    this.#transports.set(readMaxBytes, transport);
    return transport;
  }
}

/** A server may send all its files in one answer. */
const MAX_REFLECTION_BYTES = 4 * 1024 * 1024;

/** Reads what `protoc --descriptor_set_out` writes. Throws on what is none. */
export function readDescriptorSet(
  base64: string,
  services: readonly string[] | undefined,
): Described {
  const { file } = fromBinary(FileDescriptorSetSchema, Buffer.from(base64, "base64"));
  return describe(file, [], services);
}

function describe(
  files: readonly FileDescriptorProto[],
  notes: readonly string[],
  wanted: readonly string[] | undefined,
): Described {
  // This stands before the files are completed, which changes them.
  const digest = digestOf(files);
  const descriptors = toDescriptors(files);
  const services = [...descriptors.registry].filter(
    (type): type is DescService =>
      type.kind === "service" &&
      (wanted?.includes(type.typeName) ?? !isInfrastructure(type.typeName)),
  );
  const absent = (wanted ?? []).filter(
    (name) => !services.some(({ typeName }) => typeName === name),
  );
  return {
    registry: descriptors.registry,
    notes: [
      ...notes,
      ...descriptors.notes,
      ...absent.map((name) => `grpc.services names ${name}, which the server does not have`),
    ],
    services,
    digest,
  };
}

function digestOf(files: readonly FileDescriptorProto[]): string {
  const hash = createHash("sha256");
  for (const file of files.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(
      JSON.stringify(file, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value)),
    );
  }
  return hash.digest("hex");
}

/** What is wrong, without the words of the network, which hold addresses. */
export function describeFailure(error: unknown): string {
  if (error instanceof TooManyDescriptorsError) return error.message;
  const { outcome } = unansweredAttempt(error, { secrets: [], isIdempotent: false });
  return "error" in outcome ? outcome.error : "unknown";
}

/** The message that the arguments are, with the bytes that are sent, or what is wrong with the arguments. */
export function toRequest(
  { input }: CalledMethod,
  toolArguments: Readonly<Record<string, unknown>>,
  registry: Registry,
): { readonly request: Message; readonly body: Uint8Array } | { readonly error: string } {
  const value = isObjectMessage(input) ? toolArguments : toolArguments[VALUE_ARGUMENT];
  try {
    const request = fromJson(input, (value ?? {}) as JsonValue, { registry });
    return { request, body: toBinary(input, request) };
  } catch (error) {
    const why = (error as Error).message.slice(0, MAX_PROBLEM_CHARACTERS);
    return { error: `not called: the arguments do not fit the tool: ${why}` };
  }
}

const MAX_PROBLEM_CHARACTERS = 500;

function answered(outcome: Attempt["outcome"]): Attempt {
  return { outcome, result: "answered", mayTryAgain: false };
}

function cutOff(
  received: readonly JsonValue[],
  after: string,
  options: AnswerLimits,
): Attempt["outcome"] {
  const told = answerOutcome(received, options);
  if ("error" in told || !Array.isArray(told.result)) return told;
  return { result: [...(told.result as unknown[]), `[cut off after ${after}]`] };
}

function isUnary(method: CalledMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

async function* only(request: Message): AsyncIterable<Message> {
  yield request;
}
