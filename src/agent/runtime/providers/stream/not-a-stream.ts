/** What came with a 200 instead of a stream of events. */
export type NotAStream =
  | "an HTML page"
  | "an empty body"
  | "an error"
  | "JSON that is no answer"
  | "an answer of another API"
  | "a text";

/** A server answered with success, and with something that is no answer. The request is not made again: it may have been paid for. */
export class NotAStreamError extends Error {
  override readonly name = "NotAStreamError";
  readonly what: NotAStream;
  readonly status: number;
  /** Undefined when the server named none, or what it named is no media type. */
  readonly contentType: string | undefined;
  /** What the server said went wrong. It may be searched, and must never be shown. */
  readonly error: unknown;

  constructor(
    what: NotAStream,
    { status, headers }: Pick<Response, "status" | "headers">,
    error?: unknown,
  ) {
    super(`not a stream of events but ${what}`);
    this.what = what;
    this.status = status;
    this.contentType = MEDIA_TYPE.exec(headers.get("content-type") ?? "")?.[0];
    this.error = error;
  }
}

const MEDIA_TYPE = /^[\w.+-]{1,40}\/[\w.+-]{1,40}(?=\s*(?:;|$))/;
