import type { IncomingMessage } from "node:http";
import { ApiError, ConnectionError } from "./api-error.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { apiVersionOf, type KubernetesObject, pathOf, type ResourceType } from "./object.ts";
import type { Priority, RateLimiter } from "./rate-limiter.ts";
import { requestPriority } from "./request-priority.ts";
import { repeatDelay } from "./repeat-delay.ts";
import type { Transport, TransportRequest } from "./transport.ts";

/** The largest answer that is read, apart from watches. */
export const MAX_RESPONSE_BYTES = 256 * 1024 * 1024;
/** The longest line of a watch. By default etcd holds no object that is larger than 1.5 MiB. */
export const MAX_WATCH_LINE_BYTES = 8 * 1024 * 1024;
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

  /** Ends when the server ends the watch. Rejects when the connection breaks, or goes on for much longer than `timeoutSeconds`. */
  async *watch<T extends KubernetesObject>(
    type: ResourceType,
    options: Omit<ListOptions, "limit" | "continue" | "resourceVersion" | "once"> & {
      resourceVersion: string;
      timeoutSeconds: number;
    },
  ): AsyncGenerator<WatchEvent<T>> {
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
    try {
      for await (const line of linesOf(response)) yield JSON.parse(line) as WatchEvent<T>;
    } catch (error) {
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
    return await this.#json<T>({
      method: "POST",
      path: withQuery(pathOf(type, { namespace: object.metadata.namespace }), {
        fieldManager: this.fieldManager,
      }),
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ apiVersion: apiVersionOf(type), kind: type.kind, ...object }),
      signal,
    });
  }

  /** Replaces the object. If it has a resourceVersion, a conflict tells that the object has changed meanwhile. */
  async replace<T extends KubernetesObject>(
    type: ResourceType,
    object: T,
    signal: AbortSignal,
  ): Promise<T> {
    return await this.#json<T>({
      method: "PUT",
      path: withQuery(
        pathOf(type, { namespace: object.metadata.namespace, name: object.metadata.name }),
        { fieldManager: this.fieldManager },
      ),
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ apiVersion: apiVersionOf(type), kind: type.kind, ...object }),
      signal,
    });
  }

  /**
   * Server-side apply. The object holds exactly the fields that are ours. Fields that another manager owns are taken over, unless
   * `force` is false: then they are a conflict.
   */
  async apply<T extends KubernetesObject>(
    type: ResourceType,
    object: KubernetesObject,
    options: {
      subresource?: string | undefined;
      force?: boolean | undefined;
      signal: AbortSignal;
    },
  ): Promise<T> {
    return await this.#json<T>({
      method: "PATCH",
      path: withQuery(
        pathOf(type, {
          namespace: object.metadata.namespace,
          name: object.metadata.name,
          subresource: options.subresource,
        }),
        { fieldManager: this.fieldManager, force: options.force === false ? undefined : "true" },
      ),
      headers: { "content-type": "application/apply-patch+yaml" },
      body: JSON.stringify({ apiVersion: apiVersionOf(type), kind: type.kind, ...object }),
      signal: options.signal,
    });
  }

  async mergePatch<T extends KubernetesObject>(
    type: ResourceType,
    at: { namespace?: string | undefined; name: string; subresource?: string | undefined },
    patch: object,
    signal: AbortSignal,
  ): Promise<T> {
    return await this.#json<T>({
      method: "PATCH",
      path: withQuery(pathOf(type, at), { fieldManager: this.fieldManager }),
      headers: { "content-type": "application/merge-patch+json" },
      body: JSON.stringify(patch),
      signal,
    });
  }

  /** With a uid, only the object that has it is deleted, so that a new one of the same name is spared. */
  async delete(
    type: ResourceType,
    at: { namespace?: string | undefined; name: string; uid?: string | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    await this.#json({
      method: "DELETE",
      path: pathOf(type, at),
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        apiVersion: "v1",
        kind: "DeleteOptions",
        propagationPolicy: "Background",
        preconditions: at.uid === undefined ? undefined : { uid: at.uid },
      }),
      signal,
    });
  }

  async #json<T>(request: TransportRequest, isRepeated = true): Promise<T> {
    const { repeating } = this.#options;
    const begun = this.#clock.monotonic();
    for (let repeats = 0; ; repeats += 1) {
      try {
        return await this.#jsonOnce<T>(request);
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

  async #jsonOnce<T>(request: TransportRequest): Promise<T> {
    await this.#options.rateLimiter.take(request.signal, this.#urgency);
    using deadline = new Deadline({
      ms: REQUEST_TIMEOUT_MS,
      clock: this.#clock,
      signal: request.signal,
    });
    try {
      const response = await this.#send({ ...request, signal: deadline.signal });
      return await read(response, (text) => JSON.parse(text) as T);
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
    throw await read(response, (text) => ApiError.fromResponse(status, text, retryAfter));
  }
}

/** The whole answer, as `parse` understands it. */
async function read<T>(response: IncomingMessage, parse: (text: string) => T): Promise<T> {
  try {
    return parse(await textOf(response));
  } catch (error) {
    if (error instanceof ConnectionError) throw error;
    throw new ConnectionError("the answer of the API server broke off", { cause: error });
  }
}

function withQuery(path: string, query: Record<string, string | undefined>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") parameters.set(name, value);
  }
  const text = parameters.toString();
  return text === "" ? path : `${path}?${text}`;
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_RESPONSE_BYTES) {
      throw new ConnectionError(`the answer is over ${MAX_RESPONSE_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      rest.push(chunk.subarray(start, end));
      const line = Buffer.concat(rest).toString("utf8");
      rest = [];
      size = 0;
      start = end + 1;
      if (line.trim() !== "") yield line;
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start));
      size += chunk.length - start;
      if (size > MAX_WATCH_LINE_BYTES) {
        throw new ConnectionError(`a line of the watch is over ${MAX_WATCH_LINE_BYTES} bytes`);
      }
    }
  }
}
