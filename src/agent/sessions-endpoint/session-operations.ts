/** What a gateway asks of the sessions of this agent: to list them, to read, to delete and to fork one. */
import { z } from "zod";
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from "../../http-api/paths.ts";
import type { Page } from "../../http-api/page.ts";
import {
  forkRequestSchema,
  type ForkedSession,
  SESSION_STATES,
  timelineQuerySchema,
  type SessionView,
} from "../../http-api/session-views.ts";
import type { Log } from "../../observability/log.ts";
import type { CurrentStore } from "../sessions/current-store.ts";
import { InvalidCursorError } from "../sessions/session-listing.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import { ApiFailure } from "./api-failure.ts";
import { readBody } from "./read-body.ts";
import type { ApiAnswer, RequestContext } from "./request-context.ts";
import { sinceTurn } from "./since-turn.ts";
import { viewOfSession, viewOfTimeline, type ViewFor } from "./session-views.ts";

export interface SessionOperationsOptions {
  readonly stores: CurrentStore;
  readonly newSessionId: () => string;
  readonly log: Log;
}

const MAX_VERSION_CHARACTERS = 64;

const listQuerySchema = z.object({
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).default(DEFAULT_PAGE_SIZE),
  state: z.enum(SESSION_STATES).optional(),
  version: z.string().max(MAX_VERSION_CHARACTERS).optional(),
});

export class SessionOperations {
  readonly #options: SessionOperationsOptions;

  constructor(options: SessionOperationsOptions) {
    this.#options = options;
  }

  async list(context: RequestContext): Promise<ApiAnswer> {
    const { limit, ...query } = readQuery(context.query, listQuerySchema);
    const { signal } = context;
    const page = await this.#with((store) =>
      store.list({ ...query, limit: Math.min(limit, MAX_PAGE_SIZE), signal }),
    ).catch((error: unknown) => {
      if (!(error instanceof InvalidCursorError)) throw error;
      throw new ApiFailure("InvalidRequest", "`after` is no cursor of this list", { cause: error });
    });
    const { sessions, next, unreadable } = page;
    if (unreadable.length > 0) {
      this.#options.log.warn(
        { sessions: unreadable },
        "Sessions cannot be read, and are not listed",
      );
    }
    const viewFor = viewForCaller(context);
    const body: Page<SessionView> = {
      items: sessions.map((session) => viewOfSession(session, viewFor)),
      ...(next === undefined ? {} : { next }),
    };
    return { status: 200, body };
  }

  async read(sessionId: string, context: RequestContext): Promise<ApiAnswer> {
    const { since } = readQuery(context.query, timelineQuerySchema);
    const timeline = await this.#with((store) => store.timeline(sessionId));
    if (timeline === undefined) throw noSession(sessionId);
    if (timeline.unreadable.length > 0) {
      const { unreadable } = timeline;
      this.#options.log.warn({ sessionId, unreadable }, "Parts of a session cannot be read");
    }
    const asked = since === undefined ? timeline : sinceTurn(timeline, since);
    return { status: 200, body: viewOfTimeline(asked, viewForCaller(context)) };
  }

  async delete(sessionId: string, { subject }: RequestContext): Promise<ApiAnswer> {
    if (!(await this.#with((store) => store.delete(sessionId)))) throw noSession(sessionId);
    this.#options.log.info({ sessionId, subject }, "A session was deleted through a gateway");
    return { status: 204 };
  }

  async fork(sessionId: string, context: RequestContext): Promise<ApiAnswer> {
    const { request, subject, client, config } = context;
    const { afterTurn } = await readBody(request, forkRequestSchema);
    if (subject === undefined && config.facade.auth !== undefined) {
      throw new ApiFailure(
        "Conflict",
        "the agent's clients say who they are, and the gateway does not know who asks: nobody could go on with the new session",
      );
    }
    const id = this.#options.newSessionId();
    const fork = { newSessionId: id, client, afterTurn };
    const outcome = await this.#with((store) => store.fork(sessionId, fork));
    switch (outcome.status) {
      case "forked": {
        this.#options.log.info(
          { sessionId, id, subject },
          "A session was forked through a gateway",
        );
        const body: ForkedSession = { id };
        return { status: 201, body };
      }
      case "unknown-session":
        throw noSession(sessionId);
      case "unknown-turn":
        throw new ApiFailure(
          "NotFound",
          `the session has no turn ${JSON.stringify(afterTurn)}, or has forgotten what was said in it`,
        );
      case "turn-running":
        throw new ApiFailure("Conflict", "the turn has not ended", {
          cure: "wait until it has, or name an earlier turn",
        });
    }
  }

  async #with<Value>(work: (store: SessionStore) => Promise<Value>): Promise<Value> {
    const use = this.#options.stores.use();
    try {
      return await work(use.store);
    } finally {
      use.release();
    }
  }
}

function viewForCaller({ client, subject }: RequestContext): ViewFor {
  return { owner: client.owner, subject };
}

/** An empty parameter is as none. */
function readQuery<Schema extends z.ZodType>(
  query: URLSearchParams,
  schema: Schema,
): z.output<Schema> {
  const given = Object.fromEntries([...query].filter(([, value]) => value !== ""));
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const problems = read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new ApiFailure("InvalidRequest", problems.join("; "));
}

function noSession(sessionId: string): ApiFailure {
  return new ApiFailure("NotFound", `the agent has no session ${sessionId}`);
}
