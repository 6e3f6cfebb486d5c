/** `omnia conformance`: checks whether an endpoint speaks the WebSocket protocol. */
import { HANDLER_HINTS } from "../../conformance/harness/check.ts";
import { checksOf, runSuite, whyUnreachable } from "../../conformance/run-suite.ts";
import { findLocal } from "../../local/state/find-local.ts";
import { chatAddress, DEFAULT_CHAT_URL, shownAddress } from "../chat/address.ts";
import { SecretValues } from "../../observability/secrets/secret-values.ts";
import { CliError, type ExitCode } from "../terminal/cli-error.ts";
import { Interrupts } from "../terminal/interrupts.ts";
import type { OutputFormat, Streams } from "../terminal/streams.ts";
import { Report } from "./report.ts";
import { readToken, type TokenFlags } from "../terminal/token.ts";

export interface ConformanceFlags extends TokenFlags {
  readonly agent?: string | undefined;
  readonly namespace?: string | undefined;
  readonly handler: string;
  readonly approvalMessage?: string | undefined;
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
  const base = url ?? (await findLocal({ env: streams.env }))?.url ?? DEFAULT_CHAT_URL;
  const address = chatAddress(base, { agent, namespace }, "URL");
  const handler = HANDLER_HINTS.find((hint) => hint === flags.handler) ?? "unknown";
  const token = await readToken(flags, streams);
  using interrupts = new Interrupts();
  const secrets = new SecretValues(token === undefined ? [] : [token]);
  const hide = (text: string): string => secrets.hide(text);
  const { approvalMessage } = flags;
  const endpoint = { url: address, token, handler, hide, approvalMessage };
  const problem = await whyUnreachable(endpoint, { timeoutMs: timeout, signal: interrupts.signal });
  if (problem !== undefined) {
    throw new CliError(`${shownAddress(address)}: ${problem}.`, {
      cure: "Is it the address of an agent or of a gateway? --agent, --namespace and a token may be missing.",
    });
  }
  const report = new Report({
    checks: checksOf(endpoint),
    subject: "ENDPOINT",
    output,
    stdout: streams.stdout,
  });
  const results = await runSuite(endpoint, {
    timeoutMs: timeout,
    signal: interrupts.signal,
    onResult: (result) => report.add(result),
  });
  return report.end({ url: shownAddress(address), handler }, results);
}
