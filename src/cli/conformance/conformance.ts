/** `omnia conformance`: checks whether an endpoint speaks the WebSocket protocol. */
import { HANDLER_HINTS } from "../../conformance/harness/check.ts";
import { CHECKS, runSuite, whyUnreachable, type CheckResult } from "../../conformance/run-suite.ts";
import { findLocal } from "../../local/state/find-local.ts";
import { chatAddress, DEFAULT_CHAT_URL, shownAddress } from "../chat/address.ts";
import { SecretValues } from "../../observability/secrets/secret-values.ts";
import { CliError, EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import { Interrupts } from "../terminal/interrupts.ts";
import type { OutputFormat, Streams } from "../terminal/streams.ts";
import { styled, type Line, type Style } from "../../observability/terminal/line.ts";
import { printJSON, printLine } from "../../observability/terminal/writer.ts";
import { readToken, type TokenFlags } from "../terminal/token.ts";

const STYLES: Readonly<Record<CheckResult["result"], Style>> = {
  pass: "green",
  fail: "red",
  skip: "dim",
};
const LONGEST_SECTION = Math.max(...CHECKS.map(({ section }) => section.length));

export interface ConformanceFlags extends TokenFlags {
  readonly agent?: string | undefined;
  readonly namespace?: string | undefined;
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
  const token = await readToken(flags, streams);
  using interrupts = new Interrupts();
  const secrets = new SecretValues(token === undefined ? [] : [token]);
  const endpoint = { url: address, token, handler, hide: (text: string) => secrets.hide(text) };
  const problem = await whyUnreachable(endpoint, { timeoutMs: timeout, signal: interrupts.signal });
  if (problem !== undefined) {
    throw new CliError(`${shownAddress(address)}: ${problem}.`, {
      cure: "Is it the address of an agent or of a gateway? --agent, --namespace and a token may be missing.",
    });
  }
  if (output === "text") printLine(stdout, rowOf("", "SECTION", "THE ENDPOINT …"));
  const results = await runSuite(endpoint, {
    timeoutMs: timeout,
    signal: interrupts.signal,
    onResult: ({ result, section, name, reason }) => {
      if (output === "json") return;
      printLine(stdout, rowOf(result, section, name));
      if (reason !== undefined) printLine(stdout, rowOf("", "", `→ ${reason}`));
    },
  });
  const count = (wanted: CheckResult["result"]): number =>
    results.filter(({ result }) => result === wanted).length;
  const summary = { passed: count("pass"), failed: count("fail"), skipped: count("skip") };
  if (output === "json") {
    printJSON(stdout, { url: shownAddress(address), handler, ...summary, checks: results });
  } else {
    const { passed, failed, skipped } = summary;
    printLine(stdout);
    printLine(stdout, `${passed} passed, ${failed} failed, ${skipped} skipped`);
  }
  return summary.failed === 0 ? EXIT_CODES.ok : EXIT_CODES.failed;
}

/** A row is printed as soon as it is known, so the columns have fixed widths. */
function rowOf(result: CheckResult["result"] | "", section: string, text: string): Line {
  const shown = result === "" ? "    " : styled(STYLES[result], result);
  return [shown, `  ${section.padEnd(LONGEST_SECTION)}  ${text}`.trimEnd()];
}
