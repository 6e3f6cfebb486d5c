/** Writes the view as lines of a terminal. It is a pure function, so the same view gives the same lines. */
import { styled, type Line, type Style } from "../../observability/terminal/line.ts";
import { visibleLine } from "../../observability/terminal/visible-text.ts";
import { chatCommand, complaintLine, problemLine, type AgentView, type UpView } from "./view.ts";

export interface TableSize {
  readonly columns: number;
  readonly rows: number;
}

export const NO_AGENTS = "There are no AgentRuntimes in the files.";
export const ENDING = "Ending: the agents finish what they do. Ctrl-C again ends at once.";

const HEADINGS = ["AGENT", "NAMESPACE", "PHASE", "READY", "HANDLER", "MODEL", "REASON"] as const;
const PHASE_COLUMN = 2;
const REASON_COLUMN = 6;
const GAP = "  ";
/** So many problems and so many complaints are shown. The others are counted. */
const MAX_LISTED = 8;

/** `program` is what people type: `omnia`, or `./omnia` in a checkout. */
export function upTable(view: UpView, { columns, rows }: TableSize, program: string): Line[] {
  const lines = [
    "",
    ...agentTable(view.agents, columns),
    ...section("Problems in the files", view.problems.map(problemLine), columns),
    ...section("Not as it should be", view.complaints.map(complaintLine), columns),
    "",
    ...footer(view, columns, program),
  ];
  // The last lines say how to go on, so the middle of a table that is too long is left out.
  const room = Math.max(1, rows - 1);
  if (lines.length <= room) return lines;
  const tail = lines.slice(-2);
  return [
    ...lines.slice(0, Math.max(0, room - tail.length - 1)),
    styled("dim", "…"),
    ...tail,
  ].slice(-room);
}

function agentTable(agents: readonly AgentView[], columns: number): Line[] {
  if (agents.length === 0) return [cut(NO_AGENTS, columns)];
  const cells = agents.map(({ name, namespace, phase, ready, handler, model, reason }) =>
    [name, namespace, phase, ready, handler, model, reason].map(visibleLine),
  );
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const layOut = (row: readonly string[]): string[] =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
  const heading = cut(layOut(HEADINGS).join(GAP).trimEnd(), columns);
  const rows = cells.map((row): Line => {
    const line = cut(layOut(row).join(GAP).trimEnd(), columns);
    const phase = row[PHASE_COLUMN] ?? "";
    const start = (widths[0] ?? 0) + (widths[1] ?? 0) + 2 * GAP.length;
    if (!line.startsWith(phase, start)) return line;
    return [
      line.slice(0, start),
      styled(phaseStyle(phase, row[REASON_COLUMN] ?? ""), phase),
      line.slice(start + phase.length),
    ];
  });
  return [styled("bold", heading), ...rows];
}

/** An agent that runs and is not all that its spec wants has a reason. */
function phaseStyle(phase: string, reason: string): Style {
  return phase === "Running" && reason !== "" ? "yellow" : (PHASE_STYLES[phase] ?? "yellow");
}

const PHASE_STYLES: Readonly<Record<string, Style>> = {
  Running: "green",
  Pending: "yellow",
  Failed: "red",
};

function section(title: string, lines: readonly string[], columns: number): Line[] {
  if (lines.length === 0) return [];
  const listed = lines.slice(0, MAX_LISTED).flatMap((line) => wrap(visibleLine(line), columns));
  const more = lines.length - MAX_LISTED;
  return [
    "",
    styled("yellow", title),
    ...listed,
    ...(more > 0 ? [styled("dim", `  and ${more} more`)] : []),
  ];
}

function footer(view: UpView, columns: number, program: string): Line[] {
  if (view.ending) return [cut(ENDING, columns)];
  const agent = view.agents.find(({ phase }) => phase === "Running") ?? view.agents[0];
  const next =
    agent === undefined ? [] : [cut(`Talk to it:  ${chatCommand(program, agent)}`, columns)];
  return [cut(`Serving at:  ${view.url}`, columns), ...next].map((line) => styled("bold", line));
}

/** A problem ends with its cure, so a long one goes on in the next line and is not cut. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = " ";
  for (const word of text.split(" ")) {
    if (line.trim() !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = "   ";
    }
    line += ` ${word}`;
  }
  lines.push(line);
  return lines.map((each) => cut(each, columns));
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}
