/** `omnia packs diff`: shows in what two versions of a prompt pack differ. */
import { readVersion } from "../../../control/prompt-pack/pack-version.ts";
import { styled, type Line } from "../../../observability/terminal/line.ts";
import { printJSON, printLine } from "../../../observability/terminal/writer.ts";
import type { PromptPackDocument } from "../../../promptpack/document/prompt-pack-document.ts";
import { CliError, EXIT_CODES, type ExitCode } from "../../terminal/cli-error.ts";
import type { Streams } from "../../terminal/streams.ts";
import { shownSource } from "../../resources/read-resources.ts";
import type { ResourceFlags } from "../../resources/resources.ts";
import { shownName } from "../../resources/view.ts";
import { chooseVersion, versionsNamed } from "../versions/choose-version.ts";
import {
  roleOf,
  rolesOf,
  shownVersion,
  type KeptPack,
  type KeptVersion,
} from "../versions/kept-pack.ts";
import { readPacks } from "../versions/read-packs.ts";
import { compareDocuments, textOf, type Change } from "./compare-documents.ts";
import { lineEdits } from "./line-edits.ts";
import { sideBySideLines, unifiedLines } from "./shown-edits.ts";

/** A terminal of so many columns shows the two versions side by side. */
const SIDE_BY_SIDE_COLUMNS = 100;
/** The width where the output is no terminal and two columns are asked for. */
const DEFAULT_COLUMNS = 160;

export interface DiffFlags extends ResourceFlags {
  readonly sideBySide?: boolean | undefined;
  readonly unified?: boolean | undefined;
}

export async function diffPacks(
  words: readonly string[],
  flags: DiffFlags,
  streams: Streams,
): Promise<ExitCode> {
  const { stdout } = streams;
  const [first = "", second, third] = words;
  const name = words.length === 2 ? undefined : first;
  const { read, packs } = await readPacks(name, flags, streams);
  const [pack, from, to] =
    words.length === 2
      ? ofOnePack(packs, first, second ?? "")
      : ofNamedPack(packs[0] as KeptPack, second, third);
  const changes = compareDocuments(documentOf(from), documentOf(to));
  if (flags.output === "json") {
    const { namespace, name } = pack.resource.metadata;
    printJSON(stdout, {
      source: read.source,
      namespace,
      name,
      from: { hash: from.hash, semver: from.semver },
      to: { hash: to.hash, semver: to.semver },
      changes: changes.map(({ path, before, after }) => ({ path, from: before, to: after })),
    });
    return EXIT_CODES.ok;
  }
  printLine(stdout, styled("dim", shownSource(read)));
  printLine(stdout, "");
  printLine(stdout, styled("bold", shownName(pack.resource)));
  printLine(stdout, styled("red", `- ${titleOf(pack, from)}`));
  printLine(stdout, styled("green", `+ ${titleOf(pack, to)}`));
  if (changes.length === 0) {
    printLine(stdout, "");
    printLine(stdout, noChange(from, to));
  }
  const width = columnsFor(flags, streams);
  for (const change of changes) {
    for (const line of changeLines(change, { from, to }, width)) printLine(stdout, line);
  }
  return EXIT_CODES.ok;
}

/** One word: what a rollback would undo. Three: the pack and both versions. */
function ofNamedPack(
  pack: KeptPack,
  first: string | undefined,
  second: string | undefined,
): [KeptPack, KeptVersion, KeptVersion] {
  const hasCanary = rolesOf(pack).canary !== undefined;
  const from = first ?? (hasCanary ? "active" : "previous");
  const to = second ?? (hasCanary ? "canary" : "active");
  return [pack, chooseVersion(pack, from), chooseVersion(pack, to)];
}

/** Two words are two versions of the one pack that has both. */
function ofOnePack(
  packs: readonly KeptPack[],
  first: string,
  second: string,
): [KeptPack, KeptVersion, KeptVersion] {
  const having = packs.filter(
    (pack) => versionsNamed(pack, first).length > 0 && versionsNamed(pack, second).length > 0,
  );
  const [only, ...others] = having.length === 0 && packs.length === 1 ? packs : having;
  if (only === undefined) {
    throw new CliError(
      `No prompt pack has both versions, ${JSON.stringify(first)} and ${JSON.stringify(second)}.`,
      { cure: "omnia packs lists the versions; give NAME before the two." },
    );
  }
  if (others.length > 0) {
    const names = having.map(({ resource }) => shownName(resource)).join(", ");
    throw new CliError(`More than one prompt pack has such versions: ${names}.`, {
      cure: "Give NAME before the two.",
    });
  }
  return [only, chooseVersion(only, first), chooseVersion(only, second)];
}

function documentOf(version: KeptVersion): PromptPackDocument {
  const read = readVersion(version.hash, version.content);
  if (read !== undefined) return read.document;
  throw new CliError(`Version ${shownVersion(version)} cannot be read.`, {
    cure: "Was it written by a later Omnia? Then use that one's command.",
  });
}

function titleOf(pack: KeptPack, version: KeptVersion): string {
  const role = roleOf(pack, version.hash);
  return role === undefined ? shownVersion(version) : `${shownVersion(version)}, ${role}`;
}

function noChange(from: KeptVersion, to: KeptVersion): string {
  return from.hash === to.hash
    ? "It is one version."
    : "They say the same, and differ only in how it is written.";
}

/** Undefined: the edits are printed one below the other. */
function columnsFor(
  { sideBySide, unified }: DiffFlags,
  { stdout }: Pick<Streams, "stdout">,
): number | undefined {
  const width = stdout.columns ?? DEFAULT_COLUMNS;
  if (sideBySide === true) return width;
  if (unified === true || stdout.isTTY !== true) return undefined;
  return width >= SIDE_BY_SIDE_COLUMNS ? width : undefined;
}

function changeLines(
  { path, before, after }: Change,
  { from, to }: { readonly from: KeptVersion; readonly to: KeptVersion },
  width: number | undefined,
): Line[] {
  const only = before === undefined ? to : after === undefined ? from : undefined;
  const head = only === undefined ? path : `${path} (only in ${only.semver})`;
  const edits = lineEdits(linesOf(before), linesOf(after));
  const lines = width === undefined ? unifiedLines(edits) : sideBySideLines(edits, width);
  return ["", styled("bold", head), ...lines];
}

function linesOf(value: unknown): string[] {
  return value === undefined ? [] : textOf(value).split("\n");
}
