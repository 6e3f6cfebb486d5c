/** What the built console is made of: how much of it a first visit loads, and what may not be in it. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { importsOf, programFiles } from "../support/documents/source-modules.ts";
import { ROOT } from "./omnia-up.ts";

const CONSOLE = join(ROOT, "dist/console");
const ASSETS = join(CONSOLE, "assets");
const ENTRY = "index.html";
const MAX_FIRST_LOAD_KB = 200;
const MIN_COMPRESSED_BYTES = 1_024;

interface Part {
  file: string;
  imports?: string[];
  css?: string[];
  assets?: string[];
}

async function readManifest(): Promise<Record<string, Part>> {
  return JSON.parse(await readFile(join(CONSOLE, "manifest.json"), "utf8")) as Record<string, Part>;
}

/** The files that are loaded before a page is there: what the entry and the page import, and their styles. */
function filesOf(manifest: Readonly<Record<string, Part>>, pages: readonly string[]): Set<string> {
  const files = new Set<string>();
  const seen = new Set<string>();
  const waiting = [ENTRY, ...pages];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const part = manifest[name];
    if (part === undefined) throw new Error(`the console has no part ${name}`);
    for (const file of [part.file, ...(part.css ?? [])]) files.add(file);
    waiting.push(...(part.imports ?? []));
  }
  return files;
}

async function scripts(): Promise<{ name: string; text: string }[]> {
  const names = (await readdir(ASSETS)).filter((name) => name.endsWith(".js"));
  return await Promise.all(
    names.map(async (name) => ({ name, text: await readFile(join(ASSETS, name), "utf8") })),
  );
}

/** What of `text` matches, with a little around it. */
function found(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(({ index }) =>
    text.slice(Math.max(0, index - 40), index + 60),
  );
}

describe("the built console", () => {
  it.each([
    ["the agents", ["agents/agents-page.tsx"]],
    ["the address of a chat", ["agent/agent-frame.tsx", "chat/chat-page.tsx"]],
  ])(`loads for a first visit to %s at most ${MAX_FIRST_LOAD_KB} KB`, async (place, pages) => {
    const files = filesOf(await readManifest(), pages);
    let bytes = gzipSync(await readFile(join(CONSOLE, ENTRY))).byteLength;
    for (const file of files)
      bytes += gzipSync(await readFile(join(CONSOLE, file)), { level: 9 }).byteLength;
    process.stdout.write(
      `${place}: ${Math.round(bytes / 1024)} KB of the console in ${files.size} files\n`,
    );
    expect(bytes).toBeLessThanOrEqual(MAX_FIRST_LOAD_KB * 1024);
  });

  it("makes no code and no markup of texts", async () => {
    for (const { name, text } of await scripts()) {
      expect([name, found(text, /\bnew Function\b|\beval\(|\bdocument\.write/g)]).toEqual([
        name,
        [],
      ]);
      // React knows how to, and does it only for those who ask it to, which the linter forbids. A worker has no page.
      const mayName = text.includes("dangerouslySetInnerHTML") || name.includes("-worker-");
      const markup = found(text, /\.(innerHTML|outerHTML)\s*=|insertAdjacentHTML/g);
      expect([name, mayName ? [] : markup]).toEqual([name, []]);
    }
    const withReact = (await scripts()).filter(({ text }) =>
      text.includes("dangerouslySetInnerHTML"),
    );
    expect(withReact).toHaveLength(1);
  });

  it("names no address of another machine from which anything could be loaded", async () => {
    // Names of XML's kinds, and pages that errors of libraries refer people to.
    const known =
      /^https?:\/\/(www\.w3\.org|react\.dev|github\.com\/(facebook\/react|highlightjs)|tanstack\.com|localhost)\b/;
    const names = (await readdir(ASSETS)).filter((name) => /\.(js|css|svg)$/.test(name));
    for (const name of [...names.map((one) => `assets/${one}`), ENTRY]) {
      const text = await readFile(join(CONSOLE, name), "utf8");
      const addresses = [...text.matchAll(/\b(?:https?|wss?):\/\/[\w.-]+[^\s"'`)]*/g)];
      const foreign = addresses.map(([address]) => address).filter((one) => !known.test(one));
      expect([name, foreign]).toEqual([name, []]);
      const loaded = name.endsWith(".css") ? found(text, /@import|url\((?!["']?#)/g) : [];
      expect([name, loaded]).toEqual([name, []]);
    }
  });

  it("has each text compressed beside it, and nothing that its gateway does not know", async () => {
    const names = new Set(await readdir(ASSETS));
    const missing: string[] = [];
    for (const name of names) {
      expect(name).toMatch(/-[\w-]{8}\.(js|css|svg)(\.gz|\.br)?$/);
      const { byteLength } = await readFile(join(ASSETS, name));
      if (!/\.(js|css)$/.test(name) || byteLength < MIN_COMPRESSED_BYTES) continue;
      missing.push(...[`${name}.gz`, `${name}.br`].filter((one) => !names.has(one)));
    }
    expect(missing).toEqual([]);
    expect((await readdir(CONSOLE)).toSorted()).toEqual(
      expect.arrayContaining(["assets", "index.html", "manifest.json"]),
    );
  });

  it("is in the bill of the software, with every package that it imports", async () => {
    const bill = JSON.parse(await readFile(join(ROOT, "dist/sbom.cdx.json"), "utf8")) as {
      components: { "bom-ref": string }[];
    };
    const billed = new Set(bill.components.map((component) => component["bom-ref"]));
    const packages = programFiles(ROOT)
      .filter((file) => file.startsWith("src/console/"))
      .flatMap((file) => importsOf(file, ROOT))
      .filter(({ kind, target }) => kind !== "type" && !/^(node:|src\/|\.)/.test(target))
      .map(({ target }) => `node_modules/${target}`);
    expect(packages).toContain("node_modules/react");
    expect([...new Set(packages)].filter((one) => !billed.has(one))).toEqual([]);
  });
});
