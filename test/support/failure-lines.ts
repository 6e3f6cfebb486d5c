/** What failed, in lines for whoever sees no more than the end of the output. */
import { stripVTControlCharacters } from "node:util";
import type { SerializedError, TestModule } from "vitest/node";

/** With what is printed after them, the lines stay among the last 30. */
const MAX_LINES = 20;
const MAX_LINE_CHARACTERS = 500;
const MAX_DIFFERENCES = 3;

export interface FailedRun {
  readonly modules: readonly TestModule[];
  readonly unhandledErrors: readonly SerializedError[];
  /** Whether `-t` names the tests, so that the others were not meant to run. */
  readonly isNameFiltered: boolean;
}

/** One line a failed test, with the first line of its error; one a file with tests that did not run. */
export function failureLines(run: FailedRun): readonly string[] {
  const lines = [
    ...run.unhandledErrors.map((error) => `FAILED outside of any test: ${summaryOf(error)}`),
    ...run.modules.flatMap(failuresIn),
    ...(run.isNameFiltered ? [] : run.modules.flatMap(notRunIn)),
  ].map(oneLine);
  const left = lines.length - MAX_LINES;
  return left <= 0
    ? lines
    : [...lines.slice(0, MAX_LINES), `… and ${left} more lines such as these`];
}

function failuresIn(module: TestModule): string[] {
  const file = module.relativeModuleId;
  const line = (name: string, errors: readonly SerializedError[]): string =>
    `FAILED ${file}${name}: ${errors[0] === undefined ? "no error was told" : summaryOf(errors[0])}`;
  const failed = [
    ...[...module.children.allSuites()].flatMap((suite) =>
      suite.errors().length === 0 ? [] : [line(` > ${suite.fullName}`, suite.errors())],
    ),
    ...[...module.children.allTests("failed")].map((test) =>
      line(` > ${test.fullName}`, test.result().errors ?? []),
    ),
  ];
  const errors = module.errors();
  const isUntold = module.state() === "failed" && failed.length === 0;
  return errors.length > 0 || isUntold ? [line("", errors), ...failed] : failed;
}

function notRunIn(module: TestModule): string[] {
  const count = [...module.children.allTests()].filter((test) =>
    ["skipped", "pending"].includes(test.result().state),
  ).length;
  return count === 0 ? [] : [`NOT RUN ${module.relativeModuleId}: ${count} of its tests`];
}

/** The first line of an error, where it came from, and what was expected in place of what. */
function summaryOf({ name, message, stacks, diff }: SerializedError): string {
  const at = stacks?.[0];
  const where = at === undefined ? "" : ` (line ${at.line})`;
  return `${name ?? "Error"}: ${firstLine(message)}${where}${differencesOf(diff)}`;
}

/** What a diff says was expected, and what came, without its two headings. */
function differencesOf(diff: unknown): string {
  if (typeof diff !== "string") return "";
  const lines = stripVTControlCharacters(diff).split("\n");
  const changed = ["-", "+"].flatMap((sign) =>
    lines.filter((line) => line.startsWith(`${sign} `)).slice(1, 1 + MAX_DIFFERENCES),
  );
  return changed.map((line) => ` | ${line}`).join("");
}

function firstLine(text: string): string {
  return stripVTControlCharacters(text).trim().split("\n")[0] ?? "";
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > MAX_LINE_CHARACTERS ? `${line.slice(0, MAX_LINE_CHARACTERS)}…` : line;
}
