/** The browser that the other tests use: what it notes, and what it cannot reach. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished } from "vitest";
import { expectAccessible } from "../support/browser/accessible.ts";
import { it } from "../support/browser/it.ts";
import { recordLongTasks } from "../support/browser/long-tasks.ts";
import { WatchedContext, type PageOptions } from "../support/browser/watched-context.ts";
import type { Browser } from "playwright-core";

const STRICT =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; require-trusted-types-for 'script'; trusted-types omnia";

/** Serves one page, and `/script.js`, on a free port of loopback. */
async function serve(html: string, script = ""): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url === "/favicon.ico") return void response.writeHead(204).end();
    const isScript = request.url === "/script.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html; charset=utf-8");
    response.setHeader("content-security-policy", STRICT);
    response.end(isScript ? script : html);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const page = (body: string): string =>
  `<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1>${body}</main></html>`;

async function open(browser: Browser, url: string, options?: PageOptions) {
  const context = await WatchedContext.open(browser, options);
  onTestFinished(() => context.close("watched"));
  const page = await context.openPage();
  await page.goto(url);
  return { page, context };
}

/** Waits, because the browser tells of some of them a moment later. */
async function problemsOf(context: WatchedContext, count = 1): Promise<string> {
  await expect.poll(() => context.problems.length).toBeGreaterThanOrEqual(count);
  return context.problems.join("\n");
}

describe("a page in the browser of the tests", () => {
  it("is shown, evaluated and judged under a strict policy and trusted types", async ({
    openPage,
  }) => {
    const url = await serve(
      page('<p id="text">…</p><script src="/script.js"></script>'),
      'document.querySelector("#text").textContent = "It runs.";',
    );
    const shown = await openPage(url);
    await shown.getByText("It runs.").waitFor();
    expect(await shown.evaluate("1 + 1")).toBe(2);
    await expectAccessible(shown);
  });

  it("is noted when its script throws, rejects, or writes an error", async ({ browser }) => {
    const url = await serve(
      page('<script src="/script.js"></script>'),
      'console.error("bad"); Promise.reject(new Error("refused")); throw new Error("thrown");',
    );
    const { context } = await open(browser, url);
    const problems = await problemsOf(context, 3);
    for (const part of ["bad", "refused", "thrown"]) expect(problems).toContain(part);
  });

  it.for([
    ["an inline script", "<script>1</script>", ""],
    ["an inline style", '<p style="color: red">red</p>', ""],
    ["a picture from elsewhere", '<img src="http://127.0.0.1:1/a.png" alt="">', ""],
    [
      "markup as text",
      '<script src="/script.js"></script>',
      'document.body.innerHTML = "<b>x</b>";',
    ],
  ] as const)("is noted when its policy forbids %s", async ([, body, script], { browser }) => {
    const { context } = await open(browser, await serve(page(body), script));
    expect(await problemsOf(context)).toMatch(/policy|TrustedHTML/);
  });

  it("is noted when it asks another machine, which does not hear of it", async ({ browser }) => {
    const { context } = await open(
      browser,
      await serve(page('<script src="/script.js"></script>'), 'open("http://example.com/x");'),
    );
    expect(await problemsOf(context)).toContain(
      "a request to another machine: http://example.com/x",
    );
    const { page: away } = await open(browser, await serve(page("")));
    await expect(away.goto("http://192.0.2.1/")).rejects.toThrow("ERR_NAME_NOT_RESOLVED");
  });

  it("is noted when it opens a dialog", async ({ browser }) => {
    const url = await serve(page('<script src="/script.js"></script>'), 'alert("boo");');
    const { context } = await open(browser, url);
    expect(await problemsOf(context)).toBe("a dialog opened: boo");
  });

  it("may do what the test expects of it", async ({ openPage }) => {
    const url = await serve(page('<script src="/script.js"></script>'), 'console.error("bad");');
    await openPage(url, { expected: [/bad/] });
  });

  it("shares nothing with other pages", async ({ openPage }) => {
    const url = await serve(page(""));
    const first = await openPage(url);
    await first.evaluate('localStorage.setItem("key", "value")');
    const second = await openPage(url);
    expect(await second.evaluate('localStorage.getItem("key")')).toBeNull();
  });

  it("is not accessible with an unnamed button", async ({ openPage }) => {
    const shown = await openPage(await serve(page("<button></button>")));
    await expect(expectAccessible(shown)).rejects.toThrow("button-name");
  });

  it("tells what kept it from answering", async ({ openPage }) => {
    const shown = await openPage(await serve(page("")));
    const quiet = await recordLongTasks(shown);
    expect(await quiet.stop()).toEqual([]);
    const busy = await recordLongTasks(shown);
    await shown.evaluate(
      "new Promise((resolve) => setTimeout(() => { const end = performance.now() + 200; while (performance.now() < end); resolve(); }, 10))",
    );
    const tasks = await busy.stop();
    expect(tasks.length).toBe(1);
    expect(tasks[0]?.durationMs).toBeGreaterThanOrEqual(190);
  });
});
