/** `omnia conformance-runtime`: checks whether a runtime speaks AG-UI as agents need it. */
import {
  runRuntimeSuite,
  whyRuntimeUnreachable,
} from "../../conformance/runtime/run-runtime-suite.ts";
import { RUNTIME_CHECKS } from "../../conformance/runtime/runtime-checks.ts";
import { Report } from "../conformance/report.ts";
import { CliError, EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import { Interrupts } from "../terminal/interrupts.ts";
import type { OutputFormat, Streams } from "../terminal/streams.ts";

export interface ConformanceRuntimeFlags {
  /** In milliseconds. */
  readonly timeout: number;
  readonly output: OutputFormat;
}

export async function conformanceRuntime(
  text: string,
  { timeout, output }: ConformanceRuntimeFlags,
  { stdout }: Streams,
): Promise<ExitCode> {
  const url = runtimeAddress(text);
  using interrupts = new Interrupts();
  const { signal } = interrupts;
  const problem = await whyRuntimeUnreachable(url, { timeoutMs: timeout, signal });
  if (problem !== undefined) {
    throw new CliError(`${url.href}: ${problem}.`, {
      cure: "Is it the address, with the path, at which the runtime takes a POST of RunAgentInput?",
    });
  }
  const report = new Report({ checks: RUNTIME_CHECKS, subject: "RUNTIME", output, stdout });
  const results = await runRuntimeSuite(url, {
    timeoutMs: timeout,
    signal,
    onResult: (result) => report.add(result),
  });
  return report.end({ url: url.href }, results);
}

function runtimeAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    throw new CliError(`URL must be an http or https address, not ${JSON.stringify(text)}.`, {
      exitCode: EXIT_CODES.usage,
    });
  }
  if (url.username !== "" || url.password !== "") {
    throw new CliError("URL must hold no user name and no password.", {
      exitCode: EXIT_CODES.usage,
    });
  }
  return url;
}
