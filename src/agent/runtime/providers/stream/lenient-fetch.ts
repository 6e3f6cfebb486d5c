import type { Clock } from "../../../../time/clock.ts";
import { Departures } from "./departures.ts";
import { responseOf, type ProviderFetch } from "../network/provider-answer.ts";
import { mendedBody } from "./mended-body.ts";
import { bypassOf } from "./text-bypass.ts";
import type { CreateStreamMender } from "./stream-mender.ts";
import { wellFormedJSON } from "../../../../promptpack/document/well-formed-json.ts";

export interface LenientFetchOptions {
  fetch: ProviderFetch;
  createMender: CreateStreamMender;
  clock: Pick<Clock, "setTimer">;
  /** Called when an answer departed from its protocol. */
  onDepartures: (counts: Record<string, number>) => void;
}

/**
 * The `fetch` between a provider's package and the network. What the package sends is well-formed Unicode, and what it
 * receives is in the provider's own form.
 */
export function createLenientFetch(options: LenientFetchOptions): typeof fetch {
  const { createMender, clock, onDepartures } = options;
  return async (input, init) => {
    const body = typeof init?.body === "string" ? wellFormedJSON(init.body) : init?.body;
    const response = await options.fetch(input, { ...init, body: body ?? null });
    if (!response.ok) return responseOf(response);
    const departures = new Departures();
    const onEnd = (): void => {
      const { counts } = departures;
      if (Object.keys(counts).length > 0) onDepartures(counts);
    };
    const mender = createMender(departures);
    const { statusText, headers } = response;
    // The other successes may have no body, and so not the error that says so.
    const status = 200;
    const signal = init?.signal ?? undefined;
    const bypass = bypassOf(signal);
    const mended = mendedBody({ response, mender, departures, bypass, clock, signal, onEnd });
    return new Response(mended, { status, statusText, headers });
  };
}
