/**
 * The screenshots of README and docs: what each shows, in a window of a fixed size, and what of it stays the same each time. Those that
 * talk to an agent come last, since others would count it.
 */
import type { Page } from "playwright-core";
import type { PageOptions } from "../support/browser/watched-context.ts";
import { QUESTION } from "./pictured-program.ts";

export interface Scene {
  /** Of the file in docs/images, without its ending. */
  readonly name: string;
  readonly options: PageOptions;
  /** The path of the page. */
  readonly path: string;
  /** Does what people do until the page shows what is pictured. */
  readonly arrange: (page: Page) => Promise<void>;
}

const DESKTOP = { viewport: { width: 1200, height: 720 } };
const PHONE = { viewport: { width: 390, height: 844 }, colorScheme: "dark" as const };

export const SCENES: readonly Scene[] = [
  {
    name: "console-agents",
    options: DESKTOP,
    path: "/",
    arrange: async (page) => {
      await page.getByText("translator").first().waitFor();
    },
  },
  {
    name: "console-status",
    options: DESKTOP,
    path: "/agents/shop/billing/status",
    arrange: async (page) => {
      await page.getByText("SecretNotFound").first().waitFor();
    },
  },
  {
    name: "console-pack",
    options: DESKTOP,
    path: "/packs/shop/support",
    arrange: async (page) => {
      await page.getByText("1.5.0").first().waitFor();
    },
  },
  { name: "console-chat", options: DESKTOP, path: "/agents/shop/support", arrange: ask },
  { name: "console-phone", options: PHONE, path: "/agents/shop/support", arrange: ask },
];

async function ask(page: Page): Promise<void> {
  await page.getByRole("textbox").first().fill(QUESTION);
  // The button can be clicked once the page is connected.
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("Shall I have it kept at the post office?").waitFor();
  // What stands below an answer is complete once the agent has told of the turn.
  await page.getByText(/version \w.*in all/).waitFor();
}

/** Writes times that are others in each run as the same ones. Nothing that comes later may be shown. */
const FREEZE = `(() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data } = texts.currentNode;
    const frozen = data
      .replace(/\\b[\\d.]+ (ms|s) in all\\b/g, "1.9 s in all")
      .replace(/\\bafter [\\d.]+ (ms|s)\\b/g, "after 0.6 s")
      .replace(/\\b\\d+ ms\\b/g, "214 ms")
      .replace(/\\b[\\d,]+ \\+ [\\d,]+ tokens\\b/g, "102 + 94 tokens")
      .replace(/\\b[\\d,]+ in, [\\d,]+ out\\b/g, "102 in, 94 out")
      .replace(/\\bversion [0-9a-f]{12}\\b/g, "version 3f1c8a90d2e7")
      .replace(/localhost:\\d+/g, "localhost:8080");
    if (frozen !== data) texts.currentNode.data = frozen;
  }
  for (const time of document.querySelectorAll("time")) time.textContent = "2 min ago";
  document.activeElement?.blur();
})()`;

export async function freeze(page: Page): Promise<void> {
  await page.evaluate("document.fonts.ready.then(() => undefined)");
  await page.evaluate(FREEZE);
}

/** What the page says, in the terms of the accessibility tree, without what is another one each time. */
export async function structureOf(page: Page): Promise<string> {
  const structure = await page.locator("body").ariaSnapshot();
  return `${structure.replaceAll(/[?&]session=[\w-]+/g, "?session=…").replaceAll(/\/sessions\/[\w-]{20,}/g, "/sessions/…")}\n`;
}
