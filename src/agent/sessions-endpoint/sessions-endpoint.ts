/**
 * What an agent serves to gateways beside its WebSocket connections: its sessions, calls of its tools by hand, and what one replica does.
 * Only a request with a gateway's token that allows what is asked for is answered; to all others there is nothing here.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import type { ReplicaFacts } from "../../http-api/replica-facts.ts";
import type { Log } from "../../observability/log.ts";
import type { Clock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { untilAborted } from "../../time/until-aborted.ts";
import {
  API_TIMEOUT_MS,
  MAX_API_REQUESTS,
  MAX_API_TOOL_CALL_MS,
  MAX_API_TOOL_CALLS,
  RETRY_AFTER_SECONDS,
} from "../contracts/limits.ts";
import { judgeGatewayCaller, subjectOfGateway } from "../../authentication/gateway-caller.ts";
import { NOT_FOUND, refuseRequest } from "../facade/refusal.ts";
import { readTarget } from "../facade/judge-upgrade.ts";
import { sessionClientOf } from "../sessions/session-client.ts";
import { isSessionId } from "../sessions/session-id.ts";
import { StoreUnavailableError } from "../sessions/session-store.ts";
import { ApiFailure } from "./api-failure.ts";
import { callTool, type ToolCallOptions } from "./call-tool.ts";
import { operationsAt, verbOf, type Operation } from "./find-operation.ts";
import type { ApiAnswer, RequestContext } from "./request-context.ts";
import { SessionOperations, type SessionOperationsOptions } from "./session-operations.ts";

export interface SessionsEndpointOptions extends SessionOperationsOptions, ToolCallOptions {
  /** Answers undefined while there is no config. */
  readonly currentConfig: () => AgentConfig | undefined;
  readonly describeReplica: (sessionId: string | undefined) => Promise<ReplicaFacts>;
  readonly clock: Clock;
  readonly log: Log;
}

const UNAVAILABLE = { headers: { "retry-after": String(RETRY_AFTER_SECONDS) } };

export class SessionsEndpoint {
  readonly #options: SessionsEndpointOptions;
  readonly #sessions: SessionOperations;
  readonly #closing = new AbortController();
  #requests = 0;
  #toolCalls = 0;

  constructor(options: SessionsEndpointOptions) {
    this.#options = options;
    this.#sessions = new SessionOperations(options);
  }

  /** Ends the requests that are being answered. */
  close(): void {
    this.#closing.abort();
  }

