/**
 * Decides under which names a gateway may be reached. A page that a browser shows can make its own name resolve to any address, and so
 * reach this machine (DNS rebinding), but the browser goes on to say the page's name in the Host header. An address cannot be made to
 * resolve to something else, so those of this machine are safe.
 */
import type { IncomingMessage } from "node:http";
import { isIP, isIPv6 } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { hostOf, isLoopback } from "../protocol/origin.ts";

export interface Machine {
  readonly hostname: () => string;
  /** The addresses of its network interfaces. They may change at any time. */
  readonly addresses: () => readonly string[];
}

export const THIS_MACHINE: Machine = {
  hostname,
  addresses: () =>
    Object.values(networkInterfaces()).flatMap((entries) =>
      (entries ?? []).map(({ address }) => address),
    ),
};

export interface HostRule {
  /** Whether the gateway listens on a loopback address. */
  readonly isLoopback: boolean;
  /** Takes a host as `canonicalHost` returns it. */
  readonly allows: (host: string) => boolean;
  /** Only a page that a browser shows can be made to come under a false name. Other clients may then use any. */
  readonly isForPagesOnly?: boolean | undefined;
}

export function hostRule({
  address,
  given,
  allowedHosts,
  machine,
}: {
  /** The address that the socket is bound to. */
  address: string;
  /** The address or name that it was asked to listen at. */
  given: string;
  /** More names. Each is a host without a port. */
  allowedHosts: readonly string[];
  machine: Machine;
}): HostRule {
  const bound = canonicalHost(address) ?? address;
  const isBoundToLoopback = isLoopback(bound);
  const isBoundToAll = bound === "0.0.0.0" || bound === "[::]";
  const names = new Set([bound, ...[given, ...allowedHosts].map(canonicalHost)]);
  return {
    isLoopback: isBoundToLoopback,
    allows: (host) => {
      if (names.has(host)) return true;
      if (isLoopback(host)) return isBoundToLoopback || isBoundToAll;
      if (!isBoundToAll) return false;
      if (host === canonicalHost(machine.hostname())) return true;
      return machine.addresses().some((one) => canonicalHost(one) === host);
    },
  };
}

/** The names that only a cluster itself resolves: a Service of the same namespace, or with its namespace behind it. */
const CLUSTER_NAME = /^[a-z0-9-]+$|\.svc$|\.svc\.cluster\.local$/;

/**
 * The rule of a gateway in a cluster, which many names lead to. Pages come under names that nobody else can give to an address: an
 * address itself, a name of the cluster, a name of this machine, or one of `allowedHosts`, of which `*.` at the beginning stands for
 * any names before it, and `*` for every host.
 */
export function clusterHostRule(allowedHosts: readonly string[]): HostRule {
  const names = new Set<string | undefined>();
  const endings: string[] = [];
  for (const allowed of allowedHosts) {
    if (allowed.startsWith("*.")) endings.push(`.${canonicalHost(allowed.slice(2)) ?? ""}`);
    else if (allowed !== "*") names.add(canonicalHost(allowed));
  }
  const isAnyAllowed = allowedHosts.includes("*");
  return {
    isLoopback: false,
    isForPagesOnly: true,
    allows: (host) =>
      isAnyAllowed ||
      names.has(host) ||
      endings.some((ending) => host.endsWith(ending)) ||
      isIP(host.replace(/^\[|\]$/g, "")) !== 0 ||
      isLoopback(host) ||
      CLUSTER_NAME.test(host),
  };
}

/** Returns one spelling for each host, or `undefined` for what is not a host. A port is left out. */
export function canonicalHost(host: string): string | undefined {
  const canonical = hostOf(isIPv6(host) ? `[${host.replace(/%.*$/, "")}]` : host);
  // An IPv4 address may be written as IPv6: `URL` writes [::ffff:127.0.0.1] as [::ffff:7f00:1].
  const mapped = /^\[::ffff:([\da-f]{1,4}):([\da-f]{1,4})\]$/.exec(canonical ?? "");
  if (mapped === null) return canonical;
  const [high = 0, low = 0] = mapped.slice(1).map((part) => Number.parseInt(part, 16));
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

/**
 * Returns the host that a request is for. Returns `undefined` unless the request has one Host header that is a host, and a target
 * that names no other host.
 */
export function hostOfRequest({ rawHeaders, url = "/" }: IncomingMessage): string | undefined {
  const hosts = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === "host",
  );
  const [header, ...others] = hosts;
  if (header === undefined || others.length > 0) return undefined;
  const host = canonicalHost(header);
  const authority = /^https?:\/\/([^/?#]*)/i.exec(url)?.[1];
  return authority === undefined || canonicalHost(authority) === host ? host : undefined;
}
