import { Command, Option } from "commander";
import type { CommandContext } from "../command-line/create-command.ts";
import {
  durationValue,
  httpURLValue,
  listOf,
  portValue,
  positiveValue,
} from "../command-line/option-values.ts";
import type { CrossNamespaceReferences } from "../../control/namespace-grant.ts";
import { crossNamespaceOption } from "../command-line/shared-options.ts";
import type { OperatorFlags } from "./operator.ts";

const RESYNC_MS = 10 * 60 * 60_000;
const MIN_RESYNC_MS = 1_000;

/** The flags as commander reads them. A list from the environment is one text, separated by commas. */
type RawOperatorFlags = Omit<
  OperatorFlags,
  "resyncMs" | "namespaces" | "policy" | "networkPolicy" | "agentDefaults"
> & {
  agentDefaults?: string;
  networkPolicy?: string;
  resync: number;
  namespace?: string | string[];
  crossNamespaceReferences: CrossNamespaceReferences;
  allowedBaseUrlHosts?: string | string[];
  allowedImages?: string | string[];
  allowedToolNetworks?: string | string[];
};

export function operatorCommand({ streams, end }: CommandContext): Command {
  return new Command("operator")
    .summary("run the control plane in a cluster")
    .description(
      "Watches AgentRuntimes, PromptPacks and ToolRegistries, and makes what they ask for. The Helm chart starts it; anywhere " +
        "else it works on the cluster of the kubeconfig. Of several that run, one leads, and the others stand by.",
    )
    .addOption(
      new Option("--namespace <namespace...>", "watch only these namespaces (default: all)").env(
        "OMNIA_WATCH_NAMESPACES",
      ),
    )
    .option(
      "--kubeconfig <file>",
      "kubeconfig (default: $KUBECONFIG, ~/.kube/config, else the pod's)",
    )
    .option("--context <name>", "context of the kubeconfig")
    .addOption(
      new Option("--agent-image <image>", "image of agents that name none").env(
        "OMNIA_AGENT_IMAGE",
      ),
    )
    .addOption(
      new Option("--agent-image-pull-policy <policy>", "when that image is pulled").choices([
        "Always",
        "IfNotPresent",
        "Never",
      ]),
    )
    .addOption(
      new Option(
        "--agent-defaults <json>",
        "resources, imagePullSecrets, nodeSelector, tolerations, affinity, priorityClassName and otel.endpoint of agents that say nothing of them",
      ).env("OMNIA_AGENT_DEFAULTS"),
    )
    .addOption(crossNamespaceOption().env("OMNIA_CROSS_NAMESPACE_REFERENCES"))
    .addOption(
      new Option(
        "--allowed-base-url-hosts <host...>",
        "hosts that provider.baseURL may name: host, host:port or *.domain (default: any)",
      ).env("OMNIA_ALLOWED_BASE_URL_HOSTS"),
    )
    .addOption(
      new Option(
        "--allowed-images <image...>",
        "images that agents may name; with a * at its end, all that begin so (default: any)",
      ).env("OMNIA_ALLOWED_IMAGES"),
    )
    .addOption(
      new Option(
        "--allowed-tool-networks <network...>",
        "networks that the url of a tool may lead to besides public addresses, such as 10.0.0.0/8 (default: none)",
      ).env("OMNIA_ALLOWED_TOOL_NETWORKS"),
    )
    .addOption(
      new Option(
        "--secrets <access>",
        "watch: a changed Secret is in the pods at once; get: it is read by its name every minute, without list and watch",
      )
        .choices(["watch", "get"])
        .default("watch"),
    )
    .addOption(
      new Option(
        "--network-policy <json>",
        "make a NetworkPolicy for each agent, with further peers and rules (default: none is made)",
      ).env("OMNIA_NETWORK_POLICY"),
    )
    .addOption(
      new Option(
        "--prometheus-address <url>",
        "the Prometheus that KEDA asks for the connections of agents whose spec names no trigger",
      )
        .argParser(httpURLValue)
        .env("OMNIA_PROMETHEUS_ADDRESS"),
    )
    .option(
      "--gateway",
      "let agents serve their sessions to gateways, which sign with the key of Secret omnia-gateway-key (made if there is none)",
      false,
    )
    .option("--no-leader-elect", "lead at once, whoever else runs")
    .addOption(
      new Option(
        "--leader-election-namespace <namespace>",
        "namespace of the lease (default: the one of the pod)",
      ).env("POD_NAMESPACE"),
    )
    .option("--kube-api-qps <number>", "requests to the API server a second", positiveValue, 50)
    .option(
      "--kube-api-burst <number>",
      "requests at once, before they are spread",
      positiveValue,
      100,
    )
    .option(
      "--workers <number>",
      "resources of a kind that are worked on at once",
      positiveValue,
      100,
    )
    .addOption(
      new Option("--resync <duration>", "look at everything again this often")
        .argParser(resyncValue)
        .default(RESYNC_MS, "10h"),
    )
    .option("--management-port <port>", "port of /healthz, /readyz and /metrics", portValue, 8081)
    .action(async (raw: RawOperatorFlags) => {
      const { resync, namespace, allowedBaseUrlHosts, allowedImages, ...rest } = raw;
      const { allowedToolNetworks, ...others } = rest;
      const { crossNamespaceReferences, networkPolicy: rules, agentDefaults, ...flags } = others;
      const [{ operator }, { readNetworkPolicy }, { readAgentDefaults }, { readToolNetworks }] =
        await Promise.all([
          import("./operator.ts"),
          import("./read-network-policy.ts"),
          import("./read-agent-defaults.ts"),
          import("./read-tool-networks.ts"),
        ]);
      const networkPolicy = rules === undefined ? undefined : readNetworkPolicy(rules);
      const policy = {
        crossNamespaceReferences,
        allowedBaseURLHosts: listOf(allowedBaseUrlHosts),
        allowedImages: listOf(allowedImages),
        allowedToolNetworks: readToolNetworks(listOf(allowedToolNetworks)),
      };
      const namespaces = listOf(namespace);
      const defaults = agentDefaults === undefined ? undefined : readAgentDefaults(agentDefaults);
      const read = {
        resyncMs: resync,
        namespaces,
        policy,
        networkPolicy,
        agentDefaults: defaults,
      };
      end(await operator({ ...flags, ...read }, streams));
    });
}

function resyncValue(text: string): number {
  return durationValue(
    text,
    MIN_RESYNC_MS,
    "It must be a duration of 1s or more, such as 10h or 30m.",
  );
}
