/**
 * The `fetch` that the provider packages are given. It limits what they do not limit: how long the provider may be silent, how
 * large its answer may be, and where a request may go.
 */
import type { Clock } from "../../../time/clock.ts";
import { LATE, within } from "../../../time/within.ts";
import {
  MAX_ANSWER_BYTES,
  MAX_ERROR_BODY_BYTES,
  PROVIDER_IDLE_LIMIT_MS,
} from "../../contracts/limits.ts";

export class ProviderSilentError extends Error {
  override readonly name = "ProviderSilentError";
}
export class AnswerTooLargeError extends Error {
  override readonly name = "AnswerTooLargeError";
}

export function createProviderFetch(clock: Pick<Clock, "setTimer">): typeof fetch {
  return async (input, init) => {
    const giveUp = new AbortController();
    const signal =
      init?.signal == null ? giveUp.signal : AbortSignal.any([init.signal, giveUp.signal]);

    async function unlessSilent<T>(wait: Promise<T>): Promise<T> {
      const result = await within(PROVIDER_IDLE_LIMIT_MS, wait, clock);
      if (result !== LATE) return result;
      const error = new ProviderSilentError("no byte for too long");
      giveUp.abort(error);
      throw error;
    }

    // A redirect is never followed, since the key would be sent to wherever it leads.
    const response = await unlessSilent(fetch(input, { ...init, signal, redirect: "manual" }));
    if (response.body === null) return response;

    const reader = response.body.getReader();
    const limit = response.ok ? MAX_ANSWER_BYTES : MAX_ERROR_BODY_BYTES;
    let bytes = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        // This runs only while somebody wants more, so a slow reader is not taken for a silent provider.
        async pull(controller) {
          const { done, value } = await unlessSilent(reader.read());
          if (done) return controller.close();
          bytes += value.byteLength;
          if (bytes <= limit) return controller.enqueue(value);
          giveUp.abort(new AnswerTooLargeError(`more than ${limit} bytes`));
          // The beginning of an error is enough.
          if (response.ok) controller.error(giveUp.signal.reason);
          else controller.close();
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    );
    const { status, statusText, headers } = response;
    return new Response(body, { status, statusText, headers });
  };
}
