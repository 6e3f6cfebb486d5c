/** What the console shows in states that a real `omnia up` is seldom in: a thousand agents, hostile texts, no answer, no token. */
import { connect } from "node:net";
import { describe, expect, onTestFinished } from "vitest";
import type { Page } from "playwright-core";
import { startForwardedConsole } from "../../../src/cli/console/forward/forwarded-console.ts";
import { SignIns } from "../../../src/cli/console/forward/sign-ins.ts";
import { expectAccessible } from "../../support/browser/accessible.ts";
import { it } from "../../support/browser/it.ts";
import { recordLongTasks } from "../../support/browser/long-tasks.ts";
import { scrollDown } from "../../support/browser/scroll-work.ts";
import { measureTasks } from "../../support/browser/task-times.ts";
import { startFixtureApi, type FixtureContent } from "../../support/console/fixture-api.ts";
import {
  aPackDetail,
  aPackDocument,
  aRegistryDetail,
  aSessionView,
  aToolView,
  anAgentDetail,
  anAgentView,
  NO_SECRET,
} from "../../support/console/views.ts";

const MANY = 1_000;
const MANY_SESSIONS = 100_000;
const MAX_ROWS = 60;
const STEP_PIXELS = 400;

async function start(content: FixtureContent) {
  const api = await startFixtureApi(content);
  onTestFinished(() => api[Symbol.asyncDispose]());
  return api;
}

const rows = (page: Page): Promise<number> => page.locator("[data-index]").count();

describe("a thousand agents", () => {
  const agents = Array.from({ length: MANY }, (_, index) =>
    anAgentView({
      name: `agent-${String(index).padStart(4, "0")}`,
      namespace: index % 2 === 0 ? "default" : "team-a",
      ...(index % 50 === 0 ? { phase: "Pending", ready: 0, explain: NO_SECRET } : {}),
    }),
  );

  it("are a list of which only what can be seen is made, wherever one scrolls", async ({
    openPage,
  }) => {
    const api = await start({ agents, packs: [aPackDetail()] });
    const page = await openPage(`${api.url}/packs`);
    await page.getByRole("row").nth(1).waitFor();
    const opened = await page.evaluate<number>(`(async () => {
      const begin = performance.now();
      document.querySelector('nav a[href="/"]').click();
      while (document.querySelector('[aria-label="Agents"] [data-index]') === null)
        await new Promise(requestAnimationFrame);
      return performance.now() - begin;
    })()`);
    const table = page.getByRole("table", { name: "Agents" });
    expect(await table.getAttribute("aria-rowcount")).toBe(String(MANY + 1));
    expect(await rows(page)).toBeLessThanOrEqual(MAX_ROWS);

    const recorder = await recordLongTasks(page);
    const stopMeasuring = await measureTasks(page);
    const work = await scrollDown(page, STEP_PIXELS, 1_000);
    const ofProcessor = await stopMeasuring();
    const tasks = await recorder.stop();
    expect(work.most).toBeLessThanOrEqual(MAX_ROWS);
    // Each row is made once, and what was made is left alone.
    expect(work.last).toBe(MANY - 1);
    expect(work.made).toBeLessThanOrEqual(MANY + MAX_ROWS);
    expect(work.changed).toBe(0);
    await page.getByRole("link", { name: "agent-0999" }).waitFor();
    const longest = Math.max(0, ...tasks.map(({ durationMs }) => durationMs));
    process.stdout.write(
      `the list opened in ${Math.round(opened)} ms; ${tasks.length} long tasks while scrolling, the longest of ${Math.round(longest)} ms, or ${Math.round(ofProcessor)} ms of the processor; ${work.most} rows at most\n`,
    );
  });

  it("begin with what is not ready, and are searched by what stands in the address", async ({
    openPage,
  }) => {
    const api = await start({ agents });
    const page = await openPage(`${api.url}/?q=agent-07&ns=team-a`);
    const table = page.getByRole("table", { name: "Agents" });
    await expect.poll(() => table.getAttribute("aria-rowcount")).toBe("51");
    await page.getByLabel("Namespace").selectOption("All namespaces");
    await expect.poll(() => table.getAttribute("aria-rowcount")).toBe("101");
    expect(await page.getByRole("row").nth(1).innerText()).toContain(NO_SECRET.cause);
    await page.getByLabel("State").selectOption("Pending");
    await expect.poll(() => table.getAttribute("aria-rowcount")).toBe("3");
    expect(new URL(page.url()).searchParams.toString()).toBe("q=agent-07&phase=Pending");
    await page.goBack();
    await expect.poll(() => new URL(page.url()).searchParams.get("ns")).toBe("team-a");
    await page.getByLabel("Search agents").fill("nothing like this");
    await page.getByText("No agent matches.").waitFor();
    await expectAccessible(page);
  });
});

