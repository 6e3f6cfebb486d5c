/** A recording of a terminal as an animated picture, which any page shows: SVG with an animation in CSS, and no script. */
import { type Cast, type Run, type Screen, screensOf } from "./cast.ts";

const CHARACTER_WIDTH = 8.4;
const LINE_HEIGHT = 20;
const MARGIN = 16;
/** The last screen stays, before it begins anew. */
const LAST_SCREEN_SECONDS = 6;
/** The eye sees no more of them. */
const SCREENS_PER_SECOND = 12;

const COLORS = [
  "#6b7280",
  "#f87171",
  "#4ade80",
  "#facc15",
  "#60a5fa",
  "#c084fc",
  "#22d3ee",
  "#e5e7eb",
];
const TEXT_COLOR = "#e5e7eb";

export async function castPicture(cast: Cast): Promise<string> {
  const screens = thinned(await screensOf(cast));
  const end = (screens.at(-1)?.at ?? 0) + LAST_SCREEN_SECONDS;
  const lines = new Map<string, string>();
  const groups = screens.map((screen, index) => {
    const uses = screen.lines.flatMap((runs, row) => {
      if (runs.length === 0) return [];
      const drawn = runs.map(drawnRun).join("");
      const id = lines.get(drawn) ?? `l${lines.size}`;
      lines.set(drawn, id);
      return [`<use href="#${id}" y="${MARGIN + row * LINE_HEIGHT}"/>`];
    });
    return `<g class="s" id="s${index}">${uses.join("")}</g>`;
  });
  const width = Math.ceil(cast.columns * CHARACTER_WIDTH + 2 * MARGIN);
  const height = cast.rows * LINE_HEIGHT + 2 * MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" xml:space="preserve" role="img" aria-label="${escaped(cast.title)}">`,
    `<title>${escaped(cast.title)}</title>`,
    `<style>${styles(screens, end)}</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#111827"/>`,
    `<defs>${[...lines].map(([drawn, id]) => `<g id="${id}">${drawn}</g>`).join("")}</defs>`,
    ...groups,
    "</svg>\n",
  ].join("\n");
}

/** One screen at a time; whoever wants no motion sees the last one. */
function styles(screens: readonly Screen[], end: number): string {
  const percent = (seconds: number): string => `${((seconds / end) * 100).toFixed(3)}%`;
  const frames = screens.map(({ at }, index) => {
    const next = screens[index + 1]?.at;
    const from = index === 0 ? "0%" : percent(at);
    const until = next === undefined ? "" : `${percent(next)}{visibility:hidden}`;
    return `@keyframes k${index}{0%{visibility:hidden}${from}{visibility:visible}${until}}#s${index}{animation-name:k${index}}`;
  });
  return [
    `text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:${TEXT_COLOR}}`,
    ".b{font-weight:bold}.d{opacity:.6}",
    ...COLORS.map((color, index) => `.c${index}{fill:${color}}`),
    `.s{visibility:hidden;animation:${end.toFixed(3)}s step-end infinite}`,
    ...frames,
    `@media (prefers-reduced-motion: reduce){.s{animation:none}#s${screens.length - 1}{visibility:visible}}`,
  ].join("");
}

function drawnRun({ text, column, bold, dim, color }: Run): string {
  const names = [bold ? "b" : "", dim ? "d" : "", color === -1 ? "" : `c${color % COLORS.length}`];
  const classes = names.filter((name) => name !== "").join(" ");
  const look = classes === "" ? "" : ` class="${classes}"`;
  const x = (MARGIN + column * CHARACTER_WIDTH).toFixed(1);
  // Every font takes as much room, so that columns stay in line.
  const length = (text.length * CHARACTER_WIDTH).toFixed(1);
  return `<text x="${x}" y="14" textLength="${length}"${look}>${escaped(text)}</text>`;
}

/** Of screens that follow each other too fast, the last one. */
function thinned(screens: readonly Screen[]): Screen[] {
  const kept: Screen[] = [];
  for (const screen of screens) {
    const last = kept.at(-1);
    if (last === undefined || screen.at - last.at >= 1 / SCREENS_PER_SECOND) kept.push(screen);
    else kept[kept.length - 1] = { ...screen, at: last.at };
  }
  return kept;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
