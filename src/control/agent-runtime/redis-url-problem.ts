import { parseStoreURL } from "../../agent-config/store-url.ts";

/**
 * Why an agent could not use this text as the URL of its session store; `undefined` when it could. The answer does not repeat
 * the URL, which may hold a password.
 */
export function redisURLProblem(text: string): string | undefined {
  const parsed = parseStoreURL(text);
  return parsed.ok ? undefined : parsed.problem;
}
