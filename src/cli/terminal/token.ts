import { CliError, EXIT_CODES } from "./cli-error.ts";
import type { Streams } from "./streams.ts";

/** Reads the token that is sent to agents. */
export function readToken(env: Streams["env"]): string | undefined {
  const token = env["OMNIA_TOKEN"]?.trim();
  if (token === undefined || token === "") return undefined;
  if (!/^[\u0021-\u007e]+$/.test(token)) {
    throw new CliError("OMNIA_TOKEN holds characters that no token has.", {
      exitCode: EXIT_CODES.usage,
    });
  }
  return token;
}
