import { Command } from "commander";
import { printText } from "../observability/terminal/writer.ts";
import type { CommandContext } from "./command-line/create-command.ts";
import { EXIT_CODES } from "./terminal/cli-error.ts";

export function crdsCommand({ streams, end }: CommandContext): Command {
  return new Command("crds")
    .summary("print the CustomResourceDefinitions as YAML")
    .description("Prints the CustomResourceDefinitions of the three kinds as YAML.")
    .addHelpText("after", "\nExample:\n  omnia crds | kubectl apply --server-side -f -")
    .action(async () => {
      const { crdYAML } = await import("../api/crd.ts");
      printText(streams.stdout, crdYAML());
      end(EXIT_CODES.ok);
    });
}
