import { Command } from "commander";
import type { CommandContext } from "../command-line/create-command.ts";
import {
  contextOption,
  localOption,
  outputOption,
  stateOption,
} from "../command-line/shared-options.ts";
import type { ConsoleFlags } from "./console.ts";

export function consoleCommand({ streams, end }: CommandContext): Command {
  return new Command("console")
    .summary("say where the console is, and open it")
    .description(
      "Says where the console is: that of `omnia up`, which it opens in a browser at a terminal, or that of a cluster, to which it\n" +
        "names the command that leads there.",
    )
    .addOption(localOption())
    .addOption(stateOption())
    .addOption(contextOption())
    .option("--no-open", "open no browser")
    .addOption(outputOption("for people, or a JSON object"))
    .action(async (flags: ConsoleFlags) => {
      const { openConsole } = await import("./console.ts");
      end(await openConsole(flags, streams));
    });
}
