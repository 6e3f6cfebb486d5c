/** Conversations in the console, with agents of a real `omnia up`. */
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { describe, expect } from "vitest";
import { expectAccessible } from "../support/browser/accessible.ts";
import { it } from "../support/browser/it.ts";
import { forAllTests } from "../support/builders/fixtures.ts";
import { startScriptedModel, type ModelAnswer } from "../support/console/scripted-model.ts";
import { startTalkingUp } from "../support/console/talking-up.ts";
import { HOSTILE_MARKDOWN } from "../support/hostile/hostile-markdown.ts";
import { startHttpServer } from "../support/processes/http-server.ts";
import { startRedis } from "../support/redis/redis.ts";

const SOME_TIME = { timeout: 60_000 };

const world = forAllTests(
  async () => {
    /** Answers that a test ends itself, newest last. */
    const held: ModelAnswer[] = [];
    const model = await startScriptedModel((reply, { role, content }) => {
      if (role === "tool") {
        reply.say("It is paid.");
        reply.end();
      } else if (content.includes("pay")) {
        reply.call({ id: "call-pay", name: "pay", arguments: { amount: 50 } });
      } else if (content.includes("look")) {
        reply.call(
          { id: "call-1", name: "look", arguments: { amount: 1 } },
          { id: "call-2", name: "look", arguments: { amount: 2 } },
        );
      } else if (content.includes("slowly")) {
        reply.say("One **two** ");
        held.push(reply);
      } else {
        reply.say(`You said: ${content}`);
        reply.end();
      }
    });
    const tool = await startHttpServer((_request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ note: "<img src=x onerror='window.hostile = true'>" }));
    });
    const redis = await startRedis();
    const up = await startTalkingUp({
      modelURL: model.url,
      toolURL: tool.url,
      redisURL: redis.url,
    });
    return { held, model, tool, redis, up };
  },
  async ({ up, model, tool, redis }) => {
    await up.stop();
    await Promise.all([model.close(), tool.close(), redis[Symbol.asyncDispose]()]);
  },
);

function address(agent: string, rest = ""): string {
  return `${world().up.url}/agents/default/${agent}${rest}`;
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Your message").fill(text);
  await page.getByLabel("Your message").press("Enter");
}

/** The answers of the conversation as one reads them. */
function answers(page: Page) {
  return page.locator("[data-turn] >> nth=-1");
}

async function phase(page: Page): Promise<string | null> {
  return answers(page).getAttribute("data-phase");
}

