import { Command } from "commander";
import type { CommandContext } from "../command-line/create-command.ts";
import { hostValue, portValue } from "../command-line/option-values.ts";
import { crossNamespaceOption, stateOption } from "../command-line/shared-options.ts";
import type { UpFlags } from "./up.ts";

export function upCommand({ streams, end }: CommandContext): Command {
  return new Command("up")
    .summary("run agents on this machine")
    .description(
      "Runs the agents of your manifests on this machine, without a cluster, and serves them at one address. " +
        "Files are watched: an edit takes effect without a restart.",
    )
    .option(
      "-f, --filename <path...>",
      "manifests: files or folders (default: the bundled quickstart)",
    )
    .option("--port <port>", "port to serve at", portValue, 8080)
    .option(
      "--host <address>",
      "address to serve at; anything but loopback is reachable by others",
      "127.0.0.1",
    )
    .option(
      "--allowed-host <name>",
      "host name or address under which it is reached too, as behind a proxy; may be given again",
      (text: string, before: readonly string[] | undefined) => [...(before ?? []), hostValue(text)],
    )
    .addOption(stateOption())
    .addOption(crossNamespaceOption())
    .option("--no-open", "do not open the browser")
    .addHelpText(
      "after",
      `
Keys: Ctrl-C lets the agents finish what they do, and ends; pressed again it ends at once.

Examples:
  omnia up
  omnia up -f agents/ -f shared/secrets.yaml --port 9000`,
    )
    .action(async (flags: UpFlags) => {
      const { up } = await import("./up.ts");
      end(await up(flags, streams));
    });
}
