/** Agents, packs and tools in the console, before a real `omnia up`. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { OmniaUp, Manifests } from "../../e2e/omnia-up.ts";
import { expectAccessible } from "../../support/browser/accessible.ts";
import { it as inBrowser } from "../../support/browser/it.ts";

const PACK = (version: string, template: string): string =>
  JSON.stringify({
    id: "support",
    name: "Support",
    version,
    template_engine: { version: "v1", syntax: "{{variable}}" },
    prompts: {
      default: { id: "default", name: "Default", version, system_template: template },
    },
  });

const manifest = (...documents: object[]): string =>
  documents.map((document) => JSON.stringify(document)).join("\n---\n");

const packFile = (version: string, template: string): string =>
  manifest(
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "support" },
      data: { "promptpack.json": PACK(version, template) },
    },
    {
      apiVersion: "omnia.altairalabs.ai/v1alpha1",
      kind: "PromptPack",
      metadata: { name: "support" },
      spec: { source: { configMapRef: { name: "support" } } },
    },
  );

const agentFile = (tools: string): string =>
  manifest(
    {
      apiVersion: "omnia.altairalabs.ai/v1alpha1",
      kind: "AgentRuntime",
      metadata: { name: "hello" },
      spec: { facade: { type: "websocket", handler: "demo" } },
    },
    {
      apiVersion: "omnia.altairalabs.ai/v1alpha1",
      kind: "AgentRuntime",
      metadata: { name: "support" },
      spec: {
        provider: {
          name: "openai",
          model: "a-model",
          apiKeySecretRef: { name: "openai", key: "api-key" },
        },
        promptPackRef: { name: "support" },
        toolRegistryRef: { name: "shop" },
        facade: { type: "websocket" },
      },
    },
    {
      apiVersion: "omnia.altairalabs.ai/v1alpha1",
      kind: "ToolRegistry",
      metadata: { name: "shop" },
      spec: {
        tools: [
          {
            name: "stock",
            type: "http",
            url: `${tools}/stock`,
            description: "Counts what is there.",
            inputSchema: {
              type: "object",
              required: ["article"],
              properties: { article: { type: "string" }, warehouse: { type: "integer" } },
            },
          },
        ],
      },
    },
  );

const SECRET = manifest({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "openai" },
  stringData: { "api-key": "sk-a-key-for-tests" },
});

/** One `omnia up` for the file: an agent that answers, one whose key is missing, a pack, and a registry with a real tool. */
// Vitest reads from the pattern that nothing is needed before.
// oxlint-disable-next-line no-empty-pattern
const it = inBrowser.extend("up", { scope: "file" }, async ({}, { onCleanup }) => {
  const owned = new AsyncDisposableStack();
  onCleanup(() => owned.disposeAsync());
  const calls: string[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (data) => (text += String(data)));
    request.on("end", () => {
      if (text !== "") calls.push(text);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ left: 7, asked: text }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  owned.defer(() => void server.close());
  const folder = await mkdtemp(join(tmpdir(), "omnia-console-"));
  owned.defer(() => rm(folder, { recursive: true }));
  const manifests = Manifests.in(folder);
  const tools = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await manifests.write("agents.yaml", agentFile(tools));
  await manifests.write("pack.yaml", packFile("1.0.0", "You help.\nBe short."));
  const up = owned.use(await OmniaUp.start({ files: [folder] }));
  await up.runs("hello");
  return { url: up.url, runs: (agent: string) => up.runs(agent), manifests, calls };
});

/** The page has given an agent up that it has not tried to reach for this long. */
const GIVEN_UP_MS = 6_000;

const PLACES = [
  "/",
  "/agents/default/support/status",
  "/agents/default/support/connect",
  "/agents/default/support/manifest",
  "/packs",
  "/packs/default/support",
  "/tools",
  "/tools/default/shop?tool=stock",
];

describe("the console", () => {
  it("is what a browser gets at every address, and a program gets text", async ({ up }) => {
    const page = await fetch(`${up.url}/tools/default/shop`, { headers: { accept: "text/html" } });
    expect(page.headers.get("content-security-policy")).toContain("trusted-types omnia");
    expect(page.headers.getSetCookie()).toEqual([]);
    expect(await (await fetch(up.url)).text()).toMatch(/^Omnia runs here/);
  });

  it("shows every place by its address, for everybody, on a large and on a small screen", async ({
    up,
    openPage,
  }) => {
    for (const [width, colorScheme] of [
      [1280, "light"],
      [390, "dark"],
    ] as const) {
      const page = await openPage(undefined, { viewport: { width, height: 800 }, colorScheme });
      for (const place of PLACES) {
        await page.goto(`${up.url}${place}`);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.getByText("live", { exact: true }).waitFor();
        await expect.poll(() => page.getByText("Loading …").count()).toBe(0);
        await expectAccessible(page);
        const overflow = await page.evaluate<number>(
          "document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        expect(`${place} overflows by ${overflow}`).toBe(`${place} overflows by 0`);
      }
    }
  });

  it("says what is wrong with an agent before all others, and turns green without a reload once the cure is applied", async ({
    up,
    openPage,
  }) => {
    const page = await openPage(up.url, {
      permissions: ["clipboard-read", "clipboard-write"],
      // The first of an agent's pages is its chat, which tries to connect.
      expected: [/Unexpected response code: 503/],
    });
    await page.evaluate("globalThis.isSamePage = true");
    const row = page.getByRole("row").nth(1);
    await row.getByText(/^Secret "openai" is not there/).waitFor();
    expect(await row.getByRole("link").innerText()).toBe("support");
    await row.getByRole("button", { name: "Copy the cure of support" }).click();
    await page.getByText("Copied", { exact: true }).waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toMatch(/Secret/);
    await row.getByRole("link", { name: "support" }).click();
    await page.getByRole("link", { name: "Status" }).click();
    await page.getByRole("region", { name: /What is wrong/ }).waitFor();
    const chain = page.getByRole("region", { name: "Conditions" }).getByRole("listitem");
    expect(await chain.first().innerText()).toMatch(/ProviderReady[\s\S]*SecretNotFound/);

    await up.manifests.write("secret.yaml", SECRET);
    await page.getByText("Everything is as its manifest wants it.").waitFor();
    await page.getByText("1/1 ready").waitFor();
    expect(await page.evaluate("globalThis.isSamePage")).toBe(true);
  });

  it("talks with an agent that could not start as soon as its cure is applied, without a reload", async ({
    up,
    openPage,
  }) => {
    await up.manifests.write(
      "late.yaml",
      manifest(
        {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "late" },
          stringData: { "api-key": "sk-a-key-for-tests" },
        },
        {
          apiVersion: "omnia.altairalabs.ai/v1alpha1",
          kind: "AgentRuntime",
          metadata: { name: "late" },
          spec: {
            provider: {
              name: "openai",
              model: "a-model",
              apiKeySecretRef: { name: "late", key: "api-key" },
            },
            promptPackRef: { name: "late" },
          },
        },
      ),
    );
    const page = await openPage(up.url, { expected: [/Unexpected response code: 503/, /404/] });
    let lastTryAt = Infinity;
    page.on("websocket", () => (lastTryAt = performance.now()));
    await page.getByRole("link", { name: "late", exact: true }).click();
    await page
      .getByText(/"late" is not there/)
      .first()
      .waitFor();
    await expect
      .poll(() => performance.now() - lastTryAt, { timeout: 60_000 })
      .toBeGreaterThan(GIVEN_UP_MS);
    expect(await page.getByText("There is no connection").count()).toBe(0);
    await up.manifests.write(
      "late-pack.yaml",
      packFile("1.0.0", "You help.").replaceAll('"name":"support"', '"name":"late"'),
    );
    await page.getByLabel("Your message").fill("help");
    const send = page.getByRole("button", { name: "Send" });
    await expect.poll(() => send.isEnabled(), { timeout: 60_000 }).toBe(true);
    expect(await page.getByText("There is no connection").count()).toBe(0);
  });

  it("calls a tool by hand: form and JSON are the same, and what nobody touched is left out", async ({
    up,
    openPage,
  }) => {
    await up.manifests.write("secret.yaml", SECRET);
    await up.runs("support");
    const page = await openPage(`${up.url}/tools/default/shop`);
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByRole("button", { name: "Call stock" }).click();
    await page.getByText("This is required.").waitFor();
    await page.getByRole("textbox", { name: /^article/ }).fill("shoes");
    await page.getByRole("button", { name: "Show as JSON" }).click();
    expect(await page.getByLabel("Arguments as JSON").inputValue()).toBe(
      '{\n  "article": "shoes"\n}',
    );
    await page.getByLabel("Arguments as JSON").fill('{"article": "boots", "warehouse": 2}');
    await page.getByRole("button", { name: "Show as form" }).click();
    expect(await page.getByLabel("warehouse", { exact: true }).inputValue()).toBe("2");
    await page.getByRole("button", { name: "Leave warehouse out" }).click();
    await page.getByRole("button", { name: "Call stock" }).click();
    await page.getByText("answered").waitFor();
    expect(await page.getByRole("group", { name: "Result" }).innerText()).toContain('"left": 7');
    expect(up.calls.map((call) => JSON.parse(call) as unknown)).toContainEqual({
      article: "boots",
    });
  });

  it("keeps the versions of a pack, and shows the difference of two of them prompt by prompt", async ({
    up,
    openPage,
  }) => {
    const page = await openPage(`${up.url}/packs/default/support`);
    await page.getByRole("cell", { name: "active" }).waitFor();
    await up.manifests.write("pack.yaml", packFile("1.1.0", "You help.\nBe friendly."));
    await page.getByRole("rowheader", { name: /^1\.1\.0/ }).waitFor();
    await page.getByLabel("Compare").selectOption({ label: "1.0.0 (kept)" });
    await page.getByText("Prompt default").waitFor();
    const difference = page.getByRole("group", { name: "Difference of: Prompt default" });
    expect(await difference.innerText()).toMatch(/−\s*Be short\.[\s\S]*\+\s*Be friendly\./);
    const address = page.url();
    expect(address).toMatch(/\?a=[0-9a-f]{12}&b=[0-9a-f]{12}$/);
    await page.reload();
    await difference.waitFor();
  });

  it("is used by the keyboard alone", async ({ up, openPage }) => {
    const page = await openPage(up.url);
    await page.getByRole("row").nth(2).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    const focused = (): Promise<string> =>
      page.evaluate<string>("document.activeElement.textContent");
    expect(await focused()).toBe(await page.getByRole("row").nth(1).getByRole("link").innerText());
    await page.keyboard.press("Enter");
    await page.getByRole("navigation", { name: /^Pages of/ }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("t");
    await page.getByRole("heading", { name: "Tools", level: 1 }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("gap");
    await page.getByText("No registry matches.").waitFor();
    await page.keyboard.press("ControlOrMeta+k");
    await page.keyboard.type("hello");
    await page.getByRole("option", { selected: true }).getByText("hello").waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "hello", level: 1 }).waitFor();
    // What is typed goes into the field of a conversation, if there is one.
    await page.getByRole("link", { name: "Status" }).focus();
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keys" });
    await help.waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
  });
});
