/** `omnia status`: shows agents, packs and tools with their conditions. */
import { AGENT_RUNTIME, PROMPT_PACK, TOOL_REGISTRY, type OmniaKind } from "../../api/group.ts";
import { EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import { budgetOf, budgetText, isSpent } from "./budget.ts";
import { readResources, shownSource } from "./read-resources.ts";
import {
  isAuthenticated,
  readResourceViews,
  shownName,
  textAt,
  type ResourceView,
} from "./view.ts";
import type { ResourceFlags } from "./resources.ts";
import { readUsedToday, type UsedToday } from "./used-today.ts";
import type { Streams } from "../terminal/streams.ts";
import { textTable } from "../terminal/text-table.ts";
import {
  plainText,
  styled,
  type Line,
  type Piece,
  type Style,
} from "../../observability/terminal/line.ts";
import { printJSON, printLine } from "../../observability/terminal/writer.ts";

export async function status(flags: ResourceFlags, streams: Streams): Promise<ExitCode> {
  const { stdout } = streams;
  const read = await readResources(flags, streams);
  const { source, items } = read;
  const resources = readResourceViews(items).filter(
    ({ metadata }) => flags.namespace === undefined || metadata.namespace === flags.namespace,
  );
  if (flags.output === "json") {
    const used = await readUsedToday(resources, flags, streams);
    printJSON(stdout, {
      source,
      items: resources.map((one) => ({ ...one, ...toldOf(one, used) })),
    });
    return EXIT_CODES.ok;
  }
  printLine(stdout, styled("dim", shownSource(read)));
  if (resources.length === 0) {
    const where = flags.namespace === undefined ? "" : ` in namespace ${flags.namespace}`;
    printLine(stdout, `There are no agents, prompt packs or tool registries${where}.`);
  }
  const usedToday = await readUsedToday(resources, flags, streams);
  for (const line of statusLines(resources, usedToday)) printLine(stdout, line);
  return EXIT_CODES.ok;
}

/** What is told of an agent besides its resource, as `omnia explain` tells it. */
function toldOf(resource: ResourceView, usedToday: UsedToday): object {
  if (resource.kind !== AGENT_RUNTIME) return {};
  return {
    authenticated: isAuthenticated(resource),
    tokensToday: usedToday.get(shownName(resource)),
  };
}

/** One table for each kind, in which every row is followed by the conditions of its resource, and by its budget if it has one. */
export function statusLines(
  resources: readonly ResourceView[],
  usedToday: UsedToday = new Map(),
): Line[] {
  return TABLES.flatMap(({ kind, columns }) => {
    const ofKind = resources.filter((resource) => resource.kind === kind);
    if (ofKind.length === 0) return [];
    const [head = "", ...rows] = textTable([
      columns.map(({ head }) => head),
      ...ofKind.map((one) => columns.map(({ cell }) => cell(one))),
    ]);
    const below = ofKind.map((one) => [...conditionRows(one), ...budgetRows(one, usedToday)]);
    const belowLines = textTable(below.flat(), "  ");
    return [
      "",
      styled("bold", plainText(head)),
      ...ofKind.flatMap((_one, index) => [
        rows[index] as Line,
        ...belowLines.splice(0, below[index]?.length),
      ]),
    ];
  });
}

interface Column {
  readonly head: string;
  readonly cell: (resource: ResourceView) => Piece;
}

const NONE = "-";
const phase: Column = {
  head: "PHASE",
  cell: ({ status: { phase: text = NONE, conditions } }) => {
    const isReady = conditions.find(({ type }) => type === "Ready")?.status !== "False";
    const style = PHASE_STYLES[text];
    if (style === undefined) return text;
    // It serves, and is not all that its spec wants.
    return { text, style: style === "green" && !isReady ? "yellow" : style };
  },
};
const field = (head: string, ...path: string[]): Column => ({
  head,
  cell: (resource) => textAt(resource, ...path) ?? NONE,
});
const named = (head: string): Column => ({ head, cell: shownName });

const TABLES: readonly { readonly kind: OmniaKind; readonly columns: readonly Column[] }[] = [
  {
    kind: AGENT_RUNTIME,
    columns: [
      named("AGENT"),
      phase,
      field("READY", "status", "ready"),
      field("HANDLER", "spec", "facade", "handler"),
      field("MODEL", "spec", "provider", "model"),
      field("PACK", "spec", "promptPackRef", "name"),
      field("ENDPOINT", "status", "endpoint"),
    ],
  },
  {
    kind: PROMPT_PACK,
    columns: [
      named("PROMPT PACK"),
      phase,
      field("VERSION", "status", "activeSemver"),
      field("CONTENT", "status", "activeVersion"),
    ],
  },
  {
    kind: TOOL_REGISTRY,
    columns: [
      named("TOOL REGISTRY"),
      phase,
      field("TOOLS", "status", "discoveredTools"),
      field("AVAILABLE", "status", "availableTools"),
    ],
  },
];

const PHASE_STYLES: Readonly<Record<string, Style>> = {
  Running: "green",
  Active: "green",
  Ready: "green",
  Canary: "yellow",
  Pending: "yellow",
  Degraded: "yellow",
  Failed: "red",
};

function conditionRows({ status: { conditions } }: ResourceView): Piece[][] {
  return conditions.map(({ type, status: text, reason, message }) => [
    type,
    { text, style: text === "True" ? "green" : text === "False" ? "red" : "yellow" },
    message === "" ? reason : `${reason}: ${message}`,
  ]);
}

function budgetRows(resource: ResourceView, usedToday: UsedToday): Piece[][] {
  const budget = budgetOf(resource);
  if (budget === undefined) return [];
  const used = usedToday.get(shownName(resource));
  const text = budgetText(budget, used);
  return [["Budget", isSpent(budget, used) ? styled("yellow", "Spent") : "", text]];
}
