/**
 * Why an agent could not use this text as the URL of its session store: the rules of the agent, which a test holds the
 * two to. `undefined`: it could. The answer does not repeat the URL, which may hold a password.
 */
export function redisURLProblem(text: string): string | undefined {
  const url = URL.parse(text.trim());
  if (url === null)
    return "it is no URL (special characters in a password must be percent-encoded)";
  if (url.protocol !== "redis:" && url.protocol !== "rediss:") {
    return "it must begin with redis:// or rediss://";
  }
  if (url.hostname === "") return "it names no host";
  if (url.search !== "" || url.hash !== "") return "it must have no parameters (? or #)";
  if (!/^\/?(\d{1,5}\/?)?$/.test(url.pathname)) return "its path must be the number of a database";
  if (!isEncoded(url.username) || !isEncoded(url.password)) {
    return "its user name and password must be percent-encoded";
  }
  return undefined;
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
