import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { CliError } from "../../terminal/cli-error.ts";
import { ForwardAgent } from "./forward-agent.ts";

/** Rejects where the gateway cannot be reached, and with a CliError where it serves no console. */
export async function checkConsole(connect: () => Promise<Duplex>): Promise<void> {
  const agent = new ForwardAgent(connect, { keepAlive: false });
  const headers = { accept: "text/html", host: "localhost" };
  const request = httpRequest({ path: "/", headers, agent });
  try {
    request.end();
    const [{ headers }] = (await once(request, "response")) as [IncomingMessage];
    if (headers["content-type"]?.startsWith("text/html") === true) return;
  } finally {
    request.destroy();
    agent.destroy();
  }
  throw new CliError("The gateway of the cluster serves no console.", {
    cure: "Turn it on in the chart: gateway.api.enabled=true and gateway.console.enabled=true.",
  });
}
