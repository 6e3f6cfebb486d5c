/** The stream of changes as events, each as soon as it has come. */
import { EventSourceParserStream } from "eventsource-parser/stream";
import type { WatchEvent } from "../../http-api/watch-events.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import { openStream } from "./api-client.ts";
import { ApiFailure } from "./api-failure.ts";

/** The server says something every 15 seconds. What is silent for so long is dead, whatever the network thinks. */
const MAX_SILENCE_MS = 40_000;
/** The first event comes at once, unless something on the way keeps it back. */
const FIRST_EVENT_MS = 5_000;
/** One event may hold all resources. */
const MAX_EVENT_CHARACTERS = 64 * 1024 * 1024;

export interface Watched {
  /** What to name to go on after this event. */
  readonly cursor: string | undefined;
  readonly event: WatchEvent;
}

/** Ends when the server ends the stream. Throws when it cannot be had, or is silent for too long, or `signal` aborts. */
export async function* watchStream(
  cursor: string | undefined,
  clock: Pick<Clock, "setTimer">,
  signal: AbortSignal,
): AsyncGenerator<Watched> {
  const silence = new AbortController();
  const listen = (ms: number): Timer =>
    clock.setTimer(ms, () =>
      silence.abort(new ApiFailure("Unreachable", "Omnia has been silent for too long.")),
    );
  let timer = listen(FIRST_EVENT_MS);
  const heard = new TransformStream<Uint8Array, BufferSource>({
    transform(bytes, controller) {
      timer.cancel();
      timer = listen(MAX_SILENCE_MS);
      controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
    },
  });
  try {
    const ended = AbortSignal.any([signal, silence.signal]);
    const body = await openStream("/watch", cursor, ended);
    const messages = body
      .pipeThrough(heard)
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream({ maxBufferSize: MAX_EVENT_CHARACTERS }));
    for await (const { event: type, id, data } of iterate(messages, ended)) {
      // A version of the server that is newer than the page may send what the page does not know.
      if (type === undefined || !KNOWN.has(type)) continue;
      yield { cursor: id, event: { ...(JSON.parse(data) as object), type } as WatchEvent };
    }
  } finally {
    timer.cancel();
  }
}

const KNOWN: ReadonlySet<string> = new Set<WatchEvent["type"]>([
  "snapshot",
  "changed",
  "removed",
  "event",
  "reset",
]);

/** Safari reads streams by readers only. */
async function* iterate<Item>(
  stream: ReadableStream<Item>,
  signal: AbortSignal,
): AsyncGenerator<Item> {
  const reader = stream.getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}
