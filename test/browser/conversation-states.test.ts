/**
 * What a conversation may come to, in the console: the page is real, and the test is its agent. Frames come through a WebSocket that the browser
 * leads to the test; what the HTTP API says is `omnia up`'s.
 */
import type { Page, WebSocketRoute } from "playwright-core";
import { describe, expect } from "vitest";
import { expectAccessible } from "../support/browser/accessible.ts";
import { it, type OpenPage } from "../support/browser/it.ts";
import { measureTasks } from "../support/browser/task-times.ts";
import { forAllTests } from "../support/builders/fixtures.ts";
import { startTalkingUp } from "../support/console/talking-up.ts";

const SOME_TIME = { timeout: 60_000 };
const up = forAllTests(
  () => startTalkingUp({ modelURL: "http://127.0.0.1:1/v1", toolURL: "http://127.0.0.1:1" }),
  (running) => running.stop(),
);

describe("a page of a conversation", () => {
  it.for([
    ["PROVIDER_ERROR", { retry_after: 600 }, "Ask again in"],
    ["TOOL_ERROR", { tool_calls: [] }, "Ask again"],
    ["VALIDATION_FAILED", { validator: "length" }, "Ask again"],
    ["INTERNAL_ERROR", {}, "Ask again"],
  ] as const)(
    "shows a turn that ended with %s, and what to do",
    async ([code, details, action], { openPage }) => {
      const { page, agent } = await talk({ openPage });
      agent.say({
        type: "error",
        seq: 1,
        message_id: agent.messageId(),
        error: { code, message: "It did not work.", details },
      });
      await page.getByText("It did not work.").waitFor();
      await page.getByText(code).waitFor();
      await page.getByRole("button", { name: action }).waitFor();
      await expectAccessible(page);
    },
  );

  it.for([
    ["RATE_LIMITED", { retry_after: 600 }, "Send again in"],
    ["UNAVAILABLE", { retry_after: 600 }, "Send again in"],
    ["TURN_IN_PROGRESS", {}, "Follow the answer"],
  ] as const)(
    "gives a message back that was refused with %s",
    async ([code, details, action], { openPage }) => {
      const { page, agent } = await talk({ openPage });
      agent.sayOutside({ type: "error", error: { code, message: "Not now.", details } });
      await page.getByRole("button", { name: action }).waitFor();
      expect(await page.getByLabel("Your message").inputValue()).toBe("Hello");
      await expectAccessible(page);
    },
  );

  it("shows limits, warnings, the state of the workflow and calls of members", async ({
    openPage,
  }) => {
    const { page, agent } = await talk({ openPage });
    const call = (seq: number, id: string, parent?: string) =>
      agent.say({
        type: "tool_call",
        seq,
        tool_call: { id, name: `tool-${id}`, arguments: {}, parent },
      });
    call(1, "outer");
    call(2, "inner", "outer");
    call(3, "beside");
    agent.say({ type: "tool_result", seq: 4, tool_result: { id: "inner", error: "It broke." } });
    await page.getByText("It broke.").waitFor();
    await page.getByRole("group", { name: "Calls that tool-outer made" }).waitFor();
    await page.getByRole("group", { name: "2 calls side by side" }).waitFor();
    agent.say({ type: "tool_result", seq: 5, tool_result: { id: "outer", result: 1 } });
    agent.say({ type: "tool_result", seq: 6, tool_result: { id: "beside", result: 1 } });
    agent.say({
      type: "done",
      seq: 7,
      message_id: agent.messageId(),
      content: "Cut",
      finish_reason: "length",
      state: "asking",
      warnings: [{ validator: "sentences", message: "Too many sentences." }],
    });
    await page.getByText("reached a limit on its length").waitFor();
    await page.getByText("Too many sentences.").waitFor();
    await page.getByText("Workflow: asking").waitFor();
    await expectAccessible(page);
  });

  it("counts the seconds of a long wait", async ({ openPage }) => {
    const { page } = await talk({ openPage });
    await page.getByText(/Waiting for the answer \(\d+ s\)/).waitFor();
    await expectAccessible(page);
  });

  it("begins a new session where there is none", async ({ openPage }) => {
    const page = await openPage(address("echo", "?session=gone"), { expected: [/404/] });
    await page.getByText("SESSION_NOT_FOUND").waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Start a new one" }).click();
    await page.getByLabel("Your message").waitFor();
  });

  it("asks to sign in when the token has ended, and goes on in place with another", async ({
    openPage,
  }) => {
    const { page, agent } = await talk({ openPage });
    agent.say({ type: "chunk", seq: 1, message_id: agent.messageId(), content: "One " });
    await page.getByText("One").waitFor();
    await page.getByLabel("Your message").fill("a draft");
    await agent.close(4401, "the token has expired");
    await page.getByText("You are signed out").waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Try again" }).click();
    await expect.poll(() => agent.lastOf("resume"), SOME_TIME).toMatchObject({ after: 1 });
    const rest = [
      { type: "chunk", seq: 2, content: "two." },
      { type: "done", seq: 3, content: "One two.", finish_reason: "stop" },
    ];
    // It asks a second time, to know that it has caught up.
    for (let asked = 0; asked < 2; asked += 1) {
      agent.greet(3, true);
      for (const frame of rest) agent.say(frame);
    }
    await page.getByText("One two.").waitFor();
    expect(await page.locator("[data-turn]").count()).toBe(1);
    expect(await page.getByLabel("Your message").inputValue()).toBe("a draft");
  });

  it("shows 5,000 pieces of an answer in no more steps than the screen draws", async ({
    openPage,
  }) => {
    const { page, agent } = await talk({ openPage });
    await page.evaluate(COUNT_CHANGES);
    const stopMeasuring = await measureTasks(page);
    const words = [
      "Some **bold** words ",
      "and `code`. ",
      "\n\n- a list\n",
      "```ts\nlet a = 1;\n```\n",
      "| a | b |\n|-|-|\n| 1 | 2 |\n\n",
    ];
    const pieces = Array.from(
      { length: 5_000 },
      (_, index) => words[index % 400 < 396 ? index % 2 : (index % 400) - 395] ?? "",
    );
    for (const [index, content] of pieces.entries()) {
      agent.say({
        type: "chunk",
        seq: index + 1,
        content,
        ...(index === 0 ? { message_id: agent.messageId() } : {}),
      });
      // As a model sends them: some hundred in a second.
      if (index % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 4));
    }
    agent.say({ type: "done", seq: 5_001, content: pieces.join(""), finish_reason: "stop" });
    await expect
      .poll(() => page.locator("[data-turn]").getAttribute("data-phase"), SOME_TIME)
      .toBe("done");
    const { changes, frames } = await page.evaluate<{ changes: number; frames: number }>(
      "counted()",
    );
    const longest = await stopMeasuring();
    process.stdout.write(
      `5,000 pieces: ${changes} changes of the page in ${frames} frames; the longest task took ${Math.round(longest)} ms of the processor\n`,
    );
    // It is 60 ms here. A machine may be slow, but nothing may grow with the length of the answer.
    expect(longest).toBeLessThan(500);
    expect(changes).toBeLessThanOrEqual(frames + 10);
    expect(await page.locator("[data-turn]").innerText()).toContain("let a = 1;");
  });

  it("shows all of a hostile answer of a megabyte, without an element for each word of it", async ({
    openPage,
  }) => {
    const { page, agent } = await talk({ openPage });
    const stopMeasuring = await measureTasks(page);
    const text = `${"someone@example.org ".repeat(50_000)}This is the end.`;
    const size = 20_000;
    let seq = 0;
    for (let at = 0; at < text.length; at += size) {
      seq += 1;
      const named = seq === 1 ? { message_id: agent.messageId() } : {};
      agent.say({ type: "chunk", seq, content: text.slice(at, at + size), ...named });
    }
    agent.say({ type: "done", seq: seq + 1, content: text, finish_reason: "stop" });
    await page.locator("[data-turn]").getByText("This is the end.").waitFor({ timeout: 50_000 });
    const longest = await stopMeasuring();
    process.stdout.write(
      `a hostile megabyte: the longest task took ${Math.round(longest)} ms of the processor\n`,
    );
    expect(await page.locator("*").count()).toBeLessThan(20_000);
    expect((await page.locator("[data-turn]").textContent())?.split("@")).toHaveLength(50_001);
  });

  it("does not pull a reader away, and jumps to the latest on request", async ({ openPage }) => {
    const { page, agent } = await talk({ openPage });
    const lines = Array.from({ length: 200 }, (_, index) => `Line ${index}\n\n`).join("");
    agent.say({ type: "chunk", seq: 1, message_id: agent.messageId(), content: lines });
    await page.getByText("Line 199").waitFor();
    const log = page.getByRole("log");
    await log.evaluate((element) => element.scrollTo(0, 0));
    await page.getByRole("button", { name: "Jump to latest" }).waitFor();
    agent.say({ type: "chunk", seq: 2, content: "The very end." });
    await page.getByText("The very end.").waitFor({ state: "attached" });
    expect(await log.evaluate((element) => element.scrollTop)).toBe(0);
    await page.getByRole("button", { name: "Jump to latest" }).click();
    await expect
      .poll(() => log.evaluate((element) => element.scrollTop), SOME_TIME)
      .toBeGreaterThan(0);
  });

  it("says whole sentences and the end to those who do not see", async ({ openPage }) => {
    const { page, agent } = await talk({ openPage });
    const said = page.locator("[aria-live=polite]");
    agent.say({
      type: "chunk",
      seq: 1,
      message_id: agent.messageId(),
      content: "It is 18 °C. And",
    });
    await expect.poll(() => said.innerText(), SOME_TIME).toBe("It is 18 °C.");
    agent.say({ type: "chunk", seq: 2, content: " sunny." });
    agent.say({ type: "done", seq: 3, content: "It is 18 °C. And sunny.", finish_reason: "stop" });
    await expect.poll(() => said.innerText(), SOME_TIME).toBe("And sunny. End of the answer.");
  });
});

