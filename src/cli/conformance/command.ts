import { Command, Option } from "commander";
import type { CommandContext } from "../command-line/create-command.ts";
import { namespaceOption, outputOption, tokenFileOption } from "../command-line/shared-options.ts";
import { checkTimeoutOption } from "./check-timeout-option.ts";
import type { ConformanceFlags } from "./conformance.ts";

export function conformanceCommand({ streams, end }: CommandContext): Command {
  return new Command("conformance")
    .argument("[url]")
    .summary("check that an endpoint speaks the WebSocket protocol")
    .description(
      "Runs checks of the WebSocket protocol against an endpoint: an agent's own port, a gateway, or whatever else speaks it " +
        "(default: the `omnia up` that runs here). An agent with a model will be asked some dozens of short questions. " +
        "OMNIA_TOKEN, when set, is sent as the bearer token.",
    )
    .option("--agent <name>", "name of the agent; a gateway needs it")
    .addOption(namespaceOption("namespace of the agent"))
    .addOption(tokenFileOption())
    .option("--token <token>", "the token itself, which others on this machine can read")
    .addOption(
      new Option("--handler <handler>", "what answers there")
        .choices(["echo", "demo", "unknown"])
        .default("unknown"),
    )
    .option(
      "--approval-message <text>",
      "a message after which the agent asks to approve a call: checks approvals too, and denies each call",
    )
    .addOption(checkTimeoutOption())
    .addOption(outputOption("a table, or a JSON object"))
    .addHelpText(
      "after",
      `
Examples:
  omnia conformance --agent quickstart --handler demo
  omnia conformance wss://agents.example.com/ws --agent support -n agents -o json`,
    )
    .action(async (url: string | undefined, flags: ConformanceFlags) => {
      const { conformance } = await import("./conformance.ts");
      end(await conformance(url, flags, streams));
    });
}
