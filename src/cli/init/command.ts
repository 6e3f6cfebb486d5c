import { Command, Option } from "commander";
import type { CommandContext } from "../command-line/create-command.ts";
import { SOURCE_NAMES } from "./model-sources.ts";
import type { InitFlags } from "./plan.ts";

export function initCommand({ streams, end }: CommandContext): Command {
  return new Command("init")
    .argument("[folder]", "where the files go (default: a new folder with the name of the agent)")
    .summary("write the manifests of a new agent")
    .description(
      "Writes the manifests of a new agent, with its prompt and an example of a tool, ready for `omnia up` and `kubectl apply`. " +
        "At a terminal it asks for what no flag gives. Elsewhere, and with --yes, it takes a model server that runs on this " +
        "machine, else the demo. It overwrites nothing.",
    )
    .addOption(new Option("--provider <provider>", "what answers").choices(SOURCE_NAMES))
    .option("--model <model>", "name of the model")
    .option("--base-url <url>", "address of a server that speaks the provider's protocol")
    .option("--purpose <text>", "what the agent is for: a part of its prompt")
    .option("--name <name>", "name of the agent (default: that of the folder)")
    .option("-y, --yes", "ask nothing")
    .addHelpText(
      "after",
      `
Examples:
  omnia init
  omnia init support --provider ollama --purpose "Answers questions about our shop."
  omnia init support --provider openai --base-url http://127.0.0.1:8000/v1 --model my-model`,
    )
    .action(async (folder: string | undefined, flags: InitFlags) => {
      const { init } = await import("./init.ts");
      end(await init(folder, flags, streams));
    });
}