describe("the list of agents", () => {
  it("says how to have the first one", async ({ openPage }) => {
    const api = await start({});
    const page = await openPage(api.url);
    await page.getByRole("heading", { name: "There are no agents yet" }).waitFor();
    await page.getByText("omnia up -f hello.yaml").waitFor();
    await expectAccessible(page);
    await api.change({ agents: [anAgentView()] });
    await page.getByRole("link", { name: "support" }).waitFor();
  });

  it("keeps what it knew while nothing answers, says how old it is, and goes on by itself", async ({
    openPage,
  }) => {
    const api = await start({ agents: [anAgentView()] });
    const page = await openPage(api.url, { expected: [/Failed to load resource|ERR_/] });
    await page.getByRole("link", { name: "support" }).waitFor();
    api.interrupt();
    await page.getByText(/Omnia does not answer\. This is what it said \d+ s ago\./).waitFor();
    await page.getByText("reconnecting").waitFor();
    expect(await page.getByRole("link", { name: "support" }).count()).toBe(1);
    await expectAccessible(page);
    await api.change({ agents: [anAgentView({ phase: "Failed" })] });
    api.resume();
    await page.getByText("live", { exact: true }).waitFor();
    await page.getByRole("cell", { name: "Failed" }).waitFor();
    expect(await page.getByText("Omnia does not answer").count()).toBe(0);
  });

  it("asks for a token where one is wanted, and goes on with it in place", async ({ openPage }) => {
    const api = await start({ agents: [anAgentView()], token: "the-token" });
    const page = await openPage(api.url, { expected: [/401/] });
    await page.evaluate("globalThis.isSamePage = true");
    await page.getByText("You are signed out. Paste a token to go on.").waitFor();
    await expectAccessible(page);
    await page.getByLabel("You are signed out. Paste a token to go on.").fill("the-token");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "support" }).waitFor();
    expect(await page.evaluate("globalThis.isSamePage")).toBe(true);
    expect(await page.context().cookies()).toEqual([]);
    expect(await page.evaluate("localStorage.length")).toBe(0);
  });

  it("takes a token from the address, where it does not stay", async ({ openPage }) => {
    const api = await start({ agents: [anAgentView()], token: "the-token" });
    const page = await openPage(`${api.url}/?q=sup#token=the-token`);
    await page.getByRole("link", { name: "support" }).waitFor();
    expect(page.url()).toBe(`${api.url}/?q=sup`);
    await page.reload();
    await page.getByRole("link", { name: "support" }).waitFor();
  });

  it("signs in by the code of omnia console, and learns no token of the cluster", async ({
    openPage,
  }) => {
    const api = await start({ agents: [anAgentView()], token: "the-token" });
    let secrets = 0;
    const signIns = new SignIns({
      nowMs: () => 0,
      newSecret: () => `secret-${(secrets += 1)}`,
    });
    await using forwarded = await startForwardedConsole({
      port: 0,
      connect: async () => connect(Number(new URL(api.url).port), "127.0.0.1"),
      token: async () => "the-token",
      signIns,
      onRefusedCode: () => {},
    });
    const { url } = forwarded;
    const code = signIns.newCode();
    const page = await openPage(`${url}/#code=${code}`, { expected: [/401/] });
    await page.getByRole("link", { name: "support" }).waitFor();
    expect(page.url()).toBe(`${url}/`);
    expect(await page.evaluate("JSON.stringify(sessionStorage)")).not.toContain("the-token");
    await page.reload();
    await page.getByRole("link", { name: "support" }).waitFor();
    await page.evaluate("sessionStorage.clear()");
    await page.goto(`${url}/packs#code=${code}`);
    await page.getByText("You are signed out. Paste a token to go on.").waitFor();
  });

  it("does not ask for what nobody sees", async ({ openPage }) => {
    const api = await start({ agents: [anAgentView()] });
    const page = await openPage(api.url);
    await page.getByRole("link", { name: "support" }).waitFor();
    expect(api.watchers).toBe(1);
    await page.evaluate(`(() => {
      Object.defineProperty(document, "visibilityState", { configurable: true, value: "hidden" });
      document.dispatchEvent(new Event("visibilitychange"));
    })()`);
    await expect.poll(() => api.watchers).toBe(0);
    await api.change({ agents: [anAgentView({ name: "other" })] });
    await page.evaluate(`(() => {
      Object.defineProperty(document, "visibilityState", { configurable: true, value: "visible" });
      document.dispatchEvent(new Event("visibilitychange"));
    })()`);
    await page.getByRole("link", { name: "other" }).waitFor();
  });
});

