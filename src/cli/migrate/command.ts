import { Command } from "commander";
import type { CommandContext } from "../command-line/create-command.ts";
import type { MigrateFlags } from "./migrate.ts";

export function migrateCommand({ streams, end }: CommandContext): Command {
  return new Command("migrate")
    .summary("translate manifests of AltairaLabs' Omnia")
    .description(
      "Writes manifests of AltairaLabs' Omnia in the form that is read here. What has no counterpart becomes a comment, and " +
        "Providers go into the AgentRuntimes that refer to them, so give all files at once. Other manifests stay as they are.",
    )
    .requiredOption(
      "-f, --filename <path...>",
      "manifests: files, folders, or - for the standard input",
    )
    .option(
      "-o, --output <folder>",
      "folder to write the files into, or - for the standard output",
      "-",
    )
    .addHelpText(
      "after",
      `
Examples:
  omnia migrate -f old/ -o new/
  kubectl get agentruntimes,promptpacks,toolregistries,providers -o yaml | omnia migrate -f -`,
    )
    .action(async (flags: MigrateFlags) => {
      const { migrate } = await import("./migrate.ts");
      end(await migrate(flags, streams));
    });
}
