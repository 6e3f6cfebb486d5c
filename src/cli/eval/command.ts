import { Command, InvalidArgumentError, Option } from "commander";
import { PROVIDER_NAMES } from "../../api/choices.ts";
import type { CommandContext } from "../command-line/create-command.ts";
import { durationValue } from "../command-line/option-values.ts";
import { namespaceOption, tokenFileOption } from "../command-line/shared-options.ts";
import { EVAL_FORMATS, type EvalFlags } from "./flags.ts";

const DEFAULT_JOBS = 4;
const MAX_JOBS = 64;
const DEFAULT_TIMEOUT_MS = 120_000;
const MIN_TIMEOUT_MS = 100;

export function evalCommand({ streams, end }: CommandContext): Command {
  return new Command("eval")
    .summary("run the evals of a pack over scripted conversations")
    .description(
      "Holds scripted conversations with a prompt of a pack, and judges them by the evals of the pack and by what each turn expects. " +
        "Keys come from the environment, as `omnia up` takes them (OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_GENERATIVE_AI_API_KEY).",
    )
    .requiredOption("-f, --filename <path...>", "a pack (JSON or YAML), or manifests with an agent")
    .requiredOption("--conversations <file>", "the conversations: one JSON object a line")
    .option("--agent <name>", "which agent of the manifests, or of the gateway at --url")
    .addOption(namespaceOption("namespace of the agent"))
    .option("--prompt <name>", "which prompt of the pack")
    .addOption(new Option("--provider <provider>", "what answers").choices(PROVIDER_NAMES))
    .option("--model <model>", "name of the model")
    .option("--base-url <url>", "address of a server that speaks the provider's protocol")
    .option("--judge-model <model>", "the model that judges, in place of those that evals name")
    .option("--url <url>", "ask a running agent at this address instead")
    .addOption(tokenFileOption())
    .option("--record <folder>", "keep the answers in this folder, one file a conversation")
    .option("--replay <folder>", "judge the answers of this folder, and ask nobody")
    .addOption(
      new Option("--jobs <number>", "conversations at a time")
        .argParser(jobsValue)
        .default(DEFAULT_JOBS),
    )
    .addOption(
      new Option("--timeout <duration>", "time for each answer")
        .argParser((text) =>
          durationValue(
            text,
            MIN_TIMEOUT_MS,
            "It must be a duration of 100ms or more, such as 120s.",
          ),
        )
        .default(DEFAULT_TIMEOUT_MS, "120s"),
    )
    .option("--group <name...>", "judge only the evals of these groups", [])
    .option("--sampled", "judge sampled evals for their share only")
    .option("--allow-unknown", "let evals pass by that nothing here can run")
    .addOption(
      new Option("-o, --output <format>", "form of the report")
        .choices(EVAL_FORMATS)
        .default("table"),
    )
    .option("--out <file>", "write the report into this file, and print the table")
    .addHelpText(
      "after",
      `
Exit codes: 0 all passed, 1 an eval failed or a conversation broke off, 2 the command line is wrong.

Examples:
  omnia eval -f pack.json --conversations talks.jsonl --provider openai --model gpt-4o-mini
  omnia eval -f agents/ --conversations talks.jsonl --record recordings/
  omnia eval -f pack.json --conversations talks.jsonl --replay recordings/ -o junit --out evals.xml`,
    )
    .action(async (flags: EvalFlags) => {
      const { evaluate } = await import("./evaluate.ts");
      end(await evaluate(flags, streams));
    });
}

function jobsValue(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MAX_JOBS) return value;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_JOBS}.`);
}
