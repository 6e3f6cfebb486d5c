/** Makes what Astro builds of the plain Markdown of README.md and docs/: titles, links, the sidebar, and a list for models. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { type Group, SIDEBAR } from "./sidebar.ts";

const ROOT = join(import.meta.dirname, "..");
const MAX_DESCRIPTION_CHARACTERS = 200;

export interface SiteOptions {
  /** Where the website stands on its host, such as `/omnia/`. */
  readonly base: string;
  /** Where sources are shown, such as `https://example.com/owner/omnia/blob/v0.1.0`. Without it links to sources are plain text. */
  readonly sources: string | undefined;
}

interface SitePage {
  /** From the root of the repository. */
  readonly file: string;
  /** In the website, without slashes around it; "" is its front. */
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  readonly body: string;
}

/** Replaces the content of the folder. */
export async function syncContent(folder: string, options: SiteOptions): Promise<void> {
  const pages = new Map(pageFiles().map((file) => [file, readPage(file)]));
  const content = join(folder, "src/content/docs");
  await rm(join(folder, "src"), { recursive: true, force: true });
  for (const page of pages.values()) {
    const target = join(content, `${page.slug === "" ? "index" : page.slug}.md`);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, frontMatter(page) + withFrames(withLinks(page, pages, options)));
  }
  await writeFile(
    join(folder, "src/content.config.ts"),
    'import { docsLoader } from "@astrojs/starlight/loaders";\nimport { docsSchema } from "@astrojs/starlight/schema";\n' +
      'import { defineCollection } from "astro:content";\nexport const collections = { docs: defineCollection({ loader: docsLoader(), schema: docsSchema() }) };\n',
  );
  await cp(join(import.meta.dirname, "site.css"), join(folder, "src/site.css"));
  await cp(join(import.meta.dirname, "astro.config.mjs"), join(folder, "astro.config.mjs"));
  await cp(join(import.meta.dirname, "package.json"), join(folder, "package.json"));
  if (existsSync(join(ROOT, "docs/images")))
    await cp(join(ROOT, "docs/images"), join(folder, "public/images"), { recursive: true });
  await mkdir(join(folder, "public"), { recursive: true });
  await cp(join(import.meta.dirname, "favicon.svg"), join(folder, "public/favicon.svg"));
  await writeFile(join(folder, "public/llms.txt"), listForModels([...pages.values()], options));
  await writeFile(
    join(folder, "sidebar.json"),
    JSON.stringify(SIDEBAR.map((group) => sidebarGroup(group, pages))),
  );
}

/** The frame of a table can be scrolled by the keyboard, too. */
function withFrames(markdown: string): string {
  return markdown
    .split(/(^```[^]*?^```)/gm)
    .map((part) =>
      part.startsWith("```")
        ? part
        : part.replaceAll(
            /^(\|.+\n)+/gm,
            (table) =>
              `<div class="wide-table" role="region" aria-label="Table" tabindex="0">\n\n${table}\n</div>\n`,
          ),
    )
    .join("");
}

/** Every page of docs/, and the front. */
function pageFiles(): string[] {
  const docs = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" });
  return [
    "README.md",
    ...docs
      .filter((file) => file.endsWith(".md"))
      .map((file) => `docs/${file}`)
      .toSorted(),
  ];
}

function readPage(file: string): SitePage {
  const text = readFileSync(join(ROOT, file), "utf8").replaceAll(/^<!--[^]*?-->\n/gm, "");
  const [heading = "", title = ""] = /^# (.+)\n/m.exec(text) ?? [];
  const body = text.replace(heading, "").trim();
  const [paragraph = ""] = body.split(/\n\n+/).filter((part) => /^(?!```)[\p{L}`]/u.test(part));
  const description = paragraph
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll("`", "")
    .replaceAll("\n", " ");
  return {
    file,
    slug: file === "README.md" ? "" : file.replace(/^docs\//, "").replace(/(\/README)?\.md$/, ""),
    title: title.replaceAll("`", ""),
    description: description.slice(0, MAX_DESCRIPTION_CHARACTERS),
    body,
  };
}

function frontMatter({ title, description }: SitePage): string {
  return `---\ntitle: ${JSON.stringify(title)}\ndescription: ${JSON.stringify(description)}\n---\n\n`;
}

/** Links between pages lead to pages, others to the sources. What stands in code is no link. */
function withLinks(
  { file, body }: SitePage,
  pages: ReadonlyMap<string, SitePage>,
  options: SiteOptions,
): string {
  return (
    body
      .split(/(^```[^]*?^```|`[^`\n]+`(?!\]))/gm)
      .map((part) =>
        part.startsWith("`")
          ? part
          : part.replaceAll(
              /(!?)\[((?:[^\]`]|`[^`]*`)*)\]\((?!https?:|#)([^)#\s]*)(#[^)]*)?\)/g,
              (_, image: string, text: string, target: string, anchor = "") => {
                const path = posix
                  .normalize(posix.join(posix.dirname(file), target))
                  .replace(/\/$/, "");
                if (image !== "")
                  return `![${text}](${options.base}${path.replace(/^docs\//, "")})`;
                const page = pages.get(path) ?? pages.get(`${path}/README.md`);
                if (page !== undefined) return `[${text}](${addressOf(page, options)}${anchor})`;
                return options.sources === undefined
                  ? text
                  : `[${text}](${options.sources}/${path}${anchor})`;
              },
            ),
      )
      .join("") + "\n"
  );
}

function addressOf({ slug }: SitePage, { base }: SiteOptions): string {
  return slug === "" ? base : `${base}${slug}/`;
}

function sidebarGroup(
  { label, pages: entries }: Group,
  pages: ReadonlyMap<string, SitePage>,
): object {
  const items = entries.map((entry) => {
    if (typeof entry !== "string") return { ...sidebarGroup(entry, pages), collapsed: true };
    if (entry.endsWith("/"))
      return { autogenerate: { directory: entry.slice(0, -1), collapsed: true } };
    const page = pages.get(`docs/${entry}`);
    if (page === undefined) throw new Error(`the sidebar names docs/${entry}, which is not there`);
    return { label: page.title, link: `/${page.slug}/` };
  });
  return { label, items: items.length === 1 && "autogenerate" in (items[0] ?? {}) ? items : items };
}

/** As llmstxt.org says. */
function listForModels(pages: readonly SitePage[], options: SiteOptions): string {
  const lines = pages.map(
    (page) => `- [${page.title}](${addressOf(page, options)}): ${page.description}`,
  );
  return `# Omnia\n\n> ${pages[0]?.description ?? ""}\n\n## Pages\n\n${lines.join("\n")}\n`;
}
