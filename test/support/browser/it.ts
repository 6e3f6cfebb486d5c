/**
 * Tests in a real browser: one browser for a file, which starts with the first test that needs it, and a fresh profile for each page.
 * A test fails when a page of it has an error, breaks its own security policy, opens a dialog, or asks another machine for anything.
 */
import { test } from "vitest";
import type { Page } from "playwright-core";
import { openBrowser } from "./open-browser.ts";
import { WatchedContext, type PageOptions } from "./watched-context.ts";

/** A page in a profile of its own. Give it the address, or go there later. */
export type OpenPage = (url?: string, options?: PageOptions) => Promise<Page>;

/** `it("shows …", async ({ openPage }) => { const page = await openPage(url); … })`. */
export const it = test
  // Vitest reads from the pattern that nothing is needed before.
  // oxlint-disable-next-line no-empty-pattern
  .extend("browser", { scope: "file" }, async ({}, { onCleanup }) => {
    const browser = await openBrowser();
    onCleanup(() => browser.close());
    return browser;
  })
  .extend("openPage", async ({ browser, task }, { onCleanup }): Promise<OpenPage> => {
    const contexts: WatchedContext[] = [];
    onCleanup(async () => {
      await Promise.all(contexts.map((context, index) => context.close(`${task.name}-${index}`)));
      const problems = contexts.flatMap((context) => context.problems);
      if (problems.length > 0) throw new Error(`in the browser:\n${problems.join("\n")}`);
    });
    return async (url, options) => {
      const context = await WatchedContext.open(browser, options);
      contexts.push(context);
      const page = await context.openPage();
      if (url !== undefined) await page.goto(url);
      return page;
    };
  });
