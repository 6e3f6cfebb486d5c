export interface GrpcAddress {
  /** What an HTTP/2 connection is opened to, such as `https://tools.example:443`. */
  readonly origin: string;
  /** As in a URL: an IPv6 address stands in brackets. */
  readonly hostname: string;
  /** Stands before the path of each method; empty, or without a "/" at its end. */
  readonly prefix: string;
}

/** With `grpcs` and `https` the connection is encrypted. `host:port` means `grpc://host:port`. */
const PROTOCOLS: Readonly<Record<string, "http" | "https" | undefined>> = {
  "grpc:": "http",
  "http:": "http",
  "grpcs:": "https",
  "https:": "https",
};

/** `undefined` for what is no address of a gRPC server. */
export function grpcAddress(url: string): GrpcAddress | undefined {
  const written = URL.parse(url.includes("://") ? url : `grpc://${url}`);
  const protocol = written === null ? undefined : PROTOCOLS[written.protocol];
  if (written === null || protocol === undefined) return undefined;
  // Only the URLs of HTTP have their hosts brought into one spelling.
  const address = URL.parse(`${protocol}://${written.host}${written.pathname}`);
  if (address === null || address.hostname === "") return undefined;
  const { origin, hostname, pathname } = address;
  return { origin, hostname, prefix: pathname.replace(/\/+$/, "") };
}
