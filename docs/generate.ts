/** Writes the parts of pages that the sources know best. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PACK_FIELDS } from "../src/promptpack/document/field-uses.ts";

const PACKS_PAGE = join(import.meta.dirname, "promptpacks.md");
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
}
