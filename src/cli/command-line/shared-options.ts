/** The options that several commands have. */
import { Option } from "commander";
import { CROSS_NAMESPACE_REFERENCES } from "../../control/namespace-grant.ts";

export function namespaceOption(description: string): Option {
  return new Option("-n, --namespace <namespace>", description);
}

export function outputOption(description: string): Option {
  return new Option("-o, --output <format>", description).choices(["text", "json"]).default("text");
}

export function tokenFileOption(): Option {
  return new Option(
    "--token-file <file>",
    "file with the token to send as the bearer (default: $OMNIA_TOKEN)",
  );
}

export function stateOption(): Option {
  return new Option(
    "--state <folder>",
    "folder of the state of `omnia up` (default: one a port, under ~/.local/state/omnia)",
  );
}

export function localOption(): Option {
  return new Option("--local", "ask the `omnia up` of this machine, and no cluster");
}

export function contextOption(): Option {
  return new Option(
    "--context <name>",
    "ask the cluster of this context of the kubeconfig, and no `omnia up`",
  ).conflicts(["local", "state"]);
}

/** Applies to packs and registries that do not say from which namespaces they may be referred to. */
export function crossNamespaceOption(): Option {
  return new Option(
    "--cross-namespace-references <rule>",
    "whether agents may refer to packs and registries of other namespaces that have no allowedNamespaces",
  )
    .choices(CROSS_NAMESPACE_REFERENCES)
    .default("Allowed");
}
