/** Prints how checks went: each as soon as it is known, or all of them as one object at the end. */
import type { CheckResult, NamedCheck } from "../../conformance/harness/run-checks.ts";
import { styled, type Line, type Style } from "../../observability/terminal/line.ts";
import { printJSON, printLine } from "../../observability/terminal/writer.ts";
import { EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import type { OutputFormat, Streams } from "../terminal/streams.ts";

const STYLES: Readonly<Record<CheckResult["result"], Style>> = {
  pass: "green",
  fail: "red",
  skip: "dim",
};

export interface ReportOptions {
  readonly checks: readonly NamedCheck[];
  /** Begins the sentences that the names of the checks complete. */
  readonly subject: string;
  readonly output: OutputFormat;
  readonly stdout: Streams["stdout"];
}

export class Report {
  readonly #output: OutputFormat;
  readonly #stdout: Streams["stdout"];
  readonly #longestSection: number;

  constructor({ checks, subject, output, stdout }: ReportOptions) {
    this.#output = output;
    this.#stdout = stdout;
    this.#longestSection = Math.max(...checks.map(({ section }) => section.length));
    if (output === "text") this.#printRow("", "SECTION", `THE ${subject} …`);
  }

  add({ result, section, name, reason }: CheckResult): void {
    if (this.#output === "json") return;
    this.#printRow(result, section, name);
    if (reason !== undefined) this.#printRow("", "", `→ ${reason}`);
  }

  /** `about` are the fields of the object before the numbers. */
  end(about: object, results: readonly CheckResult[]): ExitCode {
    const count = (wanted: CheckResult["result"]): number =>
      results.filter(({ result }) => result === wanted).length;
    const summary = { passed: count("pass"), failed: count("fail"), skipped: count("skip") };
    if (this.#output === "json") {
      printJSON(this.#stdout, { ...about, ...summary, checks: results });
    } else {
      const { passed, failed, skipped } = summary;
      printLine(this.#stdout);
      printLine(this.#stdout, `${passed} passed, ${failed} failed, ${skipped} skipped`);
    }
    return summary.failed === 0 ? EXIT_CODES.ok : EXIT_CODES.failed;
  }

  /** A row is printed as soon as it is known, so the columns have fixed widths. */
  #printRow(result: CheckResult["result"] | "", section: string, text: string): void {
    const shown = result === "" ? "    " : styled(STYLES[result], result);
    const line: Line = [shown, `  ${section.padEnd(this.#longestSection)}  ${text}`.trimEnd()];
    printLine(this.#stdout, line);
  }
}
