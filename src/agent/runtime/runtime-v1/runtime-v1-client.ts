/** Speaks omnia.runtime.v1 with the runtime at one address. */
import { toJson, type DescMessage, type Message } from "@bufbuild/protobuf";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { MAX_RUNTIME_EVENT_BYTES, RUNTIME_PROBE_TIMEOUT_MS } from "../../contracts/limits.ts";
import { createRuntimeContract } from "./contract.ts";
import {
  healthSchema,
  parseServerMessage,
  RESUME_NOT_FOUND,
  resumeSchema,
  type ServerMessage,
} from "./server-message.ts";

export interface ClientToolResult {
  readonly callId: string;
  readonly resultJson?: string | undefined;
  /** Set when there is no result. */
  readonly rejectionReason?: string | undefined;
}

export interface ClientMessage {
  readonly sessionId: string;
  readonly content?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly clientToolResult?: ClientToolResult | undefined;
}

export interface CallOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the call; the runtime is told. */
  readonly signal: AbortSignal;
}

/** Every function rejects with a ConnectError, which must not be shown: it may quote an address or the words of the runtime. */
export interface RuntimeV1Client {
  converse(
    messages: AsyncIterable<ClientMessage>,
    options: CallOptions,
  ): Promise<AsyncIterable<ServerMessage>>;
  isHealthy(signal: AbortSignal): Promise<boolean>;
  /** Whether the runtime says that it has nothing of the session. */
  hasForgotten(sessionId: string, options: CallOptions): Promise<boolean>;
}

export function createRuntimeV1Client(base: URL): RuntimeV1Client {
  const contract = createRuntimeContract();
  const transport = createGrpcTransport({
    baseUrl: base.href,
    readMaxBytes: MAX_RUNTIME_EVENT_BYTES,
  });
  return {
    async converse(messages, { headers, signal }) {
      const { message } = await transport.stream(
        contract.converse,
        signal,
        undefined,
        headers,
        initsOf(messages),
      );
      return readMessages(contract.converse.output, message);
    },
    async isHealthy(signal) {
      const { health } = contract;
      const { message } = await transport.unary(health, signal, RUNTIME_PROBE_TIMEOUT_MS, {}, {});
      return healthSchema.parse(toJson(health.output, message)).healthy;
    },
    async hasForgotten(sessionId, { headers, signal }) {
      const { hasConversation } = contract;
      const timeoutMs = RUNTIME_PROBE_TIMEOUT_MS;
      const input = { sessionId };
      const { message } = await transport.unary(hasConversation, signal, timeoutMs, headers, input);
      const { state } = resumeSchema.parse(toJson(hasConversation.output, message));
      return state === RESUME_NOT_FOUND;
    },
  };
}

async function* initsOf(
  messages: AsyncIterable<ClientMessage>,
): AsyncGenerator<Record<string, unknown>> {
  for await (const { sessionId, content, metadata, clientToolResult } of messages) {
    const result = clientToolResult && {
      callId: clientToolResult.callId,
      resultJson: clientToolResult.resultJson ?? "",
      isRejected: clientToolResult.rejectionReason !== undefined,
      rejectionReason: clientToolResult.rejectionReason ?? "",
    };
    yield {
      sessionId,
      content: content ?? "",
      metadata: { ...metadata },
      ...(result && { clientToolResult: result }),
    };
  }
}

async function* readMessages(
  output: DescMessage,
  messages: AsyncIterable<Message>,
): AsyncGenerator<ServerMessage> {
  for await (const message of messages) {
    yield parseServerMessage(toJson(output, message));
  }
}
