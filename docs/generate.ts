/** Writes the pages, and the parts of pages, that the sources know best. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PACK_FIELDS } from "../src/promptpack/document/field-uses.ts";
import { referencePages } from "./generate/reference-pages.ts";

const DOCS = import.meta.dirname;
const PACKS_PAGE = join(DOCS, "promptpacks.md");
const REFERENCE = join(DOCS, "reference");
const MADE = /(<!-- Made by `make generate` from [^\n]*-->\n)[\s\S]*?(<!-- end -->)/;

/** The page with its table as the sources have it. */
export function withPackFields(page: string): string {
  const rows = PACK_FIELDS.map(({ path, use, says }) => `| \`${path}\` | ${use} | ${says} |`);
  const table = ["| field | use | what is done |", "|---|---|---|", ...rows].join("\n");
  return page.replace(MADE, (_, head: string, end: string) => `${head}\n${table}\n\n${end}`);
}

if (import.meta.main) {
  await writeFile(PACKS_PAGE, withPackFields(await readFile(PACKS_PAGE, "utf8")));
  process.stdout.write("wrote docs/promptpacks.md\n");
  // A page whose subject is gone goes, too.
  await rm(REFERENCE, { recursive: true, force: true });
  const pages = await referencePages();
  for (const { path, text } of pages) {
    await mkdir(dirname(join(DOCS, path)), { recursive: true });
    await writeFile(join(DOCS, path), text);
  }
  process.stdout.write(`wrote ${pages.length} pages of docs/reference\n`);
}
