import { Command } from "commander";
import type { CommandContext } from "../command-line/create-command.ts";
import { outputOption } from "../command-line/shared-options.ts";
import type { ValidateFlags } from "./validate.ts";

export function validateCommand({ streams, end }: CommandContext): Command {
  return new Command("validate")
    .summary("check manifests, offline")
    .description(
      "Checks manifests without a cluster and without running anything. A reference is checked where the object that it " +
        "names is among the files, and noted where it is not.",
    )
    .requiredOption(
      "-f, --filename <path...>",
      "manifests: files, folders, or - for the standard input",
    )
    .addOption(outputOption("one problem a line, or a JSON object"))
    .addHelpText(
      "after",
      `
Examples:
  omnia validate -f agents/ -f shared/secrets.yaml
  helm template my-release | omnia validate -f -`,
    )
    .action(async (flags: ValidateFlags) => {
      const { validate } = await import("./validate.ts");
      end(await validate(flags, streams));
    });
}
