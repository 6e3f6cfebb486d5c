import type { IncomingMessage } from "node:http";
import { ApiError, ConnectionError } from "./api-error.ts";
import { apiVersionOf, type KubernetesObject, pathOf, type ResourceType } from "./object.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import type { Transport, TransportRequest } from "./transport.ts";

/** The largest answer that is read, apart from watches. */
export const MAX_RESPONSE_BYTES = 256 * 1024 * 1024;
/** The longest line of a watch. etcd holds no object over 1.5 MiB by default. */
export const MAX_WATCH_LINE_BYTES = 8 * 1024 * 1024;
/** The answer of a request that is no watch must be whole by then. */
export const REQUEST_TIMEOUT_MS = 60_000;

export interface ListPage<T> {
  items: T[];
  resourceVersion: string;
  continue: string | undefined;
}

export interface ListOptions {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  resourceVersion?: string;
  limit?: number;
  continue?: string | undefined;
  /** Only names, labels, annotations, owners: for objects whose content must not be held, such as Secrets. */
  metadataOnly?: boolean | undefined;
  signal: AbortSignal;
}

export type WatchEvent<T> =
  | { type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK"; object: T }
  | { type: "ERROR"; object: { code?: number; reason?: string; message?: string } };

const METADATA_ACCEPT =
  "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
const METADATA_LIST_ACCEPT =
  "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/** How a request ended; `error`: without an answer. */
export interface RequestOutcome {
  method: TransportRequest["method"];
  status: number | "error";
  seconds: number;
}

/** Raw JSON to and from the API server. Rejects with ApiError or ConnectionError; repeats nothing by itself. */
export class KubeClient {
  readonly #transport: Transport;
  readonly #rateLimiter: RateLimiter;
  readonly #onResponse: ((outcome: RequestOutcome) => void) | undefined;
  readonly fieldManager: string;

  constructor(options: {
    transport: Transport;
    rateLimiter: RateLimiter;
    fieldManager: string;
    /** Told of every request, once its answer begins or there will be none. */
    onResponse?: (outcome: RequestOutcome) => void;
  }) {
    this.#transport = options.transport;
    this.#rateLimiter = options.rateLimiter;
    this.#onResponse = options.onResponse;
    this.fieldManager = options.fieldManager;
  }

  async get<T extends KubernetesObject>(
    type: ResourceType,
    at: { namespace?: string | undefined; name: string },
    signal: AbortSignal,
  ): Promise<T> {
    return await this.#json<T>({ method: "GET", path: pathOf(type, at), signal });
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
    const list = await this.#json<{
      items?: T[] | null;
      metadata?: { resourceVersion?: string; continue?: string };
    }>({
      method: "GET",
      path,
      ...(options.metadataOnly === true ? { headers: { accept: METADATA_LIST_ACCEPT } } : {}),
      signal: options.signal,
    });
    const next = list.metadata?.continue;
    return {
      items: list.items ?? [],
      resourceVersion: list.metadata?.resourceVersion ?? "",
      continue: next === "" ? undefined : next,
    };
  }

  /** Ends when the server ends the watch; rejects when the connection breaks or is silent for longer than it may be. */
  async *watch<T extends KubernetesObject>(
    type: ResourceType,
    options: Omit<ListOptions, "limit" | "continue" | "resourceVersion"> & {
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
    // The server ends the watch at timeoutSeconds; a connection that died in silence is noticed some time after that.
    const overdue = AbortSignal.timeout((options.timeoutSeconds + 30) * 1000);
    const response = await this.#send({
      method: "GET",
      path,
      ...(options.metadataOnly === true ? { headers: { accept: METADATA_ACCEPT } } : {}),
      signal: AbortSignal.any([options.signal, overdue]),
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

  /** Replaces the object; with a resourceVersion in it, only if it did not change meanwhile. */
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
   * Server-side apply: the object holds exactly the fields that are ours. With `force`, fields that another manager owns are
   * taken over; without, that is a conflict.
   */
  async apply<T extends KubernetesObject>(
    type: ResourceType,
    object: KubernetesObject,
    options: { subresource?: string; force?: boolean; signal: AbortSignal },
  ): Promise<T> {
    return await this.#json<T>({
      method: "PATCH",
      path: withQuery(
        pathOf(type, {
          namespace: object.metadata.namespace,
          name: object.metadata.name,
          ...(options.subresource === undefined ? {} : { subresource: options.subresource }),
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
    at: { namespace?: string | undefined; name: string },
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

  /** Only the object of this uid, so that a new one of the same name is spared. */
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
        ...(at.uid === undefined ? {} : { preconditions: { uid: at.uid } }),
      }),
      signal,
    });
  }

  async #json<T>(request: TransportRequest): Promise<T> {
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
    try {
      const response = await this.#send({ ...request, signal });
      return JSON.parse(await textOf(response)) as T;
    } catch (error) {
      if (request.signal.aborted || error instanceof ApiError || error instanceof ConnectionError) {
        throw error;
      }
      throw new ConnectionError("the answer of the API server broke off", { cause: error });
    }
  }

  async #send(request: TransportRequest): Promise<IncomingMessage> {
    await this.#rateLimiter.take(request.signal);
    const begun = performance.now();
    const tell = (status: number | "error"): void =>
      this.#onResponse?.({
        method: request.method,
        status,
        seconds: (performance.now() - begun) / 1000,
      });
    let response: IncomingMessage;
    try {
      response = await this.#transport.send(request);
    } catch (error) {
      if (!request.signal.aborted) tell("error");
      throw error;
    }
    const status = response.statusCode ?? 0;
    tell(status);
    if (status >= 200 && status < 300) return response;
    const retryAfter = response.headers["retry-after"];
    throw ApiError.fromResponse(status, await textOf(response), retryAfter);
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
