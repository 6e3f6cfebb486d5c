/** `omnia validate`: finds every problem of some manifests, without running anything. */
import { checkReferences } from "./check-references.ts";
import { EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import type { Finding } from "./findings.ts";
import { PatientFiles } from "../../local/manifests/patient-files.ts";
import { endByForce } from "../terminal/end-by-force.ts";
import { counted } from "../terminal/counted.ts";
import { systemClock } from "../../time/clock.ts";
import { readManifestSources } from "./manifest-sources.ts";
import type { OutputFormat, Streams } from "../terminal/streams.ts";
import { styled, type Line, type Style } from "../../observability/terminal/line.ts";
import { printJSON, printLine } from "../../observability/terminal/writer.ts";

export interface ValidateFlags {
  readonly filename: string[];
  readonly output: OutputFormat;
}

export async function validate(flags: ValidateFlags, streams: Streams): Promise<ExitCode> {
  const { stdout } = streams;
  const files = new PatientFiles(systemClock, new AbortController().signal);
  const sources = await readManifestSources(flags.filename, streams.stdin, files);
  const findings = inOrder(
    [...sources.problems, ...checkReferences(sources.resources, sources.texts)],
    [...sources.texts.keys()],
  );
  if (flags.output === "json") {
    printJSON(stdout, { resources: sources.count, problems: findings });
  } else {
    for (const finding of findings) printLine(stdout, lineOf(finding));
    printLine(stdout, summaryOf(sources.count, findings));
  }
  if (files.isHanging) await endByForce(streams);
  const failed = findings.some(({ severity }) => severity === "error");
  return failed ? EXIT_CODES.failed : EXIT_CODES.ok;
}

const STYLES: Readonly<Record<Finding["severity"], Style>> = {
  error: "red",
  warning: "yellow",
  note: "dim",
};

function lineOf(finding: Finding): Line {
  const { file, line, column, severity, message } = finding;
  const place = `${file}:${line}:${column}: `;
  const prefix = severity === "error" ? "" : `${severity}: `;
  return [place, styled(STYLES[severity], prefix + message)];
}

/** Sorts the findings by file, in the order in which the files were read, and then by place. */
function inOrder(findings: readonly Finding[], files: readonly string[]): Finding[] {
  return findings.toSorted(
    (a, b) =>
      files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
}

function summaryOf(resources: number, findings: readonly Finding[]): string {
  const count = (severity: Finding["severity"]): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const parts = [
    counted(resources, "resource"),
    counted(count("error"), "problem"),
    ...(count("warning") > 0 ? [counted(count("warning"), "warning")] : []),
    ...(count("note") > 0 ? [counted(count("note"), "note")] : []),
  ];
  return parts.join(", ");
}
