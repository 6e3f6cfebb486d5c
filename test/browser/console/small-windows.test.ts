/** The console in windows of a phone, and in those that are enlarged to twice the size. */
import { describe, expect, onTestFinished } from "vitest";
import { expectAccessible } from "../../support/browser/accessible.ts";
import { it } from "../../support/browser/it.ts";
import {
  startFixtureApi,
  type FixtureApi,
  type FixtureContent,
} from "../../support/console/fixture-api.ts";
import { anAgentDetail, aSessionView, NO_SECRET } from "../../support/console/views.ts";

const NAME = "a".repeat(63);
const NAMESPACE = "b".repeat(63);
const PATH = `/agents/${NAMESPACE}/${NAME}`;
const NO_AGENT = { expected: [/WebSocket connection/, /404/] };

async function start(content: FixtureContent): Promise<FixtureApi> {
  const api = await startFixtureApi(content);
  onTestFinished(() => api[Symbol.asyncDispose]());
  return api;
}

describe("a small window", () => {
  it.for([
    [390, 844],
    [640, 400],
  ] as const)(
    "of %i by %i pixels shows all pages of an agent, and where to write",
    async ([width, height], { openPage }) => {
      const api = await start({ details: [anAgentDetail({ name: "bot" })] });
      const page = await openPage(`${api.url}/agents/default/bot`, {
        viewport: { width, height },
        ...NO_AGENT,
      });
      const field = await page.getByLabel("Your message").boundingBox();
      const bar = await page.getByRole("navigation", { name: "Places" }).boundingBox();
      expect(field).not.toBeNull();
      expect((field?.y ?? 0) + (field?.height ?? 0)).toBeLessThanOrEqual(bar?.y ?? 0);
      const tabs = page.getByRole("navigation", { name: "Pages of bot" });
      const fits = await tabs.evaluate((element) => element.scrollWidth <= element.clientWidth);
      expect(fits).toBe(true);
      await expectAccessible(page);
    },
  );

  it("shows where to write below the longest of names", async ({ openPage }) => {
    const api = await start({ details: [anAgentDetail({ name: NAME, namespace: NAMESPACE })] });
    const page = await openPage(`${api.url}${PATH}`, {
      viewport: { width: 390, height: 844 },
      ...NO_AGENT,
    });
    const field = await page.getByLabel("Your message").boundingBox();
    const bar = await page.getByRole("navigation", { name: "Places" }).boundingBox();
    expect((field?.y ?? 0) + (field?.height ?? 0)).toBeLessThanOrEqual(bar?.y ?? 0);
  });

  it("shows the longest of names where one goes to a place by its name", async ({ openPage }) => {
    const api = await start({ details: [anAgentDetail({ name: NAME, namespace: NAMESPACE })] });
    const page = await openPage(api.url, { viewport: { width: 390, height: 844 } });
    await page.getByRole("link", { name: NAME }).waitFor();
    await page.getByRole("button", { name: "Go to (Ctrl K)" }).click();
    const entry = page.getByRole("option", { name: NAME });
    await entry.waitFor();
    const box = await entry.boundingBox();
    expect(box?.height).toBeLessThan(160);
    expect(await entry.evaluate((each) => each.scrollWidth <= each.clientWidth)).toBe(true);
    await expectAccessible(page);
  });

  it("shows all that a list says of a session", async ({ openPage }) => {
    const api = await start({ details: [anAgentDetail({ name: "bot" })] });
    const page = await openPage();
    await page.setViewportSize({ width: 390, height: 844 });
    await page.route(/\/api\/.*\/sessions\?/, (route) =>
      route.fulfill({
        json: {
          items: [
            aSessionView({
              title: "Question",
              turns: 1_000,
              toolCalls: 1,
              inputTokens: 1_234_567,
              packVersion: "3f1c8a90d2e7",
              subject: "somebody@example.com",
            }),
          ],
        },
      }),
    );
    await page.goto(`${api.url}/agents/default/bot/sessions`);
    const row = page.getByRole("link", { name: /1,000 turns · 1 tool call · 1,234,\d+ tokens/ });
    await row.waitFor();
    const isCut = await page
      .getByText("somebody@example.com")
      .evaluate((element) => element.scrollWidth > element.clientWidth);
    expect(isCut).toBe(false);
  });

  it("begins with why an agent does not answer, where nothing was said", async ({ openPage }) => {
    const agent = anAgentDetail({ name: "bot", phase: "Pending", ready: 0, explain: NO_SECRET });
    const api = await start({ details: [agent] });
    const page = await openPage(`${api.url}/agents/default/bot`, {
      viewport: { width: 390, height: 844 },
      ...NO_AGENT,
    });
    await page.getByText(NO_SECRET.cause).waitFor();
    expect(await page.getByRole("heading", { name: /^Say something/ }).count()).toBe(0);
    expect((await page.getByText(NO_SECRET.cause).boundingBox())?.y).toBeLessThan(300);
    await expectAccessible(page);
  });
});