  /** Answers the request. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = this.#admit(request);
    if (asked === undefined) return refuseRequest(response, NOT_FOUND);
    const left = new AbortController();
    response.once("close", () => left.abort());
    this.#requests++;
    try {
      const answer = await this.#answer(
        asked,
        AbortSignal.any([left.signal, this.#closing.signal]),
      );
      if (!left.signal.aborted) send(response, answer.status, answer.body);
    } catch (error) {
      if (left.signal.aborted) return;
      const failure = this.#failureOf(error);
      send(response, failure.status, failure.body, failure.headers);
    } finally {
      this.#requests--;
    }
  }

  /** Undefined: the request is answered as one for a path that is not there. */
  #admit(request: IncomingMessage): AdmittedRequest | undefined {
    const { currentConfig, clock, log } = this.#options;
    const config = currentConfig();
    if (config?.gateway === undefined) return undefined;
    const verdict = judgeGatewayCaller(request, config, clock.now());
    if (verdict?.ok === false) {
      log.debug({ problem: verdict.problem }, "The token of a gateway was not taken");
    }
    if (verdict?.ok !== true) return undefined;
    const { path, query } = readTarget(request.url ?? "/");
    const operations = operationsAt(path);
    const { subject, verbs } = verdict.caller;
    const allowed = [...operations].filter(([, operation]) => verbs.has(verbOf(operation)));
    if (allowed.length === 0) return undefined;
    const operation = new Map(allowed).get(request.method ?? "");
    if (operation === undefined && operations.has(request.method ?? "")) return undefined;
    return { request, query, config, subject, operation, methods: [...operations.keys()] };
  }

  async #answer(
    { operation, methods, ...asked }: AdmittedRequest,
    signal: AbortSignal,
  ): Promise<ApiAnswer> {
    if (operation === undefined) {
      throw new ApiFailure("InvalidRequest", `only ${methods.join(" and ")} is taken here`, {
        status: 405,
        headers: { allow: methods.join(", ") },
      });
    }
    if (this.#requests > MAX_API_REQUESTS) throw tooMany("answers as many requests");
    const { clock } = this.#options;
    const ms = operation.type === "call-tool" ? MAX_API_TOOL_CALL_MS : API_TIMEOUT_MS;
    using deadline = new Deadline({ ms, clock, signal });
    const { agent } = asked.config;
    const client = sessionClientOf({
      agent,
      subject: asked.subject === undefined ? undefined : subjectOfGateway(asked.subject),
      callerSubject: asked.subject,
      address: asked.request.socket.remoteAddress,
    });
    const context: RequestContext = { ...asked, client, signal: deadline.signal };
    try {
      return await untilAborted(this.#carryOut(operation, context), deadline.signal);
    } catch (error) {
      if (!deadline.isOver) throw error;
      throw new ApiFailure("Unavailable", "it took too long", { ...UNAVAILABLE, cause: error });
    }
  }

  async #carryOut(operation: Operation, context: RequestContext): Promise<ApiAnswer> {
    switch (operation.type) {
      case "list-sessions":
        return await this.#sessions.list(context);
      case "read-session":
        return await this.#sessions.read(operation.sessionId, context);
      case "delete-session":
        return await this.#sessions.delete(operation.sessionId, context);
      case "fork-session":
        return await this.#sessions.fork(operation.sessionId, context);
      case "call-tool":
        return await this.#callTool(operation.tool, context);
      case "describe-replica": {
        const asked = context.query.get("session");
        const sessionId = asked !== null && isSessionId(asked) ? asked : undefined;
        return { status: 200, body: await this.#options.describeReplica(sessionId) };
      }
    }
  }

  async #callTool(tool: string, context: RequestContext): Promise<ApiAnswer> {
    if (this.#toolCalls >= MAX_API_TOOL_CALLS) throw tooMany("makes as many calls by hand");
    this.#toolCalls++;
    try {
      return await callTool(tool, context, this.#options);
    } finally {
      this.#toolCalls--;
    }
  }

  #failureOf(error: unknown): ApiFailure {
    if (error instanceof ApiFailure) return error;
    if (this.#closing.signal.aborted) {
      return new ApiFailure("Unavailable", "the agent is shutting down", UNAVAILABLE);
    }
    // The store logs once that it cannot be reached.
    if (error instanceof StoreUnavailableError) {
      return new ApiFailure("Unavailable", "the session store cannot be reached", UNAVAILABLE);
    }
    this.#options.log.error({ error }, "A request of a gateway could not be answered");
    return new ApiFailure("InternalError", "the request could not be answered");
  }
}

interface AdmittedRequest extends Omit<RequestContext, "client" | "signal"> {
  /** Undefined: there is none of this method. */
  readonly operation: Operation | undefined;
  /** The methods that are taken at the path. */
  readonly methods: readonly string[];
}

function tooMany(does: string): ApiFailure {
  return new ApiFailure("TooManyRequests", `the replica ${does} as it can`, UNAVAILABLE);
}

function send(
  response: ServerResponse,
  status: number,
  body: object | undefined,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = body === undefined ? undefined : JSON.stringify(body);
  response.writeHead(status, {
    ...(text === undefined
      ? {}
      : {
          "content-type": "application/json",
          "content-length": String(Buffer.byteLength(text)),
        }),
    "cache-control": "no-store",
    ...headers,
  });
  response.end(text);
}
