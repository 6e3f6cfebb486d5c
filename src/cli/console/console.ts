/** `omnia console`: says where the console is, and opens it. */
import { openBrowser } from "../../local/up/open-browser.ts";
import { printJSON, printLine } from "../../observability/terminal/writer.ts";
import { findUp } from "../gateway-api/with-gateway.ts";
import { EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import type { Streams } from "../terminal/streams.ts";
import type { ConsoleFlags } from "./console-flags.ts";

export async function openConsole(flags: ConsoleFlags, streams: Streams): Promise<ExitCode> {
  const { local: isLocal, state: stateFolder, context } = flags;
  const local = await findUp({ local: isLocal, stateFolder, context }, streams);
  if (local === undefined) {
    const { openClusterConsole } = await import("./cluster-console.ts");
    return await openClusterConsole(flags, streams);
  }
  const { stdout, env } = streams;
  const { token } = local;
  const url = token === undefined ? local.url : `${local.url}/#token=${token}`;
  if (flags.output === "json") printJSON(stdout, { url });
  else printLine(stdout, url);
  // Other users of this machine see the arguments of a browser that is started, so a token is left to the user to paste.
  if (flags.open && stdout.isTTY === true && token === undefined) openBrowser(url, env);
  return EXIT_CODES.ok;
}
