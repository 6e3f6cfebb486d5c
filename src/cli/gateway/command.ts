import { Command, InvalidArgumentError, Option } from "commander";
import type { CommandContext } from "../command-line/create-command.ts";
import { durationValue, listOf, portValue } from "../command-line/option-values.ts";
import type { ClusterFlags } from "./gateway.ts";
import type { GatewayFlags } from "./read-gateway-flags.ts";

const DRAIN_GRACE_MS = 30_000;
const MAX_CONNECTIONS = 100_000;

/** The flags as commander reads them. A list from the environment is one text, separated by commas. */
interface RawGatewayFlags
  extends
    ClusterFlags,
    Omit<
      GatewayFlags,
      | "namespaces"
      | "allowedOrigin"
      | "allowedHost"
      | "authJwtAudience"
      | "authJwtRequiredClaims"
      | "drainGraceMs"
    > {
  readonly namespaces?: string | string[];
  readonly allowedOrigin?: string | string[];
  readonly allowedHost?: string | string[];
  readonly authJwtAudience?: string | string[];
  readonly authJwtRequiredClaims?: string | string[];
  readonly drainGrace: number;
}

export function gatewayCommand({ streams, end }: CommandContext): Command {
  const command = new Command("gateway")
    .summary("run the front door of a cluster")
    .description(
      "Leads WebSocket connections to the agents of a cluster: /ws?agent=NAME&namespace=NAMESPACE, or " +
        "/agents/NAMESPACE/NAME/ws. The Helm chart starts it; anywhere else it works on the cluster of the kubeconfig.",
    )
    .option(
      "--kubeconfig <file>",
      "kubeconfig (default: $KUBECONFIG, ~/.kube/config, else the pod's)",
    )
    .option("--context <name>", "context of the kubeconfig");
  for (const option of options()) command.addOption(option);
  return command.action(async (raw: RawGatewayFlags) => {
    const [{ gateway }, { readGatewayFlags }] = await Promise.all([
      import("./gateway.ts"),
      import("./read-gateway-flags.ts"),
    ]);
    const { kubeconfig, context, drainGrace, ...flags } = raw;
    // commander would take a variable for set whatever it says.
    const isSet = (name: string): boolean => /^(1|true)$/i.test(streams.env[name] ?? "");
    const api = flags.api || isSet("OMNIA_GATEWAY_API");
    const hasConsole = flags.console || isSet("OMNIA_GATEWAY_CONSOLE");
    const settings = readGatewayFlags({
      ...flags,
      api,
      console: hasConsole,
      namespaces: listOf(raw.namespaces),
      allowedOrigin: listOf(raw.allowedOrigin),
      allowedHost: listOf(raw.allowedHost),
      authJwtAudience: listOf(raw.authJwtAudience),
      authJwtRequiredClaims: listOf(raw.authJwtRequiredClaims),
      drainGraceMs: drainGrace,
    });
    end(await gateway({ kubeconfig, context }, settings, streams));
  });
}

/** Every flag has a twin in the environment. */
function options(): Option[] {
  const option = (flags: string, description: string): Option => {
    const made = new Option(flags, description);
    return made.env(
      `OMNIA_GATEWAY_${(made.long ?? "").slice(2).toUpperCase().replaceAll("-", "_")}`,
    );
  };
  return [
    option("--host <address>", "address to listen at (default: all)"),
    option("--port <port>", "port for clients").argParser(portValue).default(8080),
    option("--management-port <port>", "port of /healthz, /readyz and /metrics")
      .argParser(portValue)
      .default(8081),
    option("--namespaces <namespace...>", "lead to agents of these namespaces only (default: all)"),
    option(
      "--allowed-origin <origin...>",
      "pages that may connect to every agent, such as https://app.example.com, besides those that an agent names",
    ),
    option(
      "--allowed-host <host...>",
      "names under which pages come to the gateway: host or *.domain (default: addresses, and names of the cluster)",
    ),
    option("--max-connections <number>", "WebSocket connections that may be open at a time")
      .argParser(connectionsValue)
      .default(10_000),
    option("--auth-jwt-issuer <url>", "let in clients with tokens (JWT) of this issuer"),
    option("--auth-jwt-audience <name...>", "a token has to be for one of these"),
    option(
      "--auth-jwt-jwks-uri <url>",
      "where the issuer's keys are (default: as the issuer says)",
    ),
    option("--auth-jwt-required-claims <claim=value...>", "claims that a token must carry"),
    option(
      "--api-keys-dir <folder>",
      "let in clients with a key: each file is that of one client, as of a mounted Secret",
    ),
    option(
      "--gateway-key-file <file>",
      "the key that proves to agents who a client is: key.pem of Secret omnia-gateway-key",
    ),
    new Option(
      "--api",
      "let in people and programs with tokens of the cluster, by their rights, and answer them on the HTTP API (env: OMNIA_GATEWAY_API)",
    ).default(false),
    new Option(
      "--console",
      "serve the page for people too, which asks the HTTP API; it wants --api (env: OMNIA_GATEWAY_CONSOLE)",
    ).default(false),
    option("--drain-grace <duration>", "how long open connections may go on when the gateway ends")
      .argParser(graceValue)
      .default(DRAIN_GRACE_MS, "30s"),
  ];
}

function connectionsValue(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MAX_CONNECTIONS) return value;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_CONNECTIONS}.`);
}

function graceValue(text: string): number {
  return durationValue(text, 0, "It must be a duration such as 30s or 5m.");
}
