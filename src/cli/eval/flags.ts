/** The flags of `omnia eval`, and which of them go together. */
import type { ProviderName } from "../../agent-config/agent-config.ts";
import { CliError, EXIT_CODES } from "../terminal/cli-error.ts";
import type { TokenFlags } from "../terminal/token.ts";

export const EVAL_FORMATS = ["table", "json", "junit"] as const;

export interface EvalFlags extends Pick<TokenFlags, "tokenFile"> {
  readonly filename: readonly string[];
  readonly conversations: string;
  readonly agent?: string | undefined;
  readonly namespace?: string | undefined;
  readonly prompt?: string | undefined;
  readonly provider?: ProviderName | undefined;
  readonly model?: string | undefined;
  readonly baseUrl?: string | undefined;
  readonly judgeModel?: string | undefined;
  readonly url?: string | undefined;
  readonly record?: string | undefined;
  readonly replay?: string | undefined;
  readonly jobs: number;
  /** In milliseconds. */
  readonly timeout: number;
  readonly group: readonly string[];
  readonly sampled?: boolean | undefined;
  readonly allowUnknown?: boolean | undefined;
  readonly output: (typeof EVAL_FORMATS)[number];
  readonly out?: string | undefined;
}

/** Throws a CliError when flags contradict each other. */
export function checkFlags(flags: EvalFlags): void {
  const { record, replay, url, provider, model, baseUrl } = flags;
  const wrong = (message: string, cure?: string): CliError =>
    new CliError(message, { cure, exitCode: EXIT_CODES.usage });
  if (record !== undefined && replay !== undefined) {
    throw wrong("--record and --replay cannot both be given.");
  }
  if (url !== undefined && replay !== undefined) {
    throw wrong("--url and --replay cannot both be given.", "A replay asks nobody.");
  }
  if (provider !== undefined && model === undefined && replay === undefined) {
    throw wrong("--provider needs --model.");
  }
  if (baseUrl !== undefined && !isWebAddress(baseUrl)) {
    throw wrong(
      `--base-url: ${JSON.stringify(baseUrl)} is no address of a server.`,
      "Give one like http://localhost:11434/v1.",
    );
  }
}

function isWebAddress(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === "http:" || url.protocol === "https:");
}
