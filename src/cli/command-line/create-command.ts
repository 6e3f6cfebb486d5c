import type { Command } from "commander";
import type { ExitCode } from "../terminal/cli-error.ts";
import type { Streams } from "../terminal/streams.ts";

/** What a command gets from the program that it belongs to. */
export interface CommandContext {
  readonly streams: Streams;
  /** Called once, by the action of the command that ran, with the exit code of the process. */
  readonly end: (exitCode: ExitCode) => void;
}

/**
 * Describes a command: its flags, its help and its action. The action imports the module that does the work only when it
 * runs, so that no command loads what only another one needs.
 */
export type CreateCommand = (context: CommandContext) => Command;
