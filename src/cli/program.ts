/** The command line as a whole. Each command has a folder, whose `command.ts` says what its flags and its help are. */
import { Command } from "commander";
import packageJSON from "../../package.json" with { type: "json" };
import { agentCommand } from "./agent/command.ts";
import { chatCommand } from "./chat/command.ts";
import type { CreateCommand } from "./command-line/create-command.ts";
import { consoleCommand } from "./console/command.ts";
import { conformanceCommand } from "./conformance/command.ts";
import { conformanceRuntimeCommand } from "./conformance-runtime/command.ts";
import { crdsCommand } from "./crds.ts";
import { evalCommand } from "./eval/command.ts";
import { gatewayCommand } from "./gateway/command.ts";
import { initCommand } from "./init/command.ts";
import { migrateCommand } from "./migrate/command.ts";
import { operatorCommand } from "./operator/command.ts";
import { packsCommand } from "./packs/command.ts";
import { explainCommand, statusCommand } from "./resources/command.ts";
import { EXIT_CODES, type ExitCode } from "./terminal/cli-error.ts";
import type { Streams } from "./terminal/streams.ts";
import { printText } from "../observability/terminal/writer.ts";
import { sessionsCommand } from "./sessions/command.ts";
import { upCommand } from "./up/command.ts";
import { validateCommand } from "./validate/command.ts";

/** The commands in the order in which the help lists them. */
export const COMMANDS: readonly CreateCommand[] = [
  initCommand,
  upCommand,
  chatCommand,
  validateCommand,
  evalCommand,
  migrateCommand,
  statusCommand,
  explainCommand,
  packsCommand,
  sessionsCommand,
  consoleCommand,
  crdsCommand,
  conformanceCommand,
  conformanceRuntimeCommand,
  operatorCommand,
  gatewayCommand,
  agentCommand,
];

const EXAMPLES = `
Examples:
  omnia up                              run the quickstart agent, which needs no key
  omnia init my-agent                   write the files of an agent of your own
  omnia up -f agents/                   run the agents of a folder, and follow its files
  omnia chat quickstart                 talk to an agent
  omnia chat quickstart -m "hello"      one question, one answer
  omnia validate -f agents/             check files without running anything
  omnia status                          what runs, and how it is
  omnia packs rollback prompts          undo the last edit of a prompt pack
  omnia sessions ls quickstart          what was said to an agent
  omnia console                         the page of what runs
  omnia explain quickstart              why an agent is not ready, and what to do

Exit codes: 0 well, 1 what was asked failed, 2 the command line is wrong.`;

/** Runs the command that `args` (without node and script) names. Rejects with a CommanderError, or with what the command threw. */
export async function runProgram(args: readonly string[], streams: Streams): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT_CODES.ok;
  const program = createProgram(streams);
  for (const createCommand of COMMANDS) {
    const command = createCommand({
      streams,
      end: (code) => {
        exitCode = code;
      },
    });
    program.addCommand(withSettings(command, program, `omnia ${command.name()}`));
  }
  await program.parseAsync(isVersion(args) ? ["--version"] : [...args], { from: "user" });
  return exitCode;
}

/** Many programs answer to these in place of `--version`. */
function isVersion([first, ...others]: readonly string[]): boolean {
  return others.length === 0 && (first === "version" || first === "-v");
}

/** Gives a command, and those below it, the settings of the program. `words` are those that name it. */
function withSettings(command: Command, program: Command, words: string): Command {
  for (const below of command.commands) withSettings(below, program, `${words} ${below.name()}`);
  return command.copyInheritedSettings(program).showHelpAfterError(`Try: ${words} --help`);
}

function createProgram(streams: Streams): Command {
  return new Command("omnia")
    .description(
      "Runs AI agents that are declared as Kubernetes resources, in a cluster or on one machine.",
    )
    .version(packageJSON.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .addHelpText("after", EXAMPLES)
    .configureOutput({
      writeOut: (text) => printText(streams.stdout, text),
      writeErr: (text) => printText(streams.stderr, text),
      outputError: (text, write) => write(text.replace(/^error: /, "omnia: ")),
      getOutHelpWidth: () => streams.stdout.columns ?? 80,
      getErrHelpWidth: () => streams.stderr.columns ?? 80,
    })
    .exitOverride();
}
