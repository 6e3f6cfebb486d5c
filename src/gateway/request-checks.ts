/**
 * Which pages may talk to a gateway. A browser lets any page open a WebSocket to any address, so the Origin decides;
 * and a page whose name was made to resolve to this machine (DNS rebinding) shows in the Host header.
 */

/** `localhost`, names under it, 127.0.0.0/8 and ::1, as written in a URL or a Host header, without port. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, "");
  return (
    name === "localhost" ||
    name.endsWith(".localhost") ||
    name === "[::1]" ||
    name === "::1" ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)
  );
}

/** The host of a Host header without its port; `undefined` when the header is missing or is no host. */
export function hostOf(header: string | undefined): string | undefined {
  if (header === undefined || header === "" || /[\s/@?#\\]/.test(header)) return undefined;
  const url = URL.parse(`http://${header}`);
  return url === null ? undefined : url.hostname;
}

/**
 * `origin` is the Origin header: browsers send one with every WebSocket, other clients none.
 * `allowedOrigins` are what the agent adds; `*` allows every page.
 */
export function isOriginAllowed(
  origin: string | undefined,
  hostHeader: string | undefined,
  allowedOrigins: readonly string[],
): boolean {
  if (origin === undefined) return true;
  if (allowedOrigins.includes("*")) return true;
  const url = URL.parse(origin);
  // "null" is what a sandboxed page or a file sends; it names nobody.
  if (url === null || url.host === "") return false;
  if (isLoopbackHost(url.hostname)) return true;
  if (url.host === URL.parse(`${url.protocol}//${hostHeader ?? ""}`)?.host) return true;
  // Not by `URL.origin`, which is "null" for every scheme that is not of the web.
  return allowedOrigins.some((allowed) => {
    const other = URL.parse(allowed);
    return other !== null && other.protocol === url.protocol && other.host === url.host;
  });
}
