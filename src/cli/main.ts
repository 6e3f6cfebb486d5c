/** Runs a command and turns its outcome into an exit code. Only this file does that. */
import { CommanderError } from "commander";
import { CliError, EXIT_CODES, type ExitCode } from "./terminal/cli-error.ts";
import { runProgram } from "./program.ts";
import type { Streams } from "./terminal/streams.ts";
import { withoutSecrets } from "../observability/secrets/without-secrets.ts";
import { styled } from "../observability/terminal/line.ts";
import { printLine, printText } from "../observability/terminal/writer.ts";

/** `args` are the arguments after node and script. Never rejects. */
export async function main(args: readonly string[], streams: Streams): Promise<ExitCode> {
  try {
    return await runProgram(args, streams);
  } catch (error) {
    return report(error, streams);
  }
}

/** Prints what went wrong, and returns the exit code for it. */
export function report(error: unknown, { stderr, env }: Streams): ExitCode {
  // The library has already printed its message, or the help that was asked for.
  if (error instanceof CommanderError)
    return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;

  const known = error instanceof CliError;
  const message = error instanceof Error ? error.message : String(error);
  printLine(stderr, [styled("red", "omnia:"), ` ${withoutSecrets(message)}`]);
  if (known && error.cure !== undefined) printLine(stderr, withoutSecrets(error.cure));
  if (env["DEBUG"]) printText(stderr, `${withoutSecrets(stackOf(error))}\n`);
  else if (!known) printLine(stderr, "This should not happen. DEBUG=1 shows where it did.");
  return known ? error.exitCode : EXIT_CODES.failed;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? error.message;
  return error.cause === undefined ? stack : `${stack}\ncaused by: ${stackOf(error.cause)}`;
}
