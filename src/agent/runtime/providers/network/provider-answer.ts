/**
 * The answer of a provider to one request. It is the part of `Response` that the agent has a use for, so that a `Response` is one,
 * too; its body can do without the streams of `fetch`, through which each piece of an answer takes longer than through all the rest.
 */
export interface ProviderAnswer {
  /** Whether the status is a success. */
  readonly ok: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  /** Null when the answer has none. */
  readonly body: AnswerBody | null;
  /** Reads the body to its end. */
  text(): Promise<string>;
}

export interface AnswerBody {
  /** To be called once. */
  getReader(): AnswerReader;
}

export interface AnswerReader {
  /** Bytes in the order in which they come. Not to be called again before it has settled. */
  read(): Promise<AnswerRead>;
  /** Nobody wants to read any more. */
  cancel(reason?: unknown): Promise<void>;
}

export interface AnswerRead {
  readonly done: boolean;
  readonly value?: Uint8Array | undefined;
}

/** What `fetch` is to the packages of the providers. */
export type ProviderFetch = (...request: Parameters<typeof fetch>) => Promise<ProviderAnswer>;

/** The answer as the packages know it. */
export function responseOf({ body, status, statusText, headers }: ProviderAnswer): Response {
  const reader = body?.getReader();
  const stream =
    reader === undefined
      ? null
      : new ReadableStream<Uint8Array>(
          {
            async pull(controller) {
              const { done, value } = await reader.read();
              if (done || value === undefined) controller.close();
              else controller.enqueue(value);
            },
            cancel: (reason) => reader.cancel(reason),
          },
          { highWaterMark: 0 },
        );
  return new Response(stream, { status, statusText, headers });
}
