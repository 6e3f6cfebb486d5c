/** The website of the documentation, built from the packages in the cache and looked at as people see it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { referencePages } from "../../docs/generate/reference-pages.ts";
import { buildSite } from "../../site/build-site.ts";
import { serveFolder } from "../../site/serve-folder.ts";
import { SIDEBAR, type Group } from "../../site/sidebar.ts";
import { expectAccessible } from "../support/browser/accessible.ts";
import { it as browserIt } from "../support/browser/it.ts";

const BUILD_TIMEOUT_MS = 300_000;
const ROOT = join(import.meta.dirname, "../..");

/** The website, built once, and a server of it. */
// Vitest reads from the pattern that nothing is needed before.
// oxlint-disable-next-line no-empty-pattern
const it = browserIt.extend("site", { scope: "file" }, async ({}, { onCleanup }) => {
  const folder = await mkdtemp(join(tmpdir(), "omnia-site-"));
  await buildSite(folder);
  const server = await serveFolder(folder, 0);
  onCleanup(async () => {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  return { folder, url: server.url };
});

function pagesOf(groups: readonly (string | Group)[]): string[] {
  return groups.flatMap((entry) => (typeof entry === "string" ? [entry] : pagesOf(entry.pages)));
}

describe("the website of the documentation", () => {
  it(
    "is built, and every link in it leads somewhere",
    { timeout: BUILD_TIMEOUT_MS },
    ({ site }) => {
      expect(existsSync(join(site.folder, "index.html"))).toBe(true);
    },
  );

  it("has a page for every reason that `omnia explain` may name", async ({ site }) => {
    const paths = (await referencePages()).map(({ path }) => path.replace(/\.md$/, ""));
    expect(paths.filter((path) => !existsSync(join(site.folder, path, "index.html")))).toEqual([]);
  });

  it("lists every page of docs/ in its sidebar", () => {
    const listed = pagesOf(SIDEBAR);
    const pages = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" }).filter(
      (file) => file.endsWith(".md"),
    );
    const left = pages.filter(
      (file) =>
        !listed.some((entry) => (entry.endsWith("/") ? file.startsWith(entry) : file === entry)),
    );
    expect(left).toEqual([]);
    expect(new Set(listed).size).toBe(listed.length);
  });

  it("tells models what there is to read", ({ site }) => {
    const list = readFileSync(join(site.folder, "llms.txt"), "utf8");
    expect(list).toMatch(/^# Omnia\n\n> \S[^]*\[Your first answer\]\(\/first-answer\/\): \S/);
  });

  it.for([
    "/",
    "/reference/kinds/agentruntime/",
    "/reference/conditions/agentruntime/available/podsfailing/",
  ])(
    "shows %s, which asks no other machine for anything and is accessible",
    async (path, { openPage, site }) => {
      for (const colorScheme of ["light", "dark"] as const) {
        const page = await openPage(`${site.url}${path}`, { colorScheme });
        await page.locator("h1").waitFor();
        await page.waitForLoadState("networkidle");
        await expectAccessible(page);
      }
    },
  );

  it("is searched without another machine", async ({ openPage, site }) => {
    const page = await openPage(`${site.url}/`);
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByRole("dialog").getByRole("textbox").fill("OOMKilled");
    await page.getByRole("dialog").getByRole("link").first().waitFor();
  });

  it("fits a phone", async ({ openPage, site }) => {
    const page = await openPage(`${site.url}/reference/kinds/agentruntime/`, {
      viewport: { width: 390, height: 844 },
    });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
  });
});
