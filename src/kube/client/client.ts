import type { IncomingMessage } from "node:http";
import { ApiError, ConnectionError } from "./api-error.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { apiVersionOf, type KubernetesObject, pathOf, type ResourceType } from "./object.ts";
import type { Priority, RateLimiter } from "./rate-limiter.ts";
import { requestPriority } from "./request-priority.ts";
import { eachLine, objectDrained, textOf } from "./read-answer.ts";
import { repeatDelay } from "./repeat-delay.ts";
import type { Transport, TransportRequest } from "./transport.ts";

/** Within this time the whole answer of a request must have come, unless it is a watch. */
export const REQUEST_TIMEOUT_MS = 60_000;
/** A watch that the server has not ended this long after it should have is taken for dead. */
const WATCH_GRACE_SECONDS = 30;

export interface ListPage<T> {
  items: T[];
  resourceVersion: string;
  continue: string | undefined;
}

export interface ListOptions {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  resourceVersion?: string | undefined;
  limit?: number | undefined;
  continue?: string | undefined;
  /** Only the metadata: for objects whose content must not be held, such as Secrets. */
  metadataOnly?: boolean | undefined;
  /** The client does not repeat it: for callers that repeat requests themselves and report every failure. */
  once?: boolean | undefined;
  signal: AbortSignal;
}

