/** The HTTP API of a gateway, for commands: JSON of a known form, or a CliError. */
import { z } from "zod";
import { apiErrorSchema } from "../../http-api/api-error.ts";
import { API_PREFIX } from "../../http-api/paths.ts";
import { systemClock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { CliError } from "../terminal/cli-error.ts";
import type { HttpAnswer } from "./http-exchange.ts";

const TIMEOUT_MS = 30_000;

const kubernetesStatusSchema = z.object({ kind: z.literal("Status"), message: z.string() });

export interface ApiRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** With the prefix and the query. */
  readonly path: string;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

/** Brings a request to a gateway, with what proves who asks. */
export type SendRequest = (request: ApiRequest) => Promise<HttpAnswer>;

export class GatewayApi {
  readonly #send: SendRequest;
  /** What is asked, for people: "omnia up at http://localhost:8080". */
  readonly where: string;

  constructor(send: SendRequest, where: string) {
    this.#send = send;
    this.where = where;
  }

  /** `path` comes after the prefix, and has its query. */
  async get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> {
    const text = await this.#ask("GET", path);
    const read = schema.safeParse(parse(text));
    if (read.success) return read.data;
    throw new CliError(`${this.#subject} answered something else than a list or an object.`, {
      cure: "Is it of another version than this program?",
      cause: read.error,
    });
  }

  async delete(path: string): Promise<void> {
    await this.#ask("DELETE", path);
  }

  /** As the beginning of a sentence. */
  get #subject(): string {
    return `${this.where.slice(0, 1).toUpperCase()}${this.where.slice(1)}`;
  }

  async #ask(method: ApiRequest["method"], path: string): Promise<string> {
    using deadline = new Deadline({ ms: TIMEOUT_MS, clock: systemClock });
    const { signal } = deadline;
    const answer = await this.#send({ method, path: API_PREFIX + path, signal }).catch(
      (error: unknown) => {
        if (error instanceof CliError) throw error;
        const why = deadline.isOver ? "no answer in time" : (error as Error).message;
        throw new CliError(`${this.#subject} cannot be asked: ${why}.`, { cause: error });
      },
    );
    if (answer.status >= 200 && answer.status < 300) return answer.text;
    throw this.#refusal(answer);
  }

  #refusal({ status, text }: HttpAnswer): ApiRefusal {
    const { error } = apiErrorSchema.safeParse(parse(text)).data ?? {};
    if (error !== undefined) {
      return new ApiRefusal(asSentence(error.message), { status, cure: cureOf(error.cure) });
    }
    // An API server that does not pass the request on says why.
    const { message } = kubernetesStatusSchema.safeParse(parse(text)).data ?? {};
    if (message !== undefined) {
      const why = asSentence(`${this.#subject} cannot be asked: ${message}`);
      return new ApiRefusal(why, { status, cure: undefined });
    }
    return new ApiRefusal(`${this.#subject} answered ${status}, and not as a gateway would.`, {
      status,
      cure: "Does it serve the HTTP API (gateway.api.enabled of the chart), and is it of the version of this program?",
    });
  }
}

/** A gateway does not do what it was asked for. */
export class ApiRefusal extends CliError {
  /** The status of its answer. */
  readonly status: number;

  constructor(message: string, { status, cure }: { status: number; cure: string | undefined }) {
    super(message, { cure });
    this.status = status;
  }
}

function cureOf(cure: string | undefined): string | undefined {
  return cure === undefined ? undefined : asSentence(cure);
}

function asSentence(text: string): string {
  // A full stop would be copied with a command.
  if (/^(kubectl|omnia) /.test(text)) return text;
  const begun = `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
