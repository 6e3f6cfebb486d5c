/** `omnia packs ls`: shows which versions of prompt packs are kept, and which of them run. */
import { plainText, styled, type Piece } from "../../observability/terminal/line.ts";
import { printJSON, printLine } from "../../observability/terminal/writer.ts";
import { EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import type { Streams } from "../terminal/streams.ts";
import { textTable } from "../terminal/text-table.ts";
import { shownSource } from "../resources/read-resources.ts";
import type { ResourceFlags } from "../resources/resources.ts";
import { numberAt, shownName } from "../resources/view.ts";
import { roleOf, type KeptPack, type KeptVersion } from "./versions/kept-pack.ts";
import { readPacks } from "./versions/read-packs.ts";

const NONE = "-";

export async function listPacks(
  name: string | undefined,
  flags: ResourceFlags,
  streams: Streams,
): Promise<ExitCode> {
  const { stdout } = streams;
  const { read, packs } = await readPacks(name, flags, streams);
  if (flags.output === "json") {
    printJSON(stdout, { source: read.source, items: packs.map(itemOf) });
    return EXIT_CODES.ok;
  }
  printLine(stdout, styled("dim", shownSource(read)));
  if (packs.length === 0) {
    const where = flags.namespace === undefined ? "" : ` in namespace ${flags.namespace}`;
    printLine(stdout, `There are no prompt packs${where}.`);
    return EXIT_CODES.ok;
  }
  const [head = "", ...rows] = textTable([
    ["PROMPT PACK", "VERSION", "CONTENT", "STATE", "KEPT SINCE (UTC)"],
    ...packs.flatMap(rowsOf),
  ]);
  printLine(stdout, "");
  printLine(stdout, styled("bold", plainText(head)));
  for (const row of rows) printLine(stdout, row);
  return EXIT_CODES.ok;
}

function rowsOf(pack: KeptPack): Piece[][] {
  const name = shownName(pack.resource);
  if (pack.versions.length === 0) return [[name, NONE, NONE, NONE, NONE]];
  return pack.versions.map((version, index) => [
    index === 0 ? name : "",
    version.semver,
    version.hash,
    stateOf(pack, version),
    version.keptAt === 0 ? NONE : isoTime(version.keptAt).slice(0, 16).replace("T", " "),
  ]);
}

function stateOf(pack: KeptPack, { hash }: KeptVersion): Piece {
  const role = roleOf(pack, hash);
  if (role === "active" && pack.isRolledBack) return styled("yellow", "active, rolled back");
  if (role === "active") return styled("green", role);
  if (role !== "canary") return role ?? NONE;
  const weight = numberAt(pack.resource, "status", "canaryWeight") ?? 0;
  return styled("yellow", `canary, ${weight} % of new sessions`);
}

function itemOf(pack: KeptPack): object {
  const { metadata, status } = pack.resource;
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    phase: status.phase,
    versions: pack.versions.map((version) => ({
      hash: version.hash,
      semver: version.semver,
      state: roleOf(pack, version.hash),
      keptAt: version.keptAt === 0 ? undefined : isoTime(version.keptAt),
    })),
  };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