describe("the sessions of an agent", () => {
  it("are a list of which only what can be seen is made, however many there are", async ({
    openPage,
  }) => {
    const api = await start({ details: [anAgentDetail({ name: "a" })] });
    const page = await openPage();
    const pageSize = 50;
    await page.route(/\/api\/.*\/sessions\?/, async (route) => {
      const after = Number(new URL(route.request().url()).searchParams.get("after") ?? "0");
      const items = Array.from({ length: pageSize }, (_, index) =>
        aSessionView({ id: `session-${after + index}`, title: `Question ${after + index}` }),
      );
      const next = after + pageSize;
      await route.fulfill({
        json: next < MANY_SESSIONS ? { items, next: String(next) } : { items },
      });
    });
    await page.goto(`${api.url}/agents/default/a/sessions`);
    await page.getByRole("link", { name: "Question 0 " }).waitFor();
    const stopMeasuring = await measureTasks(page);
    const work = await scrollDown(page, STEP_PIXELS, 100);
    const ofProcessor = await stopMeasuring();
    expect(work.most).toBeLessThanOrEqual(MAX_ROWS);
    expect(work.last).toBeGreaterThan(2 * pageSize);
    expect(work.made).toBeLessThanOrEqual(work.last + MAX_ROWS);
    expect(work.changed).toBe(0);
    process.stdout.write(
      `sessions: the longest task while scrolling took ${Math.round(ofProcessor)} ms of the processor; ${work.most} rows at most\n`,
    );
  });

  it("are looked through to the end for those of a state, though none is among the first", async ({
    openPage,
  }) => {
    const api = await start({ details: [anAgentDetail({ name: "a" })] });
    const page = await openPage();
    const last = 4;
    await page.route(/\/api\/.*\/sessions\?/, async (route) => {
      const after = Number(new URL(route.request().url()).searchParams.get("after") ?? "0");
      const found = aSessionView({ id: "rare", title: "A rare one", state: "failed" });
      const isLast = after === last;
      await route.fulfill({
        json: isLast ? { items: [found] } : { items: [], next: String(after + 1) },
      });
    });
    await page.goto(`${api.url}/agents/default/a/sessions?state=failed`);
    await page.getByRole("link", { name: /A rare one/ }).waitFor();
    expect(await page.getByText("No session is like that.").count()).toBe(0);
  });
});

