/**
 * The URL of a session store, as it stands in a Secret. The control plane checks it, and the agent connects with it. A problem
 * with a URL does not repeat the URL, since it may contain a password.
 *
 * - `redis[s]://[[user][:password]@]host[:port][/database]`, one server
 * - `redis[s]+sentinel://[[user][:password]@]host[:port][,…]/primary[/database]`, the server that the Sentinels name as the
 *   primary of that name; user and password are those of the servers
 * - `redis[s]+cluster://[[user][:password]@]host[:port][,…]`, a Redis Cluster, found by any of these nodes
 *
 * User and password are percent-encoded.
 */
export const REDIS_PORT = 6379;
export const SENTINEL_PORT = 26_379;
/** The number of Sentinels or nodes that a URL may name. */
export const MAX_STORE_HOSTS = 32;

export interface StoreEndpoint {
  readonly host: string;
  readonly port: number;
}

interface Access {
  readonly tls: boolean;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** One Redis server. */
export interface ServerAddress extends StoreEndpoint, Access {
  readonly kind: "server";
  readonly database: number;
}

export interface SentinelAddress extends Access {
  readonly kind: "sentinel";
  readonly sentinels: readonly StoreEndpoint[];
  /** The name that the Sentinels have for the primary. */
  readonly primary: string;
  readonly database: number;
}

export interface ClusterAddress extends Access {
  readonly kind: "cluster";
  readonly nodes: readonly StoreEndpoint[];
}

export type StoreAddress = ServerAddress | SentinelAddress | ClusterAddress;

export type ParsedStoreURL =
  | { readonly ok: true; readonly address: StoreAddress }
  /** What is wrong with the URL, to follow "the URL cannot be used: ". */
  | { readonly ok: false; readonly problem: string };

const SCHEME = /^redis(s?)(?:\+(sentinel|cluster))?:/i;
const NO_URL = "it is no URL (special characters in a password must be percent-encoded)";
const NO_PARAMETERS = "it must have no parameters (? or #)";
const NO_DATABASE = "its path must be the number of a database";

class UnusableURLError extends Error {}

export function parseStoreURL(text: string): ParsedStoreURL {
  try {
    return { ok: true, address: addressOf(text.trim()) };
  } catch (error) {
    if (error instanceof UnusableURLError) return { ok: false, problem: error.message };
    throw error;
  }
}

function addressOf(text: string): StoreAddress {
  const scheme = SCHEME.exec(text);
  if (scheme === null) {
    const isURL = URL.canParse(text);
    throw new UnusableURLError(
      isURL
        ? "it must begin with redis:// or rediss://, or with redis+sentinel:// or redis+cluster:// (rediss+… for TLS)"
        : NO_URL,
    );
  }
  const tls = scheme[1] !== "";
  const kind = scheme[2]?.toLowerCase();
  if (kind === undefined) return serverAddress(text, tls);
  const rest = text.slice(scheme[0].length);
  return kind === "cluster" ? clusterAddress(rest, tls) : sentinelAddress(rest, tls);
}

function serverAddress(text: string, tls: boolean): ServerAddress {
  // `URL.parse` is used since the error of `new URL` would contain the text.
  const url = URL.parse(text);
  if (url === null) throw new UnusableURLError(NO_URL);
  if (url.hostname === "") throw new UnusableURLError("it names no host");
  if (url.search !== "" || url.hash !== "") throw new UnusableURLError(NO_PARAMETERS);
  if (url.hostname.includes(",")) {
    throw new UnusableURLError(
      "it names several hosts: begin it with redis+sentinel:// or redis+cluster://",
    );
  }
  return {
    kind: "server",
    host: withoutBrackets(url.hostname),
    port: url.port === "" ? REDIS_PORT : Number(url.port),
    tls,
    ...credentials(url.username, url.password),
    database: databaseOf(url.pathname.slice(1)),
  };
}

function sentinelAddress(rest: string, tls: boolean): SentinelAddress {
  const { endpoints, access, path } = partsOf(rest, SENTINEL_PORT);
  const [primary = "", database = "", ...more] = path.replace(/\/$/, "").split("/");
  if (!/^[\w.-]{1,256}$/.test(primary)) {
    throw new UnusableURLError(
      "its path must name the primary that the Sentinels watch, as in /mymaster",
    );
  }
  if (more.length > 0)
    throw new UnusableURLError("its path must be the primary's name, and the number of a database");
  return {
    kind: "sentinel",
    sentinels: endpoints,
    primary,
    tls,
    ...access,
    database: databaseOf(database),
  };
}

function clusterAddress(rest: string, tls: boolean): ClusterAddress {
  const { endpoints, access, path } = partsOf(rest, REDIS_PORT);
  if (!/^0?\/?$/.test(path))
    throw new UnusableURLError("it must have no path: a cluster has one database");
  return { kind: "cluster", nodes: endpoints, tls, ...access };
}

/** The parts of `//[user[:password]@]host[:port][,…][/path]`, which is no URL by the standard. */
function partsOf(
  rest: string,
  port: number,
): { endpoints: StoreEndpoint[]; access: Omit<Access, "tls">; path: string } {
  if (!rest.startsWith("//")) throw new UnusableURLError(NO_URL);
  if (/[?#]/.test(rest)) throw new UnusableURLError(NO_PARAMETERS);
  const [, authority = "", path = ""] = /^\/\/([^/]*)\/?(.*)$/s.exec(rest) ?? [];
  const at = authority.lastIndexOf("@");
  const user = authority.slice(0, Math.max(0, at));
  const colon = user.indexOf(":");
  const access =
    colon === -1 ? credentials(user, "") : credentials(user.slice(0, colon), user.slice(colon + 1));
  const hosts = authority.slice(at + 1).split(",");
  if (hosts.every((host) => host === "")) throw new UnusableURLError("it names no host");
  if (hosts.length > MAX_STORE_HOSTS) {
    throw new UnusableURLError(`it names more than ${MAX_STORE_HOSTS} hosts`);
  }
  return { endpoints: hosts.map((host) => endpointOf(host, port)), access, path };
}

function endpointOf(text: string, port: number): StoreEndpoint {
  const url = /^[^@\s\\]+$/.test(text) ? URL.parse(`redis://${text}`) : null;
  if (url === null || url.hostname === "") {
    throw new UnusableURLError("its hosts must be written host:port, with a comma between them");
  }
  return {
    host: withoutBrackets(url.hostname),
    port: url.port === "" ? port : Number(url.port),
  };
}

function databaseOf(text: string): number {
  if (!/^(?:\d{1,5}\/?)?$/.test(text)) throw new UnusableURLError(NO_DATABASE);
  return Number.parseInt(text === "" ? "0" : text, 10);
}

function credentials(username: string, password: string): Omit<Access, "tls"> {
  try {
    const [user, secret] = [decodeURIComponent(username), decodeURIComponent(password)];
    return { username: user || undefined, password: secret || undefined };
  } catch {
    throw new UnusableURLError("its user name and password must be percent-encoded");
  }
}

function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}
