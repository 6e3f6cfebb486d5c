/** All pages of docs/reference, which the sources know best. */
import { chartValuesPage } from "./chart-values-page.ts";
import { commandsPage } from "./commands-page.ts";
import { conditionPages } from "./condition-pages.ts";
import { framesPage } from "./frames-page.ts";
import { kindPages } from "./kind-pages.ts";
import { limitsPage } from "./limits-page.ts";
import type { Page } from "./markdown.ts";
import { metricsPage } from "./metrics-page.ts";

export async function referencePages(): Promise<Page[]> {
  return [
    ...kindPages(),
    ...conditionPages(),
    commandsPage(),
    framesPage(),
    await limitsPage(),
    metricsPage(),
    chartValuesPage(),
  ];
}
