/**
 * The messages of a request for a Response may go without `type`, by OpenAI's own API and its package. Other servers tell what an
 * item is by its `type` only, and refuse the whole request without.
 */
import type { ProviderFetch } from "./network/provider-answer.ts";

export function createMessageItemsFetch(providerFetch: ProviderFetch): ProviderFetch {
  return (input, init) => {
    const body = init?.body;
    return providerFetch(
      input,
      typeof body === "string" ? { ...init, body: withTypes(body) } : init,
    );
  };
}

/** Names the type of each message in `body`. What is no request for a Response is returned as it is. */
export function withTypes(body: string): string {
  let request: { input?: unknown } | null;
  try {
    request = JSON.parse(body) as { input?: unknown } | null;
  } catch {
    return body;
  }
  if (!Array.isArray(request?.input)) return body;
  return JSON.stringify({ ...request, input: request.input.map(withType) });
}

function withType(item: unknown): unknown {
  const isMessage =
    typeof item === "object" && item !== null && "role" in item && !("type" in item);
  return isMessage ? { type: "message", ...item } : item;
}
