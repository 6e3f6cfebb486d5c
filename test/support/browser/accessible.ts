import axe, { type AxeResults } from "axe-core";
import type { Page } from "playwright-core";

/** What hinders people. What axe calls minor or moderate is advice. */
const GRAVE = new Set(["serious", "critical"]);
/** Enough to see what it is. */
const ELEMENTS_SHOWN = 5;

/** Rejects when people with disabilities could not use what the page shows at this moment, as far as axe can tell. */
export async function expectAccessible(page: Page, selector = "html"): Promise<void> {
  await page.evaluate(axe.source);
  const results = await page.evaluate<AxeResults>(
    `axe.run(${JSON.stringify(selector)}, { resultTypes: ["violations"] })`,
  );
  const grave = results.violations.filter(({ impact }) => GRAVE.has(impact ?? ""));
  if (grave.length === 0) return;
  const lines = grave.flatMap(({ id, impact, help, nodes }) => [
    `${impact}: ${help} (${id})`,
    ...nodes
      .slice(0, ELEMENTS_SHOWN)
      .map(({ html, failureSummary }) => `  ${html}\n    ${failureSummary ?? ""}`),
  ]);
  throw new Error(`${page.url()} is not accessible:\n${lines.join("\n")}`);
}