const COUNT_CHANGES = `(() => {
  let changes = 0;
  let frames = 0;
  new MutationObserver(() => { changes += 1; }).observe(document.querySelector("[role=log]"), {
    subtree: true, childList: true, characterData: true,
  });
  const count = () => { frames += 1; requestAnimationFrame(count); };
  requestAnimationFrame(count);
  globalThis.counted = () => ({ changes, frames });
})()`;

function address(agent: string, rest = ""): string {
  return `${up().url}/agents/default/${agent}${rest}`;
}

interface PlayedAgent {
  /** A frame of the turn that the page's message began. */
  say(frame: object): void;
  sayOutside(frame: object): void;
  greet(seq: number, resumed: boolean): void;
  close(code: number, reason: string): Promise<void>;
  lastOf(type: string): unknown;
  /** The id of the page's last message. */
  messageId(): string;
}

/** A page that has sent "Hello" to an agent that the test plays. */
async function talk({
  openPage,
}: {
  openPage: OpenPage;
}): Promise<{ page: Page; agent: PlayedAgent }> {
  const page = await openPage(undefined, { expected: [/404/, /503/] });
  let socket: WebSocketRoute | undefined;
  const heard: { type: string; id?: string }[] = [];
  const send = (frame: object): void =>
    socket?.send(
      JSON.stringify({ session_id: "played", timestamp: new Date().toISOString(), ...frame }),
    );
  const agent: PlayedAgent = {
    say: (frame) => send({ turn_id: "turn-1", ...frame }),
    sayOutside: send,
    greet: (seq, resumed) => send({ type: "connected", resumed, seq }),
    close: async (code, reason) => socket?.close({ code, reason }),
    lastOf: (type) => heard.findLast((frame) => frame.type === type),
    messageId: () => heard.findLast(({ type }) => type === "message")?.id ?? "none",
  };
  await page.routeWebSocket(/\/ws\?/, (opened) => {
    socket = opened;
    opened.onMessage((text) => heard.push(JSON.parse(String(text)) as { type: string }));
    agent.greet(0, false);
  });
  await page.goto(address("echo"));
  await page.getByLabel("Your message").fill("Hello");
  await page.getByLabel("Your message").press("Enter");
  await expect.poll(() => agent.lastOf("message"), SOME_TIME).toMatchObject({ content: "Hello" });
  return { page, agent };
}
