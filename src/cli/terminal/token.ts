import { createReadStream } from "node:fs";
import { printLine } from "../../observability/terminal/writer.ts";
import { CliError, EXIT_CODES } from "./cli-error.ts";
import type { Streams } from "./streams.ts";

/** No token is longer. */
const MAX_TOKEN_BYTES = 64 * 1024;

export interface TokenFlags {
  /** The token itself. Whoever may list processes reads it there. */
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** Reads the token that is sent to agents: from the flags, else from the environment. */
export async function readToken(
  { token, tokenFile }: TokenFlags,
  { env, stderr }: Streams,
): Promise<string | undefined> {
  if (token !== undefined && tokenFile !== undefined) {
    throw new CliError("--token and --token-file cannot both be given.", {
      cure: "Leave out --token: others on this machine can read it.",
      exitCode: EXIT_CODES.usage,
    });
  }
  if (tokenFile !== undefined) return tokenIn(await readTokenFile(tokenFile), `--token-file`);
  if (token !== undefined) {
    printLine(
      stderr,
      "Others on this machine can read what is given as --token. OMNIA_TOKEN and --token-file keep it to you.",
    );
    return tokenIn(token, "--token");
  }
  return tokenIn(env["OMNIA_TOKEN"] ?? "", "OMNIA_TOKEN", { mayBeEmpty: true });
}

function tokenIn(text: string, source: string, { mayBeEmpty = false } = {}): string | undefined {
  const token = text.trim();
  if (token === "" && mayBeEmpty) return undefined;
  if (/^[\u0021-\u007e]+$/.test(token)) return token;
  const problem = token === "" ? "holds no token" : "holds characters that no token has";
  throw new CliError(`${source} ${problem}.`, { exitCode: EXIT_CODES.usage });
}

/** `/dev/stdin` and what a shell makes of `<(…)` are files, too. */
async function readTokenFile(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_TOKEN_BYTES) break;
    }
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    throw new CliError(`--token-file: ${path} cannot be read (${code}).`, {
      exitCode: EXIT_CODES.usage,
      cause: error,
    });
  }
  if (bytes > MAX_TOKEN_BYTES) {
    throw new CliError(`--token-file: ${path} is too long to be a token.`, {
      exitCode: EXIT_CODES.usage,
    });
  }
  return Buffer.concat(chunks).toString("utf8");
}
