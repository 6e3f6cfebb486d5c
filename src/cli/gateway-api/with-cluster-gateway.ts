/**
 * Asks the gateway of a cluster through the proxy of its API server, so that nothing has to be forwarded. The API server takes the
 * credential of the kubeconfig for itself; the token for the gateway goes in a header of its own.
 */
import type { KubeConfig } from "@kubernetes/client-node";
import { ACCESS_HEADER, WRITE_HEADER } from "../../http-api/paths.ts";
import { Credentials } from "../../kube/client/credentials.ts";
import { createTransport, type Transport } from "../../kube/client/transport.ts";
import { loadKubeConfig } from "../source/load-kube-config.ts";
import { CliError } from "../terminal/cli-error.ts";
import { commandLine } from "../terminal/program-name.ts";
import { findGatewayService, type GatewayService } from "./find-gateway-service.ts";
import { GatewayApi, type SendRequest } from "./gateway-api.ts";
import { readAnswer } from "./http-exchange.ts";

export async function withClusterGateway<Answer>(
  { context, token }: { context: string | undefined; token: string | undefined },
  ask: (api: GatewayApi) => Promise<Answer>,
): Promise<Answer> {
  const { kubeConfig, server } = configuredCluster(context);
  const transport = createTransport(kubeConfig);
  try {
    const service = await findGatewayService(transport, server);
    const own = token ?? (await tokenOf(kubeConfig));
    const where = `the gateway of cluster ${kubeConfig.getCurrentContext()}`;
    return await ask(new GatewayApi(sendThrough(transport, service, own), where));
  } finally {
    transport.close();
  }
}

export function configuredCluster(context: string | undefined): {
  kubeConfig: KubeConfig;
  server: string;
} {
  const cure = `Start agents on this machine with \`${commandLine("up")}\`, or point KUBECONFIG at a cluster.`;
  const kubeConfig = loadKubeConfig({ context, cure });
  const cluster = kubeConfig?.getCurrentCluster();
  if (kubeConfig === undefined || cluster == null) {
    throw new CliError("No omnia up runs on this machine, and no cluster is configured.", { cure });
  }
  return { kubeConfig, server: cluster.server };
}

function sendThrough(
  transport: Transport,
  { namespace, name, port }: GatewayService,
  token: string | undefined,
): SendRequest {
  const proxy = `/api/v1/namespaces/${namespace}/services/http:${name}:${port}/proxy`;
  const headers = {
    [WRITE_HEADER]: "omnia",
    ...(token === undefined ? {} : { [ACCESS_HEADER]: token }),
  };
  return async ({ path, ...request }) =>
    await readAnswer(await transport.send({ ...request, path: proxy + path, headers }));
}

/** The token with which the kubeconfig proves who its user is. Undefined where it does so by a certificate. */
export async function tokenOf(kubeConfig: KubeConfig): Promise<string | undefined> {
  const { headers } = await new Credentials(kubeConfig).get(new AbortController().signal);
  const authorization = Object.entries(headers ?? {}).find(
    ([name]) => name.toLowerCase() === "authorization",
  )?.[1];
  return /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
}
