export const REDIS_PORT = 6379;

/** One Redis server, as a redis:// or rediss:// URL names it. */
export interface RedisAddress {
  host: string;
  port: number;
  tls: boolean;
  username?: string;
  password?: string;
  database: number;
}

/** The URL of a store cannot be used. The message does not repeat the URL, which holds a password. */
export class InvalidStoreURLError extends Error {
  override readonly name = "InvalidStoreURLError";
}

/** `redis[s]://[[user][:password]@]host[:port][/database]`, user and password percent-encoded. */
export function parseRedisURL(text: string): RedisAddress {
  // The parser's own error carries the text, so it is neither kept as a cause nor shown.
  const url = URL.parse(text.trim());
  if (url === null)
    throw new InvalidStoreURLError(
      "the store's URL is not a URL (special characters in a password must be percent-encoded)",
    );
  if (url.protocol !== "redis:" && url.protocol !== "rediss:") {
    throw new InvalidStoreURLError("the store's URL must begin with redis:// or rediss://");
  }
  if (url.hostname === "") throw new InvalidStoreURLError("the store's URL names no host");
  if (url.search !== "" || url.hash !== "") {
    throw new InvalidStoreURLError("the store's URL takes no parameters (? or #)");
  }
  const username = decode(url.username, "user name");
  const password = decode(url.password, "password");
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? REDIS_PORT : Number(url.port),
    tls: url.protocol === "rediss:",
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
    database: databaseOf(url.pathname),
  };
}

function databaseOf(path: string): number {
  if (path === "" || path === "/") return 0;
  const database = /^\/(\d{1,5})\/?$/.exec(path)?.[1];
  if (database === undefined) {
    throw new InvalidStoreURLError("the path of the store's URL must be the number of a database");
  }
  return Number(database);
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InvalidStoreURLError(`the ${what} in the store's URL is not percent-encoded`);
  }
}
