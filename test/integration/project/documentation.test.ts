import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { withAPIPaths, withPackFields } from "../../../docs/generate.ts";
import { referencePages } from "../../../docs/generate/reference-pages.ts";
import { CONDITIONS } from "../../../src/api/conditions.ts";
import { findDuplicates } from "../../../src/api/manifest/find-duplicates.ts";
import { parseManifests } from "../../../src/api/manifest/manifest.ts";
import { anAgentManifest } from "../../support/builders/manifests.ts";
import { documents, snippets, snippetsOf } from "../../support/documents/snippets.ts";

const ROOT = join(import.meta.dirname, "../../..");
const all = snippets(ROOT);

function placeOf({ file, line }: { file: string; line: number }): string {
  return `${file}:${line}`;
}

describe("the documentation", () => {
  it("links to files that are there", () => {
    const broken = documents(ROOT).flatMap((file) => {
      const text = withoutCode(readFileSync(join(ROOT, file), "utf8"));
      return [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map(([, target = ""]) => target)
        .filter((target) => !existsSync(join(ROOT, dirname(file), target)))
        .map((target) => `${file} links to ${target}`);
    });
    expect(broken).toEqual([]);
  });

  it("has of the fields of a pack what the sources have", () => {
    const page = readFileSync(join(ROOT, "docs/promptpacks.md"), "utf8");
    expect(page).toBe(withPackFields(page));
  });

  it("has the reference that the sources make, and no page besides", async () => {
    const pages = await referencePages();
    const made = new Map(pages.map(({ path, text }) => [path, text]));
    const kept = readdirSync(join(ROOT, "docs/reference"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".md"))
      .map((file) => `reference/${file}`);
    expect(kept.toSorted()).toEqual([...made.keys()].toSorted());
    const outdated = kept.filter(
      (path) => readFileSync(join(ROOT, "docs", path), "utf8") !== made.get(path),
    );
    expect(outdated, "run make generate").toEqual([]);
  });

  it("has a page for every reason of every condition, with what to do", async () => {
    const pages = new Map((await referencePages()).map(({ path, text }) => [path, text]));
    const reasons = Object.entries(CONDITIONS).flatMap(([kind, conditions]) =>
      Object.entries(conditions).flatMap(([condition, { notTrue }]) =>
        notTrue.map((reason: string) => [kind, condition, reason].join("/").toLowerCase()),
      ),
    );
    const lacking = reasons.filter((reason) => {
      const text = pages.get(`reference/conditions/${reason}.md`) ?? "";
      return !/\n## What to do\n\n\S/.test(text);
    });
    expect(reasons.length).toBeGreaterThan(50);
    expect(lacking).toEqual([]);
  });

  it("has of the paths of the HTTP API what the API says of itself", async () => {
    const page = readFileSync(join(ROOT, "docs/http-api.md"), "utf8");
    expect(page).toBe(await withAPIPaths(page));
  });

  it("links to headings that are there", () => {
    const broken = documents(ROOT).flatMap((file) => {
      const text = readFileSync(join(ROOT, file), "utf8");
      return [...text.matchAll(/\]\(([^)#\s:]*)#([^)]+)\)/g)]
        .filter(([, target = "", anchor = ""]) => {
          const linked =
            target === "" ? text : readFileSync(join(ROOT, dirname(file), target), "utf8");
          return !anchorsOf(linked).includes(anchor);
        })
        .map(([link]) => `${file}: ${link}`);
    });
    expect(broken).toEqual([]);
  });

  it("says of each decision when it was made and whether it holds, and lists it", () => {
    const folder = join(ROOT, "docs/decisions");
    const list = readFileSync(join(folder, "README.md"), "utf8");
    const pages = readdirSync(folder).filter((file) => /^\d{4}-/.test(file));
    const unmarked = pages.filter((file) => {
      const marked = /^Date: (\d{4}-\d\d-\d\d)\. Status: (accepted|replaced by .*)\.$/m.exec(
        readFileSync(join(folder, file), "utf8"),
      );
      return marked === null || !list.includes(`](${file})`) || !list.includes(`| ${marked[1]} |`);
    });
    expect(unmarked).toEqual([]);
  });

  it("names every command block after the test that runs it", () => {
    const tests = readFileSync(join(ROOT, "test/e2e/documentation.test.ts"), "utf8");
    const untested = all.filter(
      ({ language, name }) =>
        language === "sh" && (name === undefined || !tests.includes(`"${name}"`)),
    );
    expect(untested.map(placeOf)).toEqual([]);
  });

  it("says the same in every block that is tested as the same", () => {
    const named = all.filter(({ name }) => name !== undefined);
    const other = named.filter(({ name, text }) =>
      named.some((one) => one.name === name && one.text !== text),
    );
    expect(other.map(placeOf)).toEqual([]);
  });

  it("shows commands in blocks of the language sh only", () => {
    // What begins with `$` there is run by cli-page.test.ts.
    const session = (snippet: { file: string; text: string }): boolean =>
      snippet.file === "docs/command-line.md" && snippet.text.startsWith("$ ");
    const commands = all.filter(
      (snippet) =>
        snippet.language !== "sh" &&
        !session(snippet) &&
        /^\s*(\$ |\.\/omnia|omnia |make |npm |kubectl )/m.test(snippet.text),
    );
    expect(commands.map(placeOf)).toEqual([]);
    expect(all.map(({ language }) => language)).not.toContain("bash");
  });

  it("shows manifests that are valid", () => {
    const problems = all
      .filter(({ language }) => language === "yaml")
      .flatMap((snippet) => {
        const text = wholeManifest(snippet.text);
        const { resources, problems: found } = parseManifests(text, placeOf(snippet));
        return [...found, ...findDuplicates(resources)];
      });
    expect(problems).toEqual([]);
  });

  it("shows JSON that is JSON", () => {
    for (const { text } of all.filter(({ language }) => language === "json")) {
      expect(() => JSON.parse(text) as unknown).not.toThrow();
    }
  });

  it("has a map that names every part", () => {
    const map = readFileSync(join(ROOT, "docs/architecture.md"), "utf8");
    const folders = readdirSync(join(ROOT, "src"), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    const parts = folders
      .filter(({ name }) => readdirSync(join(ROOT, "src", name)).length > 0)
      .map(({ name }) => `[src/${name}](../src/${name})`);
    expect(parts.filter((part) => !map.includes(part))).toEqual([]);
  });
});

describe("a snippet", () => {
  it("has the name of the comment before it", () => {
    const text =
      "Do this:\n\n<!-- tested as: doing -->\n```sh\nmake up\nmake test\n```\n\n```yaml\na: 1\n```\n";
    expect(snippetsOf("X.md", text)).toEqual([
      { file: "X.md", line: 4, language: "sh", name: "doing", text: "make up\nmake test\n" },
      { file: "X.md", line: 9, language: "yaml", name: undefined, text: "a: 1\n" },
    ]);
  });
});

/** A pattern within a line may look like a link. */
function withoutCode(markdown: string): string {
  return markdown.replaceAll(/`[^`\n]*`/g, "");
}

/** A block that begins with `provider:` is that part of an agent. */
function wholeManifest(text: string): string {
  if (!text.startsWith("provider:")) return text;
  const at = { namespace: "agents", name: "agent" };
  return stringify(anAgentManifest(at, parse(text) as object));
}

/** As GitHub makes them. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
}
