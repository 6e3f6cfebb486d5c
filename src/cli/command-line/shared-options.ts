/** The options that several commands have. */
import { Option } from "commander";

export function namespaceOption(description: string): Option {
  return new Option("-n, --namespace <namespace>", description);
}

export function outputOption(description: string): Option {
  return new Option("-o, --output <format>", description).choices(["text", "json"]).default("text");
}

export function stateOption(): Option {
  return new Option(
    "--state <folder>",
    "folder of the state of `omnia up` (default: one a port, under ~/.local/state/omnia)",
  );
}
