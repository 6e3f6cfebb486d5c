import { Command } from "commander";
import type { CommandContext } from "../command-line/create-command.ts";
import { namespaceOption, outputOption, tokenFileOption } from "../command-line/shared-options.ts";
import type { ChatFlags } from "./chat.ts";

export function chatCommand({ streams, end }: CommandContext): Command {
  return new Command("chat")
    .argument("<name>")
    .summary("talk to an agent")
    .description(
      "Talks to an agent: one that `omnia up` runs here, or any other by --url. " +
        "Without -m it asks for messages; when the input is no terminal, each of its lines is one message. " +
        "OMNIA_TOKEN, when set, is sent as the bearer token.",
    )
    .addOption(namespaceOption("namespace of the agent"))
    .option("--url <url>", "address of a gateway or of an agent (default: the local one)")
    .option("-m, --message <text>", "send this, print the answer, and end")
    .addOption(tokenFileOption())
    .option("--session <id>", "go on with an earlier session")
    .option(
      "--approve <call...>",
      "let these calls of the session be made, print the answer, and end",
    )
    .option("--deny <call...>", "say that these calls are not to be made")
    .addOption(outputOption("the answer, or the frames as they come, one a line"))
    .addHelpText(
      "after",
      `
A call that waits for an approval is asked about; without a terminal its id is printed, and the command fails.

Keys: Ctrl-C stops an answer; pressed again it ends the chat, as Ctrl-D and /quit do.

Examples:
  omnia chat quickstart
  omnia chat quickstart -m "What is the weather in Paris?"
  omnia chat support -n agents --url wss://agents.example.com -m hello -o json`,
    )
    .action(async (name: string, flags: ChatFlags) => {
      const { chat } = await import("./chat.ts");
      end(await chat(name, flags, streams));
    });
}
