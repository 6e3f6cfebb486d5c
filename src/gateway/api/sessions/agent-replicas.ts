/**
 * The replicas of one agent as the API asks them. Where sessions are in the memory of the replicas, each knows only its own; where they
 * are in Redis, any replica knows all of them.
 */
import type { z } from "zod";
import type { GatewayVerb } from "../../../agent-config/gateway-token.ts";
import { apiErrorSchema } from "../../../http-api/api-error.ts";
import { API_PREFIX } from "../../../http-api/paths.ts";
import type { Log } from "../../../observability/log.ts";
import type { Clock } from "../../../time/clock.ts";
import type { Endpoint, Route } from "../../choose-replica.ts";
import type { SignRequest } from "../../sign-request.ts";
import { ApiProblem } from "../requests/api-problem.ts";
import { askReplica, ReplicaError, type ReplicaAnswer } from "./ask-replica.ts";

/** More replicas are asked one after the other. */
const MAX_ASKED_AT_ONCE = 8;

export interface AgentReplicasOptions {
  readonly agent: { readonly namespace: string; readonly name: string };
  readonly route: Route;
  /** Who asks, where callers say who they are. */
  readonly subject: string | undefined;
  readonly signRequest: SignRequest;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface Question {
  readonly verb: GatewayVerb;
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the prefix, with its query. */
  readonly path: string;
  readonly body?: object | undefined;
  readonly timeoutMs: number;
}

export class AgentReplicas {
  readonly #options: AgentReplicasOptions;
  readonly #endpoints: readonly Endpoint[];
  readonly #shown: string;

  /** Throws an ApiProblem where no replica could be asked. */
  constructor(options: AgentReplicasOptions) {
    const { agent, route } = options;
    this.#options = options;
    this.#shown = `${agent.namespace}/${agent.name}`;
    if (route.status !== "ready") {
      const why = route.status === "unavailable" ? `: ${route.reason}` : "";
      throw new ApiProblem("Unavailable", `agent ${this.#shown} has no replica to ask${why}`);
    }
    this.#endpoints = route.endpoints;
  }

  /** The answer of one replica. Another one is asked only when the one before surely did nothing. */
  async askAny<Schema extends z.ZodType>(
    question: Question,
    schema: Schema,
  ): Promise<z.output<Schema>> {
    let failure: unknown;
    for (const endpoint of this.#endpoints) {
      try {
        return this.#read(await this.#ask(endpoint, question), schema);
      } catch (error) {
        if (!(error instanceof ReplicaError)) throw error;
        failure = error;
        if (error.mayBeDone && question.method !== "GET") break;
      }
    }
    throw this.#unanswered(failure);
  }

  /** The answer of the replica that has what is asked for. All are asked, since nobody knows which one that is. */
  async askOwner<Schema extends z.ZodType>(
    question: Question,
    schema: Schema,
  ): Promise<z.output<Schema>> {
    const answers = await this.#askAll(question);
    const found = answers.find((one) => "status" in one && one.status !== 404);
    if (found !== undefined) return this.#read(found as ReplicaAnswer, schema);
    const failure = answers.find((one) => one instanceof ReplicaError);
    // The one that did not answer may have it.
    if (failure !== undefined) throw this.#unanswered(failure);
    return this.#read(answers[0] as ReplicaAnswer, schema);
  }

  /** The answers of all replicas, and whether one of them is missing. Rejects when none answers. */
  async askEach<Schema extends z.ZodType>(
    question: Question,
    schema: Schema,
  ): Promise<{ answers: z.output<Schema>[]; isComplete: boolean }> {
    const answers = await this.#askAll(question);
    const given = answers.filter((one) => "status" in one);
    if (given.length === 0) throw this.#unanswered(answers[0]);
    return {
      answers: given.map((answer) => this.#read(answer, schema)),
      isComplete: given.length === answers.length,
    };
  }

  /** The answers of the replicas that give one of this form. Never rejects, unless the caller leaves. */
  async askThoseThere<Schema extends z.ZodType>(
    question: Question,
    schema: Schema,
  ): Promise<z.output<Schema>[]> {
    const answers = await this.#askAll(question);
    return answers.flatMap((answer) => {
      if (!("status" in answer) || answer.status !== 200) return [];
      const read = schema.safeParse(parse(answer.text));
      return read.success ? [read.data] : [];
    });
  }

  async #askAll(question: Question): Promise<(ReplicaAnswer | ReplicaError)[]> {
    const answers: (ReplicaAnswer | ReplicaError)[] = [];
    for (let from = 0; from < this.#endpoints.length; from += MAX_ASKED_AT_ONCE) {
      const some = this.#endpoints.slice(from, from + MAX_ASKED_AT_ONCE);
      answers.push(
        ...(await Promise.all(
          some.map((endpoint) =>
            this.#ask(endpoint, question).catch((error: unknown) => {
              if (error instanceof ReplicaError) return error;
              throw error;
            }),
          ),
        )),
      );
    }
    return answers;
  }

  async #ask(
    endpoint: Endpoint,
    { verb, method, path, body, timeoutMs }: Question,
  ): Promise<ReplicaAnswer> {
    const { signRequest, subject, clock, signal } = this.#options;
    const token = await signRequest({ agent: this.#shown, subject, verbs: [verb] });
    return await askReplica(
      endpoint,
      {
        method,
        path: `${API_PREFIX}${path}`,
        token,
        body: body === undefined ? undefined : JSON.stringify(body),
        timeoutMs,
        signal,
      },
      clock,
    );
  }

  /** What the replica says of an error is passed on. */
  #read<Schema extends z.ZodType>({ status, text }: ReplicaAnswer, schema: Schema) {
    const value = parse(text);
    if (status >= 200 && status < 300) {
      const read = schema.safeParse(value);
      if (read.success) return read.data;
      throw this.#strange(status, read.error);
    }
    const { error } = apiErrorSchema.safeParse(value).data ?? {};
    if (error === undefined) throw this.#strange(status, undefined);
    throw new ApiProblem(error.code, error.message, { cure: error.cure, status });
  }

  #strange(status: number, cause: unknown): ApiProblem {
    this.#options.log.warn(
      { agent: this.#shown, status, error: cause },
      "A replica answered the gateway in a way that it does not know",
    );
    return new ApiProblem(
      "Unavailable",
      `agent ${this.#shown} answered in a way that is not known here`,
      { cure: "Are the agent and the gateway of the same version?", cause },
    );
  }

  #unanswered(cause: unknown): ApiProblem {
    const why = cause instanceof ReplicaError ? `: ${cause.message}` : "";
    return new ApiProblem("Unavailable", `no replica of agent ${this.#shown} answered${why}`, {
      cause,
    });
  }
}

function parse(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
