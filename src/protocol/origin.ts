/**
 * Decides which pages may connect to an agent or to a gateway. A browser lets any page open a WebSocket to any address, so the
 * Origin header decides. Other clients do not send one.
 */

/** The headers of a handshake that say where it comes from. */
export interface HandshakeHeaders {
  readonly origin?: string | undefined;
  readonly host?: string | undefined;
  readonly "x-forwarded-host"?: string | readonly string[] | undefined;
}

export interface OriginRules {
  /** The origins that the agent names. `*` stands for every page. */
  readonly allowedOrigins: readonly string[];
  /** Whether the server listens on a loopback address. Only then may the pages of this machine connect, on whatever port. */
  readonly isLocal: boolean;
}

export function isOriginAllowed(
  headers: Pick<HandshakeHeaders, "origin" | "host">,
  { allowedOrigins, isLocal }: OriginRules,
): boolean {
  const { origin, host } = headers;
  if (origin === undefined || allowedOrigins.includes("*")) return true;
  const page = URL.parse(origin);
  // A sandboxed page or a local file sends "null", which names nobody.
  if (page === null || page.host === "") return false;
  if (isLocal && isLoopback(page.hostname)) return true;
  if (page.host === URL.parse(`${page.protocol}//${host ?? ""}`)?.host) return true;
  return allowedOrigins.some((allowed) => {
    const other = URL.parse(allowed);
    return other !== null && other.protocol === page.protocol && other.host === page.host;
  });
}

/**
 * Whether a request that reached a loopback address was meant for this machine. The Host header gives away a page
 * whose name was made to resolve to 127.0.0.1. A gateway has already judged the requests that come through it.
 */
export function isHostTrusted(headers: HandshakeHeaders): boolean {
  if (headers["x-forwarded-host"] !== undefined) return true;
  const host = URL.parse(`http://${headers.host ?? ""}`);
  return host !== null && isLoopback(host.hostname);
}

export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, "");
  return (
    name === "localhost" ||
    name.endsWith(".localhost") ||
    name === "[::1]" ||
    name === "::1" ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)
  );
}

/**
 * Returns the host of a Host header without its port and the dot at its end, in lower case, and an IPv6 address in brackets.
 * Returns `undefined` when the header is missing or not a host.
 */
export function hostOf(header: string | undefined): string | undefined {
  if (header === undefined || header === "" || /[\s/@?#\\]/.test(header)) return undefined;
  const host = URL.parse(`http://${header}`)?.hostname.replace(/\.$/, "");
  return host === undefined || host === "" || host.endsWith(".") ? undefined : host;
}