export type WatchEvent<T> =
  | { type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK"; object: T }
  | { type: "ERROR"; object: { code?: number; reason?: string; message?: string } };

const METADATA_ACCEPT =
  "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
const METADATA_LIST_ACCEPT =
  "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
const JSON_BODY = { "content-type": "application/json" };
const APPLY_BODY = { "content-type": "application/apply-patch+yaml" };
const MERGE_BODY = { "content-type": "application/merge-patch+json" };

export interface ApplyOptions {
  subresource?: string | undefined;
  force?: boolean | undefined;
  signal: AbortSignal;
}

/** How a request ended. The status is `error` when there was no answer. */
export interface RequestOutcome {
  method: TransportRequest["method"];
  status: number | "error";
  seconds: number;
}

export interface KubeClientOptions {
  transport: Transport;
  rateLimiter: RateLimiter;
  fieldManager: string;
  /** Limits the time of requests, and waits between repeated ones. @default the system's clock */
  clock?: Clock | undefined;
  /** With it, requests that failed are sent again as `repeatDelay` says; without it, every failure is left to the caller. */
  repeating?: { random: () => number } | undefined;
  /** Called for every request, repeated ones too, once its answer begins or it is known that there will be none. */
  onResponse?: ((outcome: RequestOutcome) => void) | undefined;
}

/** Sends raw JSON to the API server and reads its answers. Rejects with ApiError or ConnectionError. Never repeats a watch. */
export class KubeClient {
  readonly #options: KubeClientOptions;
  readonly #clock: Clock;
  readonly #beforeWrite: (() => void) | undefined;
  readonly #priority: Priority;
  readonly fieldManager: string;

  constructor(options: KubeClientOptions, beforeWrite?: () => void, priority: Priority = "now") {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#beforeWrite = beforeWrite;
    this.#priority = priority;
    this.fieldManager = options.fieldManager;
  }

  /**
   * A client for the same server, with the same limits, that calls `check` right before the bytes of each write go out. When
   * `check` throws, the write is not carried out and rejects with that error. For callers that may write only while they hold a lease.
   */
  fencedBy(check: () => void): KubeClient {
    return new KubeClient(this.#options, check, this.#priority);
  }

  /** A client like this one, whose writes are those of another field manager. */
  as(fieldManager: string): KubeClient {
    return new KubeClient({ ...this.#options, fieldManager }, this.#beforeWrite, this.#priority);
  }

  /** A client like this one, whose requests give way to others when the rate limit is reached. */
  givingWay(): KubeClient {
    return new KubeClient(this.#options, this.#beforeWrite, "later");
  }

  async get<T extends KubernetesObject>(
    type: ResourceType,
    at: { namespace?: string | undefined; name: string },
    signal: AbortSignal,
  ): Promise<T> {
    return await this.#json<T>({ method: "GET", path: pathOf(type, at), signal });
  }

  /** The answer holds nothing of the object but its metadata. */
  async getMetadata(
    type: ResourceType,
    at: { namespace?: string | undefined; name: string },
    signal: AbortSignal,
  ): Promise<KubernetesObject> {
    const headers = { accept: METADATA_ACCEPT };
    return await this.#json({ method: "GET", path: pathOf(type, at), headers, signal });
  }

  async list<T extends KubernetesObject>(
    type: ResourceType,
    options: ListOptions,
  ): Promise<ListPage<T>> {
    const path = withQuery(pathOf(type, options), {
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      resourceVersion: options.continue === undefined ? options.resourceVersion : undefined,
      limit: options.limit?.toString(),
      continue: options.continue,
    });
    const headers = options.metadataOnly === true ? { accept: METADATA_LIST_ACCEPT } : {};
    const list = await this.#json<{
      items?: T[] | null;
      metadata?: { resourceVersion?: string; continue?: string };
    }>({ method: "GET", path, headers, signal: options.signal }, options.once !== true);
    const next = list.metadata?.continue;
    return {
      items: list.items ?? [],
      resourceVersion: list.metadata?.resourceVersion ?? "",
      continue: next === "" ? undefined : next,
    };
  }

  /**
   * Calls `take` with each event as it comes. Resolves when the server ends the watch. Rejects when the connection breaks, or goes on
   * for much longer than `timeoutSeconds`, and with what `take` throws, which ends the watch.
   */
  async watch<T extends KubernetesObject>(
    type: ResourceType,
    options: Omit<ListOptions, "limit" | "continue" | "resourceVersion" | "once"> & {
      resourceVersion: string;
      timeoutSeconds: number;
    },
    take: (event: WatchEvent<T>) => void,
  ): Promise<void> {
    const path = withQuery(pathOf(type, options), {
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: options.resourceVersion,
      timeoutSeconds: options.timeoutSeconds.toString(),
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
    });
    await this.#options.rateLimiter.take(options.signal, this.#urgency);
    // The server ends the watch at timeoutSeconds. This notices, some time after that, a connection that died in silence.
    using deadline = new Deadline({
      ms: (options.timeoutSeconds + WATCH_GRACE_SECONDS) * 1000,
      clock: this.#clock,
      signal: options.signal,
    });
    const response = await this.#send({
      method: "GET",
      path,
      headers: options.metadataOnly === true ? { accept: METADATA_ACCEPT } : undefined,
      isWatch: true,
      signal: deadline.signal,
    });
    // Stays true when it is the caller that fails.
    let isTaken = false;
    try {
      await eachLine(response, (line) => {
        const event = JSON.parse(line) as WatchEvent<T>;
        isTaken = true;
        take(event);
        isTaken = false;
      });
    } catch (error) {
      if (isTaken) throw error;
      if (options.signal.aborted) throw options.signal.reason;
      throw new ConnectionError("the watch was cut", { cause: error });
    } finally {
      response.destroy();
    }
  }

  async create<T extends KubernetesObject>(
    type: ResourceType,
    object: T,
    signal: AbortSignal,
  ): Promise<T> {
    return await this.#json<T>(this.#creating(type, object, signal));
  }

  /** Like `create`, for callers that want nothing of what was made: an answer that is not read costs neither side much. */
  async createUnread(
    type: ResourceType,
    object: KubernetesObject,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#unread(this.#creating(type, object, signal));
  }

  /** Replaces the object. If it has a resourceVersion, a conflict tells that the object has changed meanwhile. */
  async replace<T extends KubernetesObject>(
    type: ResourceType,
    object: T,
    signal: AbortSignal,
  ): Promise<T> {
    const { namespace, name } = object.metadata;
    const path = withQuery(pathOf(type, { namespace, name }), { fieldManager: this.fieldManager });
    const body = bodyOf(type, object);
    return await this.#json<T>({ method: "PUT", path, headers: JSON_BODY, body, signal });
  }

  /**
   * Server-side apply. The object holds exactly the fields that are ours. Fields that another manager owns are taken over, unless
   * `force` is false: then they are a conflict.
   */
  async apply<T extends KubernetesObject>(
    type: ResourceType,
    object: KubernetesObject,
    options: ApplyOptions,
  ): Promise<T> {
    return await this.#json<T>(this.#applying(type, object, options));
  }

  /** Like `apply`. The answer holds nothing of the object but its metadata. */
  async applyForMetadata(
    type: ResourceType,
    object: KubernetesObject,
    options: ApplyOptions,
  ): Promise<KubernetesObject> {
    return await this.#json(forMetadata(this.#applying(type, object, options)));
  }

  /** Like `apply`, for callers that want nothing of what the object is then. */
  async applyUnread(
    type: ResourceType,
    object: KubernetesObject,
    options: ApplyOptions,
  ): Promise<void> {
    await this.#unread(this.#applying(type, object, options));
  }

  async mergePatch(
    type: ResourceType,
    at: { namespace?: string | undefined; name: string; subresource?: string | undefined },
    patch: object,
    signal: AbortSignal,
  ): Promise<void> {
    const path = withQuery(pathOf(type, at), { fieldManager: this.fieldManager });
    const body = JSON.stringify(patch);
    await this.#unread({ method: "PATCH", path, headers: MERGE_BODY, body, signal });
  }

  /** With a uid, only the object that has it is deleted, so that a new one of the same name is spared. */
  async delete(
    type: ResourceType,
    at: { namespace?: string | undefined; name: string; uid?: string | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    const body = JSON.stringify({
      apiVersion: "v1",
      kind: "DeleteOptions",
      propagationPolicy: "Background",
      preconditions: at.uid === undefined ? undefined : { uid: at.uid },
    });
    const path = pathOf(type, at);
    await this.#unread({ method: "DELETE", path, headers: JSON_BODY, body, signal });
  }

  #creating(type: ResourceType, object: KubernetesObject, signal: AbortSignal): TransportRequest {
    const { namespace } = object.metadata;
    const path = withQuery(pathOf(type, { namespace }), { fieldManager: this.fieldManager });
    return { method: "POST", path, headers: JSON_BODY, body: bodyOf(type, object), signal };
  }

  #applying(
    type: ResourceType,
    object: KubernetesObject,
    { subresource, force, signal }: ApplyOptions,
  ): TransportRequest {
    const { namespace, name } = object.metadata;
    const path = withQuery(pathOf(type, { namespace, name, subresource }), {
      fieldManager: this.fieldManager,
      force: force === false ? undefined : "true",
    });
    return { method: "PATCH", path, headers: APPLY_BODY, body: bodyOf(type, object), signal };
  }

  async #json<T>(request: TransportRequest, isRepeated = true): Promise<T> {
    return await this.#answered<T>(request, objectIn, isRepeated);
  }

  /** Asks for the least that the server answers, and keeps nothing of that. */
  async #unread(request: TransportRequest): Promise<void> {
    await this.#answered(forMetadata(request), objectDrained, true);
  }

  async #answered<T>(
    request: TransportRequest,
    read: (response: IncomingMessage) => Promise<T>,
    isRepeated: boolean,
  ): Promise<T> {
    const { repeating } = this.#options;
    const begun = this.#clock.monotonic();
    for (let repeats = 0; ; repeats += 1) {
      try {
        return await this.#answeredOnce(request, read);
      } catch (error) {
        if (repeating === undefined || !isRepeated || request.signal.aborted) throw error;
        const { method } = request;
        const elapsedMs = this.#clock.monotonic() - begun;
        const delay = repeatDelay({ method, error, repeats, elapsedMs }, repeating.random);
        if (delay === undefined) throw error;
        await this.#clock.sleep(delay, request.signal);
      }
    }
  }

  get #urgency(): Priority {
    return this.#priority === "later" ? "later" : requestPriority();
  }

  async #answeredOnce<T>(
    request: TransportRequest,
    read: (response: IncomingMessage) => Promise<T>,
  ): Promise<T> {
    await this.#options.rateLimiter.take(request.signal, this.#urgency);
    using deadline = new Deadline({
      ms: REQUEST_TIMEOUT_MS,
      clock: this.#clock,
      signal: request.signal,
    });
    try {
      const response = await this.#send({ ...request, signal: deadline.signal });
      return await whole(read(response));
    } catch (error) {
      if (!deadline.isOver || request.signal.aborted) throw error;
      const seconds = REQUEST_TIMEOUT_MS / 1000;
      throw new ConnectionError(`no whole answer within ${seconds} s`, { cause: error });
    }
  }

  async #send(request: TransportRequest): Promise<IncomingMessage> {
    const { transport, onResponse } = this.#options;
    const begun = this.#clock.monotonic();
    const { method } = request;
    const tell = (status: number | "error"): void =>
      onResponse?.({ method, status, seconds: (this.#clock.monotonic() - begun) / 1000 });
    let response: IncomingMessage;
    try {
      const beforeSending = method === "GET" ? undefined : this.#beforeWrite;
      response = await transport.send({ ...request, beforeSending });
    } catch (error) {
      if (error instanceof ConnectionError) tell("error");
      throw error;
    }
    const status = response.statusCode ?? 0;
    tell(status);
    if (status >= 200 && status < 300) return response;
    const retryAfter = response.headers["retry-after"];
    throw ApiError.fromResponse(status, await whole(textOf(response)), retryAfter);
  }
}

async function objectIn<T>(response: IncomingMessage): Promise<T> {
  return JSON.parse(await textOf(response)) as T;
}

async function whole<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ConnectionError) throw error;
    throw new ConnectionError("the answer of the API server broke off", { cause: error });
  }
}

function bodyOf(type: ResourceType, object: KubernetesObject): string {
  return JSON.stringify({ apiVersion: apiVersionOf(type), kind: type.kind, ...object });
}

function forMetadata(request: TransportRequest): TransportRequest {
  return { ...request, headers: { ...request.headers, accept: METADATA_ACCEPT } };
}

function withQuery(path: string, query: Record<string, string | undefined>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") parameters.set(name, value);
  }
  const text = parameters.toString();
  return text === "" ? path : `${path}?${text}`;
}
