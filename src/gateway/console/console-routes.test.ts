import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { chooseEncoding } from "./answer-file.ts";
import { findConsoleFiles } from "./console-files.ts";
import { CONSOLE_POLICY, consoleRoutes } from "./console-routes.ts";

const PAGE = { accept: "text/html,*/*;q=0.8" };
const PAGE_TEXT = "<!doctype html><title>Omnia</title>";

/** A built console with one script, which is there compressed too, below a folder with a secret. */
async function startConsole() {
  const root = await mkdtemp(join(tmpdir(), "omnia-console-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const assets = join(root, "dist/console/assets");
  await mkdir(assets, { recursive: true });
  const files = {
    "secret.js": "secret",
    "dist/console/manifest.json": "{}",
    "dist/console/index.html": PAGE_TEXT,
    "dist/console/assets/main-abc.js": "plain",
    "dist/console/assets/main-abc.js.br": "br",
    "dist/console/assets/main-abc.js.gz": "gzip",
    "dist/console/assets/main-abc.css": "css",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text);
  const found = await findConsoleFiles(join(root, "dist"));
  if (found === undefined) throw new Error("no console was found");
  return { app: consoleRoutes(found), root };
}

describe("the console at the gateway", () => {
  it.each([
    "/",
    "/?q=x&ns=default",
    "/packs",
    "/packs/",
    "/packs/default/support",
    "/tools",
    "/tools/default/weather",
    "/agents/default/bot",
    "/agents/default/bot/",
    "/agents/default/bot/sessions",
    "/agents/default/bot/sessions/0a1b",
    "/agents/default/bot/status",
    "/agents/default/bot/connect",
    "/agents/default/bot/manifest",
    "/agents/%3Cscript%3E/%22onload",
  ])("shows the page at %s", async (path) => {
    const { app } = await startConsole();
    const response = await app.request(path, { headers: PAGE });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(PAGE_TEXT);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": CONSOLE_POLICY,
      "cache-control": "no-cache",
      "cross-origin-opener-policy": "same-origin",
    });
    expect(response.headers.get("set-cookie")).toBeNull();
  });

  it.each([
    "/agents",
    "/agents/default",
    "/agents/default/bot/ws",
    "/agents/default/bot/other",
    "/agents/a/b/sessions/c/d",
    "/pack",
    "/packs/a",
    "/packs/a/b/c",
    "/index.html",
    "/manifest.json",
    "/assets",
    "/assets/",
    "/assets/nothing.js",
    "/assets/main-abc.js.br",
    "/assets/../index.html",
    "/assets/..%2f..%2f..%2fsecret.js",
    "/assets/%2e%2e/%2e%2e/secret.js",
    "/assets/main-abc.js%00",
    "/assets/__proto__",
    "/healthz",
    "/ws",
    "/api/v1alpha1/agents",
  ])("leaves %s to others", async (path) => {
    const { app } = await startConsole();
    expect((await app.request(path, { headers: PAGE })).status).toBe(404);
  });

  it("leaves / to others where no page is asked for, and says what the answer depends on", async () => {
    const { app } = await startConsole();
    expect((await app.request("/", { headers: { accept: "*/*" } })).status).toBe(404);
    expect((await app.request("/")).status).toBe(404);
    const page = await app.request("/", { headers: PAGE });
    expect(page.headers.get("vary")).toBe("accept, accept-encoding");
  });

  it.each([
    ["br, gzip", "br"],
    ["gzip", "gzip"],
    ["", "plain"],
  ])("sends a file in the encoding that is accepted: %j", async (accepted, text) => {
    const { app } = await startConsole();
    const headers = { "accept-encoding": accepted };
    const response = await app.request("/assets/main-abc.js", { headers });
    expect(await response.text()).toBe(text);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "public, max-age=31536000, immutable",
      "content-length": String(text.length),
      vary: "accept-encoding",
    });
    expect(response.headers.get("content-encoding")).toBe(text === "plain" ? null : text);
  });

  it("answers HEAD as GET, without the content", async () => {
    const { app } = await startConsole();
    const response = await app.request("/assets/main-abc.css", { method: "HEAD" });
    expect([response.status, response.headers.get("content-length")]).toEqual([200, "3"]);
    expect(await response.text()).toBe("");
  });

  it("does not send again what the browser has, encoding for encoding", async () => {
    const { app } = await startConsole();
    const ask = async (path: string, headers: Record<string, string>) =>
      await app.request(path, { headers: { ...PAGE, ...headers } });
    for (const path of ["/", "/assets/main-abc.js"]) {
      const tag = (await ask(path, {})).headers.get("etag") ?? "";
      const again = await ask(path, { "if-none-match": `"other", W/${tag}` });
      expect([again.status, await again.text()]).toEqual([304, ""]);
      expect(again.headers.get("etag")).toBe(tag);
      expect((await ask(path, { "if-none-match": '"other"' })).status).toBe(200);
    }
    const compressed = await ask("/assets/main-abc.js", { "accept-encoding": "br" });
    const other = { "if-none-match": compressed.headers.get("etag") ?? "" };
    expect((await ask("/assets/main-abc.js", other)).status).toBe(200);
  });

  it("is not there where it was not built, though its sources are", async () => {
    const { root } = await startConsole();
    await rm(join(root, "dist/console/manifest.json"));
    expect(await findConsoleFiles(join(root, "dist"))).toBeUndefined();
  });
});

describe("the encoding of an answer", () => {
  it.each([
    ["gzip, deflate, br, zstd", "br"],
    ["gzip;q=1.0, br;q=0", "gzip"],
    ["*", "br"],
    ["*;q=0", undefined],
    ["br;q=0, *", "gzip"],
    ["BR", "br"],
    ["identity", undefined],
    [undefined, undefined],
    ["br;q=nonsense", undefined],
  ])("for %j is %s", (accepted, encoding) => {
    expect(chooseEncoding(accepted, ["br", "gzip"])).toBe(encoding);
  });
});
