/** What a terminal showed, and when: a recording in the format of asciinema, version 2. */
import headless, { type Terminal } from "@xterm/headless";

export interface Cast {
  readonly columns: number;
  readonly rows: number;
  readonly title: string;
  readonly events: readonly CastEvent[];
}

export interface CastEvent {
  /** Seconds since the beginning. */
  readonly at: number;
  readonly output: string;
}

/** What stands on the screen from a time on. */
export interface Screen {
  readonly at: number;
  readonly lines: readonly (readonly Run[])[];
}

/** Characters of one line that look alike. */
export interface Run {
  readonly text: string;
  readonly column: number;
  readonly bold: boolean;
  readonly dim: boolean;
  /** Of the sixteen of a terminal; -1 is that of the text. */
  readonly color: number;
}

export function writeCast({ columns, rows, title, events }: Cast): string {
  const header = { version: 2, width: columns, height: rows, title };
  const lines = events.map(({ at, output }) => JSON.stringify([at, "o", output]));
  return `${[JSON.stringify(header), ...lines].join("\n")}\n`;
}

export function readCast(text: string): Cast {
  const [header = "", ...lines] = text.trimEnd().split("\n");
  const { version, width, height, title } = JSON.parse(header) as {
    version: number;
    width: number;
    height: number;
    title: string;
  };
  if (version !== 2) throw new Error(`a cast of version ${version} is not read here`);
  const events = lines.map((line) => {
    const [at, kind, output] = JSON.parse(line) as [number, string, string];
    if (kind !== "o") throw new Error(`an event of kind ${kind} is not read here`);
    return { at, output };
  });
  return { columns: width, rows: height, title, events };
}

/** Every screen that the recording shows. */
export async function screensOf({ columns, rows, events }: Cast): Promise<Screen[]> {
  const terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true });
  const screens: Screen[] = [];
  for (const { at, output } of events) {
    await new Promise<void>((resolve) => terminal.write(output, resolve));
    const lines = linesOf(terminal);
    const before = screens.at(-1);
    if (before === undefined || JSON.stringify(before.lines) !== JSON.stringify(lines)) {
      screens.push({ at, lines });
    }
  }
  terminal.dispose();
  return screens;
}

export function textOf({ lines }: Screen): string {
  return lines
    .map((runs) =>
      runs.reduce((line, { text, column }) => line.padEnd(column) + text, "").trimEnd(),
    )
    .join("\n")
    .trimEnd();
}

function linesOf(terminal: Terminal): Run[][] {
  const buffer = terminal.buffer.active;
  return Array.from({ length: terminal.rows }, (_, row) => {
    const line = buffer.getLine(buffer.viewportY + row);
    const runs: (Omit<Run, "text"> & { text: string })[] = [];
    for (let column = 0; column < terminal.cols; column++) {
      const cell = line?.getCell(column);
      if (cell === undefined || cell.getWidth() === 0) continue;
      const look = {
        bold: cell.isBold() !== 0,
        dim: cell.isDim() !== 0,
        color: cell.isFgPalette() ? cell.getFgColor() : -1,
      };
      const last = runs.at(-1);
      const isSame =
        last !== undefined &&
        last.bold === look.bold &&
        last.dim === look.dim &&
        last.color === look.color;
      if (isSame) last.text += cell.getChars() || " ";
      else runs.push({ text: cell.getChars() || " ", column, ...look });
    }
    return runs
      .map((run) => ({ ...run, text: run.text.trimEnd() }))
      .filter(({ text }) => text !== "");
  });
}
