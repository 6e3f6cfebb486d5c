/** The results as people and programs read them. */
import { writeFile } from "node:fs/promises";
import { junitReport } from "../../evals/report/junit.ts";
import type { CheckResult, EvalRun, EvalSummary } from "../../evals/run/eval-result.ts";
import { plainText, styled, type Line, type Piece } from "../../observability/terminal/line.ts";
import { printFile, printJSON, printLine } from "../../observability/terminal/writer.ts";
import { CliError } from "../terminal/cli-error.ts";
import { counted } from "../terminal/counted.ts";
import type { Streams } from "../terminal/streams.ts";
import { textTable } from "../terminal/text-table.ts";
import type { EvalFlags } from "./flags.ts";

const MAX_SHOWN_FAILURES = 50;

export interface ReportedRun {
  readonly run: EvalRun;
  readonly summary: EvalSummary;
  readonly about: {
    readonly pack: string;
    readonly version: string;
    readonly hash: string;
    readonly prompt: string;
  };
}

export async function report(
  reported: ReportedRun,
  { output, out, allowUnknown = false }: Pick<EvalFlags, "output" | "out" | "allowUnknown">,
  { stdout }: Pick<Streams, "stdout">,
): Promise<void> {
  const { run, summary, about } = reported;
  const json = { ...about, summary, ...run };
  const junit = (): string =>
    junitReport(run, { name: `${about.pack} ${about.version}`, allowsUnknown: allowUnknown });
  if (out !== undefined) {
    const text =
      output === "junit"
        ? junit()
        : output === "json"
          ? `${JSON.stringify(json, undefined, 2)}\n`
          : plainTable(reported);
    await writeReport(out, text);
  }
  if (output === "table" || out !== undefined) {
    for (const line of tableLines(reported)) printLine(stdout, line);
  } else if (output === "json") printJSON(stdout, json);
  else printFile(stdout, junit());
}

async function writeReport(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    throw new CliError(`--out: ${path} cannot be written (${code}).`, { cause: error });
  }
}

function plainTable(reported: ReportedRun): string {
  return tableLines(reported)
    .map((line) => `${plainText(line)}\n`)
    .join("");
}

function tableLines({ run, summary, about }: ReportedRun): Line[] {
  const rows = rowsOf(run);
  const failures = run.conversations.flatMap(({ id, checks, failure }) => [
    ...checks
      .filter(({ outcome }) => outcome === "failed")
      .map((check) => failureLine(id, check.turn, `${check.eval}: ${check.message}`)),
    ...(failure === undefined ? [] : [failureLine(id, undefined, failure)]),
  ]);
  const more = failures.length - MAX_SHOWN_FAILURES;
  return [
    `${about.pack} ${about.version} (${about.hash}), prompt ${about.prompt}`,
    ...(rows.length === 0
      ? []
      : ["", ...textTable([["EVAL", "TYPE", "PASSED", "FAILED", "SKIPPED", "SCORE"], ...rows])]),
    ...(failures.length === 0 ? [] : ["", ...failures.slice(0, MAX_SHOWN_FAILURES)]),
    ...(more > 0 ? [`and ${more} more`] : []),
    ...(run.notRun.length === 0 ? [] : [""]),
    ...run.notRun.map(({ id, reason }): Line => [styled("yellow", "not run "), `${id}: ${reason}`]),
    "",
    summaryLine(summary),
  ];
}

function failureLine(conversation: string, turn: number | undefined, why: string): Line {
  const place = turn === undefined ? conversation : `${conversation}, turn ${turn}`;
  return [styled("red", "failed "), `${place}: ${why}`];
}

function summaryLine(summary: EvalSummary): Line {
  const { conversations, broken, passed, failed, skipped, notRun, ok } = summary;
  const parts = [
    counted(conversations, "conversation"),
    `${passed} passed`,
    `${failed} failed`,
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(broken > 0 ? [`${broken} broken off`] : []),
    ...(notRun > 0 ? [`${counted(notRun, "eval")} not run`] : []),
  ];
  return styled(ok ? "green" : "red", parts.join(", "));
}

function rowsOf({ conversations }: EvalRun): Piece[][] {
  const byEval = new Map<string, CheckResult[]>();
  for (const check of conversations.flatMap(({ checks }) => checks)) {
    const key = JSON.stringify([check.eval, check.type]);
    byEval.set(key, [...(byEval.get(key) ?? []), check]);
  }
  return [...byEval.values()].map((checks) => {
    const [first] = checks;
    const count = (outcome: CheckResult["outcome"]): string =>
      String(checks.filter((check) => check.outcome === outcome).length);
    const failed = count("failed");
    return [
      first?.eval ?? "",
      first?.type ?? "",
      count("passed"),
      failed === "0" ? failed : styled("red", failed),
      count("skipped"),
      meanScore(checks),
    ];
  });
}

function meanScore(checks: readonly CheckResult[]): string {
  const scores = checks.flatMap(({ score }) => score ?? []);
  if (scores.length === 0) return "";
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  return String(Math.round(mean * 100) / 100);
}
