export const EXIT_CODES = {
  /** What was asked was done. */
  ok: 0,
  /** What was asked failed. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
} as const;
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

/**
 * The only error with which a command ends on purpose. Its message is a sentence for the user, and `cure` is the one thing to do
 * about it. Everything else that is thrown is a fault of the program.
 */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;
  readonly cure: string | undefined;

  constructor(
    message: string,
    options: { cure?: string | undefined; exitCode?: ExitCode; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.cure = options.cure;
    this.exitCode = options.exitCode ?? EXIT_CODES.failed;
  }
}
