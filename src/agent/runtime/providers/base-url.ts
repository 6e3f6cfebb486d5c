import type { ProviderName } from "../../../agent-config/agent-config.ts";

const OFFICIAL_BASE_URLS: Record<ProviderName, string> = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com/v1",
  google: "https://generativelanguage.googleapis.com/v1beta",
};
const VERSION_PATHS: Record<ProviderName, string> = {
  openai: "/v1",
  anthropic: "/v1",
  google: "/v1beta",
};
const ENDS_IN_VERSION = /\/v\d+[a-z\d]*$/;

/**
 * The URL before `/chat/completions`, `/messages` or `/models/…`, without a slash at its end.
 *
 * A URL without a path (`http://host:8000`) gets the provider's version path, since every server has one. A URL with a path is
 * used as the provider's own clients use it: those of OpenAI expect that the path is complete; those of Anthropic and Google
 * add the version themselves, so it is added unless it is there.
 */
export function providerBaseURL(name: ProviderName, baseURL: string | undefined): string {
  if (baseURL === undefined) return OFFICIAL_BASE_URLS[name];
  const url = baseURL.trim().replace(/\/+$/, "");
  const hasPath = new URL(url).pathname !== "/";
  if (hasPath && (name === "openai" || ENDS_IN_VERSION.test(url))) return url;
  return url + VERSION_PATHS[name];
}
