/** The rows of the console's lists: where they stand, and how the keyboard goes through them. */
import { describe, expect, onTestFinished } from "vitest";
import { it } from "../../support/browser/it.ts";
import {
  startFixtureApi,
  type FixtureApi,
  type FixtureContent,
} from "../../support/console/fixture-api.ts";
import { anAgentDetail, anAgentView, aSessionView } from "../../support/console/views.ts";

async function start(content: FixtureContent): Promise<FixtureApi> {
  const api = await startFixtureApi(content);
  onTestFinished(() => api[Symbol.asyncDispose]());
  return api;
}

describe("the rows of a list", () => {
  it.for([390, 720, 1280])(
    "stand clear of each other in a window of %i pixels, whatever their names are",
    async (width, { openPage }) => {
      const named = (name: string, namespace: string) =>
        anAgentView({ name, namespace, model: "a-model-of-a-long-name-and-many-words" });
      const api = await start({
        agents: [
          named("a".repeat(63), "b".repeat(63)),
          named("an-agent-of-a-name", "team-a"),
          named("an-agent-of-another-name-which-is-long", "default"),
          named("short", "default"),
        ],
      });
      const page = await openPage(api.url, { viewport: { width, height: 800 } });
      await page.getByRole("link", { name: "short" }).waitFor();
      const overlaps = (): Promise<number> =>
        page.evaluate<number>(`(() => {
          const rows = [...document.querySelectorAll("[data-index]")];
          const boxes = rows.map((row) => ({
            top: row.getBoundingClientRect().top,
            bottom: Math.max(...[row, ...row.children].map((each) => each.getBoundingClientRect().bottom)),
          }));
          boxes.sort((one, other) => one.top - other.top);
          return boxes.filter(({ top }, index) => index > 0 && top < boxes[index - 1].bottom - 1).length;
        })()`);
      await expect.poll(overlaps).toBe(0);
    },
  );

  it("are gone through by j and k, those that are out of sight too", async ({ openPage }) => {
    const api = await start({ details: [anAgentDetail({ name: "a" })] });
    const page = await openPage();
    await page.route(/\/api\/.*\/sessions\?/, (route) => {
      const items = Array.from({ length: 40 }, (_, index) =>
        aSessionView({ id: `session-${index}`, title: `Question ${index}` }),
      );
      return route.fulfill({ json: { items } });
    });
    await page.goto(`${api.url}/agents/default/a/sessions`);
    await page.getByRole("link", { name: "Question 0 " }).waitFor();
    const focused = (): Promise<string> =>
      page.evaluate<string>("document.activeElement.textContent");
    for (let index = 0; index < 30; index += 1) {
      await page.keyboard.press("j");
      await expect.poll(focused).toMatch(new RegExp(`^Question ${index}\\D`));
    }
    const row = page.getByRole("link", { name: "Question 29 " });
    const bottom = await row.evaluate((link) => link.getBoundingClientRect().bottom);
    expect(bottom).toBeLessThanOrEqual(800);
    await page.keyboard.press("k");
    await expect.poll(focused).toMatch(/^Question 28\D/);
  });
});
