import { Command } from "commander";
import { checkTimeoutOption } from "../conformance/check-timeout-option.ts";
import type { CommandContext } from "../command-line/create-command.ts";
import { outputOption } from "../command-line/shared-options.ts";
import type { ConformanceRuntimeFlags } from "./conformance-runtime.ts";

export function conformanceRuntimeCommand({ streams, end }: CommandContext): Command {
  return new Command("conformance-runtime")
    .argument("<url>")
    .summary("check that a runtime speaks AG-UI as agents need it")
    .description(
      "Runs checks of the contract of runtimes against the address at which one listens. Its model will be asked some twenty " +
        "short questions. What depends on the model, and does not show, is skipped.",
    )
    .addOption(checkTimeoutOption())
    .addOption(outputOption("a table, or a JSON object"))
    .addHelpText(
      "after",
      `
Examples:
  omnia conformance-runtime http://127.0.0.1:8000/
  omnia conformance-runtime http://127.0.0.1:8000/agent -o json`,
    )
    .action(async (url: string, flags: ConformanceRuntimeFlags) => {
      const { conformanceRuntime } = await import("./conformance-runtime.ts");
      end(await conformanceRuntime(url, flags, streams));
    });
}