describe("what others wrote", () => {
  const HOSTILE =
    '"><img src=x onerror=alert(1)><script>alert(2)</script><svg onload=alert(3)>{{constructor.constructor("alert(4)")()}}javascript:alert(5)';
  const explain = { ...NO_SECRET, summary: HOSTILE, cause: HOSTILE, cure: HOSTILE, docs: HOSTILE };
  const content: FixtureContent = {
    details: [
      anAgentDetail({
        name: "a",
        model: HOSTILE,
        explain,
        manifest: `# ${HOSTILE}`,
        wsUrl: `ws://localhost/ws?agent=${HOSTILE}`,
        suggestions: [HOSTILE],
        pack: { name: HOSTILE, version: HOSTILE, canary: { version: HOSTILE, weight: 10 } },
        conditions: [{ type: HOSTILE, status: "False", reason: HOSTILE, message: HOSTILE }],
        events: [{ at: HOSTILE, count: 2, type: "Warning", reason: HOSTILE, message: HOSTILE }],
        replicas: [
          { name: HOSTILE, ready: false, phase: HOSTILE, restarts: 3, lastWords: HOSTILE },
        ],
      }),
    ],
    agents: [anAgentView({ name: HOSTILE, namespace: HOSTILE, phase: HOSTILE })],
    packs: [
      aPackDetail({
        name: "a",
        explain,
        versions: [
          { hash: "a", version: HOSTILE, state: "active", agents: [HOSTILE] },
          { hash: "b", state: "kept", keptAt: HOSTILE, agents: ["javascript:/alert(1)"] },
        ],
      }),
    ],
    documents: [
      aPackDocument({ hash: "a", document: { prompts: { [HOSTILE]: HOSTILE } } }),
      aPackDocument({ hash: "b", document: { prompts: [], [HOSTILE]: { __proto__: HOSTILE } } }),
    ],
    registries: [
      aRegistryDetail({
        name: "a",
        explain,
        tools: [
          aToolView({
            name: "a",
            description: HOSTILE,
            address: HOSTILE,
            message: HOSTILE,
            reason: HOSTILE,
            available: false,
            agents: ["default/a"],
            inputSchema: {
              type: "object",
              title: HOSTILE,
              properties: { [HOSTILE]: { type: "string", description: HOSTILE, enum: [HOSTILE] } },
            },
          }),
        ],
      }),
    ],
    call: () => ({ result: { [HOSTILE]: HOSTILE }, ms: 1, replica: HOSTILE }),
  };

  it("is shown as it is written, and runs nowhere", async ({ openPage }) => {
    const api = await start(content);
    const page = await openPage();
    const places = [
      "/",
      "/agents/default/a/status",
      "/agents/default/a/connect",
      "/agents/default/a/manifest",
      "/packs",
      "/packs/default/a?a=a&b=b",
      "/tools",
      "/tools/default/a?tool=a",
      `/?q=${encodeURIComponent(HOSTILE)}`,
      `/tools/default/a?tool=${encodeURIComponent(HOSTILE)}`,
    ];
    for (const place of places) {
      await page.goto(`${api.url}${place}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await expect.poll(() => page.getByText("Loading …").count()).toBe(0);
      // Nothing of it became an element: the pictures of the page are all its own.
      expect(await page.locator("img, iframe, object, main script").count()).toBe(0);
    }
    await page.goto(`${api.url}/tools/default/a?tool=a`);
    await page.getByRole("button", { name: "Call a" }).click();
    await page.getByRole("group", { name: "Result" }).waitFor();
    expect(await page.getByRole("group", { name: "Result" }).innerText()).toContain("<script>");
    await page.keyboard.press("ControlOrMeta+k");
    await page.keyboard.type("img");
    await page.getByRole("listbox").getByRole("option").first().waitFor();
    expect(await page.locator("img").count()).toBe(0);
  });
});

describe("a tool that may change things", () => {
  it("is called only after its name was typed, and a call is copied without the token", async ({
    openPage,
  }) => {
    const calls: string[] = [];
    const api = await start({
      agents: [anAgentView()],
      registries: [aRegistryDetail()],
      token: "the-token",
      call: (tool) => {
        calls.push(tool);
        return { error: "There is no such order.", ms: 3_400, replica: "support-0" };
      },
    });
    const page = await openPage(`${api.url}/tools/default/shop?tool=refund#token=the-token`, {
      permissions: ["clipboard-read", "clipboard-write"],
      viewport: { width: 390, height: 800 },
    });
    await page.getByRole("textbox", { name: /^city/ }).fill("Berlin");
    const call = page.getByRole("button", { name: "Call refund" });
    expect(await call.isDisabled()).toBe(true);
    await page.getByRole("textbox", { name: /^city/ }).press("Enter");
    await page.getByLabel(/Type its name/).fill("refund");
    await call.click();
    await page.getByText("There is no such order.").waitFor();
    await page.getByText("3.4 s · by support-0").waitFor();
    expect(calls).toEqual(["refund"]);
    await expectAccessible(page);
    await page.getByRole("button", { name: "Copy as curl" }).click();
    await page.getByText("Copied", { exact: true }).waitFor();
    const copied = await page.evaluate<string>("navigator.clipboard.readText()");
    expect(copied).toContain("/api/v1alpha1/agents/default/support/tools/refund/call");
    expect(copied).toContain("$OMNIA_TOKEN");
    expect(copied).not.toContain("the-token");
  });
});

