/** `omnia migrate`: writes manifests of AltairaLabs' Omnia in the form that is read here. */
import { joinDocuments } from "../../api/migration/join-documents.ts";
import { migrateManifests, type MigrationRemark } from "../../api/migration/migrate-manifests.ts";
import { printFile, printLine } from "../../observability/terminal/writer.ts";
import { PatientFiles } from "../../local/manifests/patient-files.ts";
import { counted } from "../terminal/counted.ts";
import { systemClock } from "../../time/clock.ts";
import { endByForce } from "../terminal/end-by-force.ts";
import { EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import type { Streams } from "../terminal/streams.ts";
import { readManifestSources } from "../validate/manifest-sources.ts";
import { outputPaths, writeFiles } from "./output-files.ts";

/** This stands for the standard output. */
const STANDARD_OUTPUT = "-";

export interface MigrateFlags {
  readonly filename: string[];
  readonly output: string;
}

/** Rejects with a CliError when there is nothing to read, or when a file would be overwritten. */
export async function migrate(flags: MigrateFlags, streams: Streams): Promise<ExitCode> {
  const patientFiles = new PatientFiles(systemClock, new AbortController().signal);
  const exitCode = await migrateFiles(flags, streams, patientFiles);
  if (patientFiles.isHanging) await endByForce(streams);
  return exitCode;
}

async function migrateFiles(
  flags: MigrateFlags,
  streams: Streams,
  patientFiles: PatientFiles,
): Promise<ExitCode> {
  const { stdout, stderr } = streams;
  const { texts, problems } = await readManifestSources(
    flags.filename,
    streams.stdin,
    patientFiles,
  );
  const unread = problems.filter(({ file }) => !texts.has(file));
  for (const { file, line, column, severity, message } of unread) {
    const prefix = severity === "error" ? "" : `${severity}: `;
    printLine(stderr, `${file}:${line}:${column}: ${prefix}${message}`);
  }
  const unreadable = unread.filter(({ severity }) => severity === "error");
  const migration = migrateManifests([...texts].map(([name, text]) => ({ name, text })));
  for (const problem of migration.problems) printLine(stderr, lineOf(problem));
  if (unreadable.length + migration.problems.length > 0) {
    printLine(stderr, "Nothing was written: correct these first.");
    return EXIT_CODES.failed;
  }
  if (flags.output === STANDARD_OUTPUT) {
    printFile(stdout, joinDocuments(migration.files.map(({ text }) => text)));
  } else {
    const named = outputPaths(migration.files, flags.filename, flags.output);
    await writeFiles(flags.output, named);
  }
  const needed = migration.remarks.filter(({ isNeeded }) => isNeeded);
  for (const remark of needed) printLine(stderr, lineOf(remark));
  printLine(stderr, summaryOf(migration.translated, needed.length, migration.remarks.length));
  return EXIT_CODES.ok;
}

function lineOf({ file, line, message }: MigrationRemark): string {
  return `${file}:${line}: ${message}`;
}

function summaryOf(translated: number, needed: number, remarks: number): string {
  if (translated === 0) return "Nothing had to be translated.";
  const comments = remarks - needed;
  return [
    `${counted(translated, "resource")} translated`,
    `${counted(comments, "field")} without a counterpart, which became comments`,
    `${counted(needed, "place")} to look at`,
  ].join("; ");
}
