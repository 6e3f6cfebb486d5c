/** The commands about the versions of prompt packs: `omnia packs ls`, `diff` and `rollback`. */
import { Command } from "commander";
import type { CommandContext } from "../command-line/create-command.ts";
import {
  contextOption,
  localOption,
  namespaceOption,
  outputOption,
  stateOption,
} from "../command-line/shared-options.ts";
import type { ResourceFlags } from "../resources/resources.ts";
import type { DiffFlags } from "./diff/diff-packs.ts";

export function packsCommand(context: CommandContext): Command {
  return new Command("packs")
    .summary("list, compare and roll back versions of prompt packs")
    .description("Lists the versions of prompt packs, compares them, and goes back to one.")
    .addCommand(listCommand(context), { isDefault: true })
    .addCommand(diffCommand(context))
    .addCommand(rollbackCommand(context))
    .addHelpText(
      "after",
      `
A VERSION is its content hash, or the first 4 digits or more of it; the version that the pack gives itself; or one of
active, canary and previous.

Examples:
  omnia packs                           the versions of all packs
  omnia packs diff support              what the last edit changed
  omnia packs diff support 1.0.0 active
  omnia packs rollback support          undo the last edit`,
    );
}

function listCommand({ streams, end }: CommandContext): Command {
  const command = new Command("ls")
    .alias("list")
    .argument("[name]", "only of this pack")
    .summary("list the versions that are kept (the default)")
    .description("Lists the versions that are kept of prompt packs, and says which of them run.");
  return withResourceOptions(command, "only of this namespace (default: all)").action(
    async (name: string | undefined, flags: ResourceFlags) => {
      const { listPacks } = await import("./list-packs.ts");
      end(await listPacks(name, flags, streams));
    },
  );
}

function diffCommand({ streams, end }: CommandContext): Command {
  const command = new Command("diff")
    .arguments("<name-or-version> [version] [version]")
    .usage("[options] NAME | VERSION VERSION | NAME VERSION VERSION")
    .summary("show in what two versions differ")
    .description(
      "Shows in what two versions of a prompt pack differ: prompts, variables, validators, tools, parameters and all else. " +
        "NAME alone shows what the last edit changed. It ends with 0 also when there are differences.",
    )
    .option("-y, --side-by-side", "in two columns (the default at a wide terminal)")
    .option("-u, --unified", "one below the other (the default elsewhere)");
  return withResourceOptions(command, "namespace, when the name is in several").action(
    async (
      first: string,
      second: string | undefined,
      third: string | undefined,
      flags: DiffFlags,
    ) => {
      const { diffPacks } = await import("./diff/diff-packs.ts");
      const words = [first, second, third].filter((word) => word !== undefined);
      end(await diffPacks(words, flags, streams));
    },
  );
}

function rollbackCommand({ streams, end }: CommandContext): Command {
  const command = new Command("rollback")
    .argument("<name>", "the pack")
    .argument("[version]", "the version to go back to (default: it undoes the last edit)")
    .summary("go back to an earlier version")
    .description(
      "Goes back to an earlier version of a prompt pack. In a cluster the text of the version is written into the pack's ConfigMap. " +
        "In an omnia up the files stay as they are: the version runs in place of what they say until that changes.",
    );
  return withResourceOptions(command, "namespace, when the name is in several").action(
    async (name: string, version: string | undefined, flags: ResourceFlags) => {
      const { rollbackPack } = await import("./rollback/rollback.ts");
      end(await rollbackPack(name, version, flags, streams));
    },
  );
}

function withResourceOptions(command: Command, namespace: string): Command {
  return command
    .addOption(namespaceOption(namespace))
    .addOption(localOption())
    .addOption(stateOption())
    .addOption(contextOption())
    .addOption(outputOption("for people, or a JSON object"));
}
