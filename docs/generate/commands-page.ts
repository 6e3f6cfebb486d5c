/** The page of all commands with their flags, as `--help` has them. */
import { PassThrough } from "node:stream";
import type { Argument, Command, Option } from "commander";
import { COMMANDS } from "../../src/cli/program.ts";
import { code, page, sentence, table, type Page } from "./markdown.ts";

export function commandsPage(): Page {
  // Nothing of the environment of whoever makes the page: some defaults come from it.
  const streams = {
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    env: {},
  };
  const commands = COMMANDS.map((create) => create({ streams, end: () => {} }));
  return page(
    "reference/commands.md",
    { title: "Commands and flags", source: "src/cli/program.ts" },
    [
      "Every command with every flag, as `--help` has them. [The command line](../command-line.md) says more, with examples. " +
        "Exit codes: 0 well, 1 what was asked failed, 2 the command line is wrong.",
      ...commands.flatMap((command) => sectionsOf(command, "omnia")),
    ],
  );
}

function sectionsOf(command: Command, above: string): string[] {
  const words = `${above} ${command.name()}`;
  return [
    `## ${words}`,
    code(`${words} ${command.usage()}`.trim()),
    sentence(command.description().replaceAll("\n", " ")),
    ...(command.registeredArguments.length === 0
      ? []
      : [table(["argument", "meaning"], command.registeredArguments.map(argumentRow))]),
    ...(command.options.length === 0
      ? []
      : [
          table(
            ["flag", "meaning", "default", "one of"],
            command.options.filter(({ hidden }) => !hidden).map(optionRow),
          ),
        ]),
    ...command.commands.flatMap((below) => sectionsOf(below, words)),
  ];
}

function argumentRow(argument: Argument): string[] {
  return [code(argument.name()), sentence(argument.description)];
}

function optionRow({
  flags,
  description,
  defaultValue,
  defaultValueDescription,
  argChoices,
  negate,
}: Option): string[] {
  const value =
    defaultValueDescription ?? (defaultValue === undefined || negate ? "" : String(defaultValue));
  return [code(flags), sentence(description), code(value), (argChoices ?? []).map(code).join(", ")];
}
