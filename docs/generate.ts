/** Writes the pages, and the parts of pages, that the sources know best. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { API_PREFIX } from "../src/http-api/paths.ts";
import { PACK_FIELDS } from "../src/promptpack/document/field-uses.ts";
import { anApi } from "../test/support/builders/an-api.ts";
import { openAPISchema } from "../test/support/documents/openapi-answers.ts";
import { referencePages } from "./generate/reference-pages.ts";

const DOCS = import.meta.dirname;
const REFERENCE = join(DOCS, "reference");
const MADE = /(<!-- Made by `make generate` from [^\n]*-->\n)[\s\S]*?(<!-- end -->)/;

/** The page with its table as the sources have it. */
export function withPackFields(page: string): string {
  const rows = PACK_FIELDS.map(({ path, use, says }) => [`\`${path}\``, use, says]);
  return withTable(page, [["field", "use", "what is done"], ...rows]);
}

/** The page with the paths as the API itself describes them. */
export async function withAPIPaths(page: string): Promise<string> {
  const { body } = await anApi().json("/openapi.json");
  const rows = Object.entries(openAPISchema.parse(body).paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { summary, parameters }]) => [
      method.toUpperCase(),
      `\`${path.replace(API_PREFIX, "")}\``,
      summary,
      parameters
        .filter((parameter) => parameter.in === "query")
        .map(({ name }) => `\`${name}\``)
        .join(", "),
    ]),
  );
  return withTable(page, [["method", "path", "what it does", "query"], ...rows]);
}

function withTable(page: string, [head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const table = [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
  return page.replace(MADE, (_, before: string, end: string) => `${before}\n${table}\n\n${end}`);
}

const PAGES: Readonly<Record<string, (page: string) => string | Promise<string>>> = {
  "promptpacks.md": withPackFields,
  "http-api.md": withAPIPaths,
};

if (import.meta.main) {
  for (const [name, made] of Object.entries(PAGES)) {
    const file = join(DOCS, name);
    await writeFile(file, await made(await readFile(file, "utf8")));
    process.stdout.write(`wrote docs/${name}\n`);
  }
  // A page whose subject is gone goes, too.
  await rm(REFERENCE, { recursive: true, force: true });
  const pages = await referencePages();
  for (const { path, text } of pages) {
    await mkdir(dirname(join(DOCS, path)), { recursive: true });
    await writeFile(join(DOCS, path), text);
  }
  process.stdout.write(`wrote ${pages.length} pages of docs/reference\n`);
}
