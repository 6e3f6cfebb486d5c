import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { capturedStreams } from "../../test/support/processes/captured-streams.ts";
import { COMMANDS, runProgram } from "./program.ts";

const WIDTH = 80;

/** The words of each command, such as `sessions ls`. */
function words(command: Command, before = ""): string[] {
  const own = `${before}${command.name()}`;
  return [own, ...command.commands.flatMap((below) => words(below, `${own} `))];
}

const NAMES = COMMANDS.flatMap((create) => {
  const { streams } = capturedStreams();
  return words(create({ streams, end: () => {} }));
});

describe("the help of a command", () => {
  it.each(NAMES)("breaks the lines of what %s does only where they are full", async (name) => {
    const { streams, out } = capturedStreams();
    await runProgram([...name.split(" "), "--help"], streams).catch(() => {});
    const [, description = ""] = out().split("\n\n");
    const lines = description.split("\n");
    expect(lines[0]).toMatch(/^[A-Z]/);
    const early = lines.filter((line, index) => {
      const [word = ""] = (lines[index + 1] ?? "").split(" ");
      return word !== "" && `${line} ${word}`.length < WIDTH;
    });
    expect(early).toEqual([]);
    expect(lines.filter((line) => line.length > WIDTH)).toEqual([]);
  });
});
