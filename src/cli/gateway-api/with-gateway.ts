/** Finds the gateway that a command is to ask: the one that is named, that of this machine, or that of a cluster. */
import { findLocal } from "../../local/state/find-local.ts";
import type { UpInfo } from "../../local/state/state-folder.ts";
import { UpError } from "../../local/state/up-error.ts";
import { WRITE_HEADER } from "../../http-api/paths.ts";
import { chooseSource } from "../source/choose-source.ts";
import { CliError, EXIT_CODES } from "../terminal/cli-error.ts";
import { commandLine } from "../terminal/program-name.ts";
import type { Streams } from "../terminal/streams.ts";
import { readToken } from "../terminal/token.ts";
import { GatewayApi, type SendRequest } from "./gateway-api.ts";
import type { GatewayFlags } from "./gateway-flags.ts";
import { exchange } from "./http-exchange.ts";

export async function withGateway<Answer>(
  flags: GatewayFlags,
  streams: Streams,
  ask: (api: GatewayApi) => Promise<Answer>,
): Promise<Answer> {
  const token = await readToken(flags, streams);
  if (flags.url !== undefined) {
    const url = readURL(flags.url);
    return await ask(new GatewayApi(sendTo(url, token), `the gateway at ${url.origin}`));
  }
  const local = await findUp(flags, streams);
  if (local !== undefined) {
    const send = sendTo(new URL(local.url), local.token ?? token);
    return await ask(new GatewayApi(send, `omnia up at ${local.url}`));
  }
  const { withClusterGateway } = await import("./with-cluster-gateway.ts");
  return await withClusterGateway({ context: flags.context, token }, ask);
}

/** The `omnia up` that is to be asked. Undefined: it is a cluster. */
export async function findUp(
  flags: Pick<GatewayFlags, "stateFolder" | "local" | "context">,
  { env }: Streams,
): Promise<UpInfo | undefined> {
  const { stateFolder: state, local: isLocal, context } = flags;
  const choice = chooseSource({ state, local: isLocal, context }, env);
  if (choice === "cluster") return undefined;
  const local = await findLocal({ env, stateFolder: state }).catch((error: unknown) => {
    throw error instanceof UpError
      ? new CliError(error.message, { cure: error.cure, cause: error })
      : error;
  });
  if (local !== undefined || choice === "local-or-cluster") return local;
  const which = state === undefined ? "on this machine" : `with the state folder ${state}`;
  const flag = state === undefined ? "" : ` --state ${state}`;
  throw new CliError(`No omnia up runs ${which}.`, {
    cure: `Start one with: ${commandLine(`up${flag}`)}`,
  });
}

function sendTo(url: URL, token: string | undefined): SendRequest {
  const headers = {
    accept: "application/json",
    [WRITE_HEADER]: "omnia",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return ({ path, ...request }) =>
    exchange(new URL(url.pathname.replace(/\/$/, "") + path, url), { ...request, headers });
}

function readURL(text: string): URL {
  const url = URL.parse(text.replace(/^ws(?=s?:)/i, "http"));
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new CliError(`--url: ${JSON.stringify(text)} is no address of a gateway.`, {
    cure: "Give one like http://localhost:8080 or https://agents.example.com.",
    exitCode: EXIT_CODES.usage,
  });
}
