/**
 * The token with which the page asks the API, where one is wanted. It is kept as long as the tab is open, and no cookie carries it: a request that
 * another site causes has none.
 */
const KEY = "omnia-token";
const listeners = new Set<() => void>();

/** Takes the token out of the address (`#token=…`), which people copy and browsers remember. */
export function keepTokenOfAddress(page: Pick<Window, "location" | "history">): void {
  const token = takeFromAddress("token", page);
  if (token !== undefined) keepToken(token);
}

/** Takes a value out of the part of the address behind `#`. One that is empty is `undefined`. */
export function takeFromAddress(
  name: string,
  { location, history }: Pick<Window, "location" | "history">,
): string | undefined {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const value = fragment.get(name);
  if (value === null) return undefined;
  fragment.delete(name);
  const rest = fragment.toString();
  const hash = rest === "" ? "" : `#${rest}`;
  history.replaceState(history.state, "", `${location.pathname}${location.search}${hash}`);
  return value === "" ? undefined : value;
}

export function currentToken(): string | undefined {
  return sessionStorage.getItem(KEY) ?? undefined;
}

/** From here on requests bring this one. What runs goes on. */
export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token.trim());
  for (const listener of listeners) listener();
}

/** Settles when there is another token, or when `signal` aborts. */
export async function untilTokenChanges(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => resolve();
  listeners.add(done);
  signal.addEventListener("abort", done);
  await promise;
  listeners.delete(done);
  signal.removeEventListener("abort", done);
}
