/** `omnia console`: says where the console is, and opens it where that is this machine. */
import { createTransport } from "../../kube/client/transport.ts";
import { openBrowser } from "../../local/up/open-browser.ts";
import { styled } from "../../observability/terminal/line.ts";
import { printJSON, printLine } from "../../observability/terminal/writer.ts";
import { findGatewayService } from "../gateway-api/find-gateway-service.ts";
import { configuredCluster } from "../gateway-api/with-cluster-gateway.ts";
import { findUp } from "../gateway-api/with-gateway.ts";
import { EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import type { OutputFormat, Streams } from "../terminal/streams.ts";

export interface ConsoleFlags {
  readonly local?: boolean | undefined;
  /** The folder of the state of an `omnia up`. */
  readonly state?: string | undefined;
  readonly context?: string | undefined;
  readonly open: boolean;
  readonly output: OutputFormat;
}

/** The port of this machine that is forwarded to the gateway of a cluster. */
const FORWARDED_PORT = 8080;

export async function openConsole(flags: ConsoleFlags, streams: Streams): Promise<ExitCode> {
  const { local: isLocal, state: stateFolder, context } = flags;
  const local = await findUp({ local: isLocal, stateFolder, context }, streams);
  if (local === undefined) return await tellOfCluster(flags, streams);
  const { stdout, env } = streams;
  const { token } = local;
  const url = token === undefined ? local.url : `${local.url}/#token=${token}`;
  if (flags.output === "json") printJSON(stdout, { url });
  else printLine(stdout, url);
  // Other users of this machine see the arguments of a browser that is started, so a token is left to the user to paste.
  if (flags.open && stdout.isTTY === true && token === undefined) openBrowser(url, env);
  return EXIT_CODES.ok;
}

/** A browser proves itself by a token that is pasted: the API server lets no page through its proxy with one of its own. */
async function tellOfCluster(flags: ConsoleFlags, { stdout }: Streams): Promise<ExitCode> {
  const { kubeConfig, server } = configuredCluster(flags.context);
  const transport = createTransport(kubeConfig);
  try {
    const { namespace, name, port } = await findGatewayService(transport, server);
    const context = flags.context === undefined ? "" : ` --context ${flags.context}`;
    const forward = `kubectl port-forward${context} -n ${namespace} service/${name} ${FORWARDED_PORT}:${port}`;
    const token = `kubectl create token${context} -n ${namespace} SERVICEACCOUNT`;
    const url = `http://localhost:${FORWARDED_PORT}`;
    if (flags.output === "json") {
      printJSON(stdout, { url, forward, token });
      return EXIT_CODES.ok;
    }
    printLine(stdout, styled("dim", `cluster ${kubeConfig.getCurrentContext()} at ${server}`));
    printLine(stdout, "");
    printLine(stdout, "1. Forward a port of this machine to the gateway, and leave it running:");
    printLine(stdout, `     ${forward}`);
    printLine(stdout, `2. Open ${url}`);
    printLine(
      stdout,
      "3. Where the console asks for a token, paste one of a service account that may see agents:",
    );
    printLine(stdout, `     ${token}`);
    return EXIT_CODES.ok;
  } finally {
    transport.close();
  }
}
