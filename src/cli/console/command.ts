import { Command } from "commander";
import type { CommandContext } from "../command-line/create-command.ts";
import { portValue } from "../command-line/option-values.ts";
import {
  contextOption,
  localOption,
  outputOption,
  stateOption,
  tokenFileOption,
} from "../command-line/shared-options.ts";
import type { ConsoleFlags } from "./console-flags.ts";

export function consoleCommand({ streams, end }: CommandContext): Command {
  return new Command("console")
    .summary("open the console, and say where it is")
    .description(
      "Says where the console is, and opens it in a browser at a terminal. For a cluster it leads a port of this machine to the " +
        "gateway until it is ended, and signs the page in with OMNIA_TOKEN, when set, or else with the token of the kubeconfig.",
    )
    .addOption(localOption())
    .addOption(stateOption())
    .addOption(contextOption())
    .addOption(tokenFileOption())
    .option(
      "--port <port>",
      "port of this machine that leads to the gateway of a cluster (default: a free one)",
      portValue,
    )
    .option("--no-open", "open no browser")
    .addOption(outputOption("for people, or a JSON object"))
    .action(async (flags: ConsoleFlags) => {
      const { openConsole } = await import("./console.ts");
      end(await openConsole(flags, streams));
    });
}
