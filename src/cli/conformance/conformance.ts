/** `omnia conformance`: checks whether an endpoint speaks the WebSocket protocol. */
import { HANDLER_HINTS } from "../../conformance/harness/check.ts";
import { CHECKS, runSuite, whyUnreachable, type CheckResult } from "../../conformance/run-suite.ts";
import { findLocal } from "../../local/state/find-local.ts";
import { chatAddress, DEFAULT_CHAT_URL, shownAddress } from "../chat/address.ts";
import { CliError, EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import { Interrupts } from "../terminal/interrupts.ts";
import {
  printable,
  printJSON,
  printLine,
  styled,
  type Streams,
  type Style,
  type OutputFormat,
} from "../terminal/streams.ts";
import { readToken } from "../terminal/token.ts";

const STYLES: Readonly<Record<CheckResult["result"], Style>> = {
  pass: "green",
  fail: "red",
  skip: "dim",
};
const LONGEST_SECTION = Math.max(...CHECKS.map(({ section }) => section.length));

export interface ConformanceFlags {
  readonly agent?: string | undefined;
  readonly namespace?: string | undefined;
  readonly token?: string | undefined;
  readonly handler: string;
  /** In milliseconds. */
  readonly timeout: number;
  readonly output: OutputFormat;
}

export async function conformance(
  url: string | undefined,
  flags: ConformanceFlags,
  streams: Streams,
): Promise<ExitCode> {
  const { agent, namespace, output, timeout } = flags;
  const { stdout } = streams;
  const base = url ?? (await findLocal({ env: streams.env }))?.url ?? DEFAULT_CHAT_URL;
  const address = chatAddress(base, { agent, namespace }, "URL");
  const handler = HANDLER_HINTS.find((hint) => hint === flags.handler) ?? "unknown";
  const token = flags.token ?? readToken(streams.env);
  using interrupts = new Interrupts();
  const endpoint = { url: address, token, handler };
  const problem = await whyUnreachable(endpoint, { timeoutMs: timeout, signal: interrupts.signal });
  if (problem !== undefined) {
    throw new CliError(`${shownAddress(address)}: ${problem}.`, {
      cure: "Is it the address of an agent or of a gateway? --agent, --namespace and --token may be missing.",
    });
  }
  if (output === "text") printLine(stdout, rowOf("", "SECTION", "THE ENDPOINT …", stdout));
  const results = await runSuite(endpoint, {
    timeoutMs: timeout,
    signal: interrupts.signal,
    onResult: ({ result, section, name, reason }) => {
      if (output === "json") return;
      printLine(stdout, rowOf(result, section, name, stdout));
      if (reason !== undefined) {
        printLine(stdout, rowOf("", "", printable(`→ ${reason}`, stdout), stdout));
      }
    },
  });
  const count = (wanted: CheckResult["result"]): number =>
    results.filter(({ result }) => result === wanted).length;
  const summary = { passed: count("pass"), failed: count("fail"), skipped: count("skip") };
  if (output === "json") {
    printJSON(stdout, { url: shownAddress(address), handler, ...summary, checks: results });
  } else {
    const { passed, failed, skipped } = summary;
    printLine(stdout, `\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  }
  return summary.failed === 0 ? EXIT_CODES.ok : EXIT_CODES.failed;
}

/** A row is printed as soon as it is known, so the columns have fixed widths. */
function rowOf(
  result: CheckResult["result"] | "",
  section: string,
  text: string,
  stream: Streams["stdout"],
): string {
  const shown = result === "" ? "    " : styled(STYLES[result], result, stream);
  return `${shown}  ${section.padEnd(LONGEST_SECTION)}  ${text}`.trimEnd();
}
