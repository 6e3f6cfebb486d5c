/** A runtime that speaks omnia.runtime.v1 over a real socket, and answers as a test says. */
import { createServer, type Http2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import {
  createFileRegistry,
  fromJson,
  toJson,
  type DescService,
  type JsonValue,
} from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { CONTRACT_FILE, RUNTIME_PACKAGE } from "../../../src/agent/runtime/runtime-v1/contract.ts";

type Json = Record<string, unknown>;

/** `next` settles with what the agent sends next, and with undefined when it sends nothing more. */
export type Answer = (
  turn: { first: Json; next: () => Promise<Json | undefined> },
  context: HandlerContext,
) => AsyncIterable<Json>;

export interface GrpcRuntime extends AsyncDisposable {
  readonly url: URL;
  /** What the agent sent, over all turns. */
  readonly received: Json[];
  readonly headers: Headers[];
  /** Ends every connection, as the death of the process does. */
  cut(): void;
}

export interface GrpcRuntimeOptions {
  answer: Answer;
  isHealthy?: () => boolean;
  /** The state of a conversation. Without it the runtime does not serve that question. */
  resumeState?: (sessionId: string) => string;
}

export async function startGrpcRuntime({
  answer,
  isHealthy = () => true,
  resumeState,
}: GrpcRuntimeOptions): Promise<GrpcRuntime> {
  const service = serviceOf();
  const { converse, health, hasConversation } = service.method;
  const received: Json[] = [];
  const headers: Headers[] = [];
  if (converse === undefined || health === undefined || hasConversation === undefined) {
    throw new Error("the contract lacks a method");
  }
  const handler = connectNodeAdapter({
    routes: (router) => {
      router.service(service, {
        async *converse(messages: AsyncIterable<never>, context: HandlerContext) {
          headers.push(context.requestHeader);
          const iterator = messages[Symbol.asyncIterator]();
          const next = async (): Promise<Json | undefined> => {
            const { value, done } = await iterator.next();
            if (done === true) return undefined;
            const json = toJson(converse.input, value) as Json;
            received.push(json);
            return json;
          };
          const first = (await next()) ?? {};
          for await (const json of answer({ first, next }, context)) {
            yield fromJson(converse.output, json as JsonValue) as never;
          }
        },
        health: () => fromJson(health.output, { healthy: isHealthy() }) as never,
        ...(resumeState && {
          hasConversation: (message: never) => {
            const { sessionId } = toJson(hasConversation.input, message) as { sessionId: string };
            return fromJson(hasConversation.output, { state: resumeState(sessionId) }) as never;
          },
        }),
      } as never);
    },
  });
  const server = createServer({}, handler);
  const sessions = new Set<Http2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    for (const session of sessions) session.destroy();
  };
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    received,
    headers,
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function serviceOf(): DescService {
  const service = createFileRegistry(CONTRACT_FILE, () => undefined).getService(
    `${RUNTIME_PACKAGE}.RuntimeService`,
  );
  if (service === undefined) throw new Error("the contract lacks its service");
  return service;
}