describe("a conversation in the console", () => {
  it("shows the demo agent's first words and a call of a tool", async ({ openPage }) => {
    const page = await openPage(address("demo"));
    await expectAccessible(page);
    await page.getByRole("button", { name: "What is the weather like in Berlin?" }).click();
    await page.locator("[data-outcome=ok]").waitFor();
    await page.getByText("It is 18 °C").waitFor();
    await expect.poll(() => phase(page), SOME_TIME).toBe("done");
    await page.locator("summary").click();
    await page.getByRole("region", { name: "Result" }).waitFor();
    await expectAccessible(page);
    expect(new URL(page.url()).searchParams.get("session")).toMatch(/./);
  });

  it("is the same after a reload in the middle of an answer, with nothing twice", async ({
    openPage,
  }) => {
    const { held } = world();
    const page = await openPage(address("bot"));
    await say(page, "before");
    await page.getByText("You said: before").waitFor();
    await expect.poll(() => phase(page), SOME_TIME).toBe("done");
    await say(page, "Tell me slowly");
    await page.getByText("two").waitFor();
    await page.getByLabel("Your message").fill("half a draft");
    await page.reload();
    await page.getByText("two").waitFor();
    await page.getByRole("button", { name: "Stop" }).waitFor();
    const reply = held.at(-1);
    reply?.say("three.");
    reply?.end();
    await expect.poll(() => phase(page), SOME_TIME).toBe("done");
    expect(await page.locator("[data-turn]").count()).toBe(2);
    expect(await answers(page).innerText()).toContain("One two three.");
    expect((await page.innerText("main")).split("Tell me slowly")).toHaveLength(2);
    expect(await page.getByLabel("Your message").inputValue()).toBe("half a draft");
  });

  it("opens at its end", async ({ openPage }) => {
    const page = await openPage(address("echo"));
    for (const round of ["first", "second"]) {
      await say(page, `${"A line\n\n".repeat(100)}The end of the ${round}`);
      await expect.poll(() => phase(page), SOME_TIME).toBe("done");
    }
    await page.reload();
    const end = page.locator("p", { hasText: "The end of the second" });
    await expect.poll(() => end.isVisible(), SOME_TIME).toBe(true);
    await expect
      .poll(
        () =>
          page
            .getByRole("log")
            .evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight),
        SOME_TIME,
      )
      .toBeLessThan(2);
    expect(await page.getByRole("button", { name: "Jump to latest" }).count()).toBe(0);
  });

  it("says that a replica ended in the middle, and has the whole answer of the one that took over", async ({
    openPage,
  }) => {
    const { held, up, model } = world();
    const page = await openPage(address("bot"), { expected: [/WebSocket/] });
    const asked = model.asked();
    await say(page, "Say it slowly");
    await page.getByText("two").waitFor();
    const pid = await up.processTalkingTo(Number(new URL(model.url).port));
    expect(pid).toBeDefined();
    process.kill(pid ?? 0, "SIGKILL");
    await page.getByText("The connection broke here").waitFor();
    await expect.poll(() => model.asked(), SOME_TIME).toBeGreaterThan(asked + 1);
    const reply = held.at(-1);
    reply?.say("three.");
    reply?.end();
    await expect.poll(() => phase(page), SOME_TIME).toBe("done");
    await page.getByText("took the answer over").waitFor();
    expect((await page.innerText("main")).replaceAll(/\s+/g, " ")).toContain("One two");
    await expectAccessible(page);
  });

  it("stops an answer by Escape, also one that somebody else began", async ({ openPage }) => {
    const page = await openPage(address("bot"));
    await say(page, "Count slowly");
    await page.getByText("two").waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await page.getByLabel("Your message").press("Escape");
    await page.getByText("Stopped.").waitFor();
  });

  it("lets a call be approved on the screen of a phone", async ({ openPage }) => {
    const page = await openPage(address("bot"), {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
    });
    await say(page, "Please pay");
    await page.getByRole("button", { name: "Approve" }).waitFor();
    await expectAccessible(page);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    await page.getByRole("button", { name: "Edit" }).tap();
    await page.getByLabel("Arguments, as JSON").fill('{"amount": 30}');
    await page.getByRole("button", { name: "Approve as edited" }).tap();
    await page.getByText("It is paid.").waitFor();
    expect(await page.getByText("{amount:30}").count()).toBe(1);
  });

  it("denies a call with a reason, after a reload too", async ({ openPage }) => {
    const page = await openPage(address("bot"));
    await say(page, "Please pay");
    await page.getByRole("button", { name: "Approve" }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Deny" }).click();
    await page.getByLabel(/Reason/).fill("Too much");
    await page.getByRole("button", { name: "Deny the call" }).click();
    await page.getByText("It is paid.").waitFor();
    expect(await page.getByRole("button", { name: "Approve" }).count()).toBe(0);
  });

  it("goes on from a turn in a copy, which the session that it came from knows nothing of", async ({
    openPage,
  }) => {
    const page = await openPage(address("bot"));
    await say(page, "one");
    await page.getByText("You said: one").waitFor();
    await expect.poll(() => phase(page), SOME_TIME).toBe("done");
    await say(page, "two");
    await page.getByText("You said: two").waitFor();
    const before = page.url();
    await page.getByRole("button", { name: /^Fork/ }).first().click();
    await expect.poll(() => page.url(), SOME_TIME).not.toBe(before);
    await page.getByText("You said: one").waitFor();
    expect(await page.getByText("You said: two").count()).toBe(0);
    await say(page, "three");
    await page.getByText("You said: three").waitFor();
    await page.goto(before);
    await page.getByText("You said: two").waitFor();
    expect(await page.getByText("You said: three").count()).toBe(0);
  });

  it("neither runs nor loads anything of hostile answers and results", async ({ openPage }) => {
    const page = await openPage(address("echo"));
    for (const text of [HOSTILE_MARKDOWN.join("\n\n"), HOSTILE_MARKDOWN.join("\n")]) {
      await say(page, text);
      await expect.poll(() => phase(page), SOME_TIME).toBe("done");
    }
    await page.goto(address("bot"));
    await say(page, "Please look");
    await page.getByText("It is paid.").waitFor();
    await page.locator("summary").first().click();
    await page.getByRole("region", { name: "Result" }).waitFor();
    expect(
      await page
        .locator("main :is(script, iframe, img, object, embed, form:not([class]), style, base)")
        .count(),
    ).toBe(0);
    expect(await page.evaluate("window.hostile")).toBeUndefined();
    await expectAccessible(page);
  });

  it("colours code in the worker", async ({ openPage }) => {
    const page = await openPage(address("echo"));
    await say(page, "```ts\nconst answer = 42;\n```");
    await page.locator("[data-kind=keyword]").waitFor();
    expect(await page.locator("pre").innerText()).toBe("const answer = 42;\n");
  });
});

describe("the sessions of an agent", () => {
  it("are listed, shown over time, exported and deleted", async ({ openPage }) => {
    const page = await openPage(address("bot"));
    await say(page, "Please look around");
    await page.getByText("It is paid.").waitFor();
    await expect.poll(() => phase(page), SOME_TIME).toBe("done");
    // Two answers of 12 and 34 tokens.
    const about = page.getByLabel("About this conversation");
    await about.getByText("24 in, 68 out").waitFor();
    await about.getByText("0.00074 USD").waitFor();
    await page.getByText(/24 \+ 68 tokens · 0\.00074 USD/).waitFor();
    await page.getByRole("link", { name: "Sessions", exact: true }).click();
    await page
      .getByRole("link", { name: /Please look around.*92 tokens · 0\.00074 USD/ })
      .first()
      .waitFor();
    await expectAccessible(page);
    await page
      .getByRole("link", { name: /Please look around/ })
      .first()
      .click();
    await page.getByText("1 of 1 turns").waitFor();
    expect(await page.locator("summary").count()).toBe(2);
    await page.getByText(/24 \+ 68 tokens · 0\.00074 USD/).waitFor();
    await page.locator("[data-turn]").getByText("0.00074 USD").waitFor();
    await expectAccessible(page);

    for (const [name, expected] of [
      ["Export JSON", '"content": "Please look around"'],
      ["Export Markdown", "> Please look around"],
    ] as const) {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name }).click(),
      ]);
      expect(await readFile(await download.path(), "utf8")).toContain(expected);
    }

    const shown = page.url();
    const turnId = await page.locator("[data-turn]").getAttribute("data-turn");
    await page.goto("about:blank");
    await page.goto(`${shown}#turn=${turnId}`);
    await page.locator('[data-named="true"]').waitFor();

    await page.getByRole("button", { name: "Delete…" }).click();
    await page.getByText("1 turn and 2 tool calls, with their messages").waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Delete the session" }).click();
    await expect.poll(() => page.url(), SOME_TIME).toMatch(/sessions$/);
    await page.getByText("Loading…").waitFor({ state: "detached" });
    expect(await page.getByRole("link", { name: /Please look around/ }).count()).toBe(0);
  });
});
