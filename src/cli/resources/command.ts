/** The commands that show resources: `omnia status` and `omnia explain`. */
import { Command } from "commander";
import type { CommandContext } from "../command-line/create-command.ts";
import {
  contextOption,
  localOption,
  namespaceOption,
  outputOption,
  stateOption,
} from "../command-line/shared-options.ts";
import type { ResourceFlags } from "./resources.ts";

export function statusCommand({ streams, end }: CommandContext): Command {
  return new Command("status")
    .summary("show agents, packs and tools with their conditions")
    .description(
      "Shows agents, prompt packs and tool registries: those of the cluster that KUBECONFIG names, else of `omnia up` if it runs, else of the current cluster.",
    )
    .addOption(namespaceOption("only of this namespace (default: all)"))
    .addOption(localOption())
    .addOption(stateOption())
    .addOption(contextOption())
    .addOption(outputOption("a table, or the resources as JSON"))
    .action(async (flags: ResourceFlags) => {
      const { status } = await import("./status.ts");
      end(await status(flags, streams));
    });
}

export function explainCommand({ streams, end }: CommandContext): Command {
  return new Command("explain")
    .argument("<name>")
    .summary("say why something is not ready, and what to do")
    .description(
      "Says why an agent, a prompt pack or a tool registry is not ready, and the one thing to do. " +
        "NAME is KIND/NAME with agentruntime (ar), promptpack (pp) or toolregistry (tr); alone it is an agent.",
    )
    .addOption(namespaceOption("namespace, when the name is in several"))
    .addOption(localOption())
    .addOption(stateOption())
    .addOption(contextOption())
    .addOption(outputOption("sentences, or a JSON object"))
    .addHelpText(
      "after",
      `
Examples:
  omnia explain quickstart
  omnia explain pp/customer-service-prompts -n agents`,
    )
    .action(async (name: string, flags: ResourceFlags) => {
      const { explain } = await import("./explain.ts");
      end(await explain(name, flags, streams));
    });
}
