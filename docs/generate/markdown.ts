/** The few forms of Markdown that generated pages have. */

/** A page of docs/, by its path there. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

/** `source` is the path, from the root, of what decides the content. */
export function page(
  path: string,
  { title, source }: { title: string; source: string },
  parts: readonly string[],
): Page {
  const up = "../".repeat(path.split("/").length);
  const made = `<!-- Made by \`make generate\` from ${source}. Do not edit. -->`;
  const origin = `The source: [${source}](${up}${source}).`;
  return { path, text: [`# ${title}`, made, ...parts, origin].join("\n\n") + "\n" };
}

/** Empty cells show a dash. Columns without any content are left out. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const kept = head.map((_, column) => rows.some((row) => (row[column] ?? "") !== ""));
  const line = (cells: readonly string[]): string =>
    `| ${cells
      .filter((_, column) => kept[column])
      .map((cell) => (cell === "" ? "–" : oneLine(cell)))
      .join(" | ")} |`;
  const rule = `|${kept
    .filter(Boolean)
    .map(() => "---|")
    .join("")}`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

/** The text as code. Of an empty one nothing is left. */
export function code(text: string): string {
  if (text === "") return "";
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}

/** As a whole sentence. Nothing stays nothing. */
export function sentence(text: string): string {
  if (text === "") return "";
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?:]$/.test(begun) ? begun : `${begun}.`;
}

/** What a reader of Markdown would take for the end of a cell, or for HTML, is written out. */
function oneLine(cell: string): string {
  return cell
    .replaceAll(/\s*\n\s*/g, " ")
    .replaceAll("|", String.raw`\|`)
    .split(/(``.*?``|`[^`]*`)/)
    .map((part) => (part.startsWith("`") ? part : part.replaceAll("<", "&lt;")))
    .join("");
}
