/** What somebody meets who has just started `omnia up` and opens its page for the first time. */
import type { Page } from "playwright-core";
import { describe, expect } from "vitest";
import { OmniaUp } from "../e2e/omnia-up.ts";
import { it as inBrowser } from "../support/browser/it.ts";

/** The demo takes a person's time here, as it does for whoever tries it. */
// Vitest reads from the pattern that nothing is needed before.
// oxlint-disable-next-line no-empty-pattern
const it = inBrowser.extend("up", { scope: "file" }, async ({}, { onCleanup }) => {
  const up = await OmniaUp.start({ env: { OMNIA_DEMO_PAUSES: "on" } });
  onCleanup(() => up[Symbol.asyncDispose]());
  await up.runs("quickstart");
  return up;
});

const SUGGESTIONS = ["Hello", "I forgot my password", "What is the weather like in Berlin?"];
const SOME_TIME = { timeout: 30_000 };

interface Seen {
  readonly type: string;
  readonly at: number;
}

/** The frames of answers that come to the page, each type once and in the order of their first one. */
function watchFrames(page: Page): Seen[] {
  const seen: Seen[] = [];
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => {
      const { type } = JSON.parse(String(payload)) as { type: string };
      if (!seen.some((earlier) => earlier.type === type))
        seen.push({ type, at: performance.now() });
    }),
  );
  return seen;
}

describe("a first visit", () => {
  it.for(SUGGESTIONS)(
    "comes to the first words of an answer to %j",
    async (text, { openPage, up }) => {
      const page = await openPage();
      const seen = watchFrames(page);
      const begin = performance.now();
      await page.goto(up.url);
      await page.getByRole("link", { name: "quickstart" }).click();
      await page.getByRole("button", { name: text }).click();
      const asked = performance.now();
      await expect.poll(() => seen.map(({ type }) => type), SOME_TIME).toContain("chunk");
      await page.locator("[data-turn] p").first().waitFor();
      const first = seen.find(({ type }) => type === "chunk")?.at ?? Number.NaN;
      const order = seen.map(({ type }) => type).filter((type) => type !== "connected");
      expect(order.slice(0, 3)).toEqual(
        text === "Hello" ? ["chunk"] : ["tool_call", "tool_result", "chunk"],
      );
      process.stdout.write(
        `${text}: first words ${Math.round(first - begin)} ms after the visit began, ${Math.round(first - asked)} ms after the question\n`,
      );
    },
  );
});