describe("an address", () => {
  it("of something that is not there says so", async ({ openPage }) => {
    const api = await start({ agents: [anAgentView()] });
    const page = await openPage(undefined, { expected: [/404/] });
    for (const place of [
      "/agents/default/nobody/status",
      "/packs/default/none",
      "/tools/default/none",
    ]) {
      await page.goto(`${api.url}${place}`);
      await page.getByText("There is no such thing here.").waitFor();
      await expectAccessible(page);
    }
  });
});

describe("the status of an agent", () => {
  it("tells its budget and what is used of the day, and nothing where there is none", async ({
    openPage,
  }) => {
    const budget = { maxTokensPerSession: 9_000, maxTokensPerDay: 50_000, tokensToday: 12_345 };
    const api = await start({ details: [anAgentDetail({ budget })] });
    const page = await openPage(`${api.url}/agents/default/support/status`);
    const section = page.getByRole("region", { name: "Budget" });
    await section.getByText("12,345 tokens").waitFor();
    const facts = await section.locator("dl > div").allInnerTexts();
    expect(facts.map((text) => text.replaceAll(/\s+/g, " "))).toEqual([
      "A session 9,000 tokens",
      "A day 50,000 tokens",
      "Used today (UTC) 12,345 tokens",
    ]);
    expect(await section.getByText("Spent").count()).toBe(0);
    await expectAccessible(page);
    await api.change({ details: [anAgentDetail({ budget: { ...budget, tokensToday: 50_001 } })] });
    await section.getByText("No turn begins before the next midnight UTC.").waitFor();
    await expectAccessible(page);
    await api.change({ details: [anAgentDetail()] });
    await section.waitFor({ state: "detached" });
  });
});

describe("a canary", () => {
  it("is shown as it was wanted beside what was seen", async ({ openPage }) => {
    const api = await start({
      packs: [aPackDetail()],
      documents: [aPackDocument(), aPackDocument({ hash: "bbbbbbbbbbbb" })],
    });
    const page = await openPage(`${api.url}/packs/default/support-pack`);
    const row = page.getByRole("row", { name: /^1\.3\.0 canary/ });
    await row.waitFor();
    expect((await row.getByRole("cell").allInnerTexts()).map((text) => text.trim())).toEqual([
      "10 %",
      "12 %",
      "12",
      "40",
      "5.0 %",
      "310 ms",
    ]);
    await expectAccessible(page);
  });
});

describe("the theme", () => {
  it("is the device's until another is chosen, which stays", async ({ openPage }) => {
    const api = await start({});
    const page = await openPage(api.url, { colorScheme: "dark" });
    const background = (): Promise<string> =>
      page.evaluate<string>("getComputedStyle(document.documentElement).backgroundColor");
    await page.getByRole("heading", { level: 1 }).waitFor();
    const dark = await background();
    await page.getByRole("button", { name: "Theme: as the device" }).click();
    await page.getByRole("button", { name: "Theme: light" }).waitFor();
    expect(await background()).not.toBe(dark);
    await page.reload();
    await page.getByRole("button", { name: "Theme: light" }).click();
    await page.getByRole("button", { name: "Theme: dark" }).waitFor();
    expect(await background()).toBe(dark);
  });
});
