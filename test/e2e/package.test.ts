/** What users get: the launcher of a checkout, the bundle, the npm package. */
import { execFile } from "node:child_process";
import {
  chmod,
  copyFile,
  cp,
  mkdir,
  readdir,
  readFile,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { aPackText } from "../support/builders/a-pack.ts";
import { importsOf, programFiles } from "../support/documents/source-modules.ts";
import { OmniaProcess, type OmniaResult } from "../support/processes/omnia-process.ts";
import { OmniaUp, ROOT } from "./omnia-up.ts";
import { folderForAllTests } from "../support/builders/fixtures.ts";

const MAX_IDLE_MEGABYTES = 90;

const folder = folderForAllTests();

async function run(
  command: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<OmniaResult> {
  const child = new OmniaProcess(command, options);
  child.endInput();
  return await child.ended;
}

describe("the launcher", () => {
  it("runs from another folder, through links", async () => {
    await symlink(join(ROOT, "omnia"), join(folder(), "direct"));
    await symlink("direct", join(folder(), "indirect"));
    const { code, out } = await run([join(folder(), "indirect"), "--version"], { cwd: folder() });
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as unknown,
    });
  });

  it("says what to run in a checkout that is not set up", async () => {
    const checkout = await emptyCheckout("not-set-up");
    const { code, err } = await run([join(checkout, "omnia"), "up"]);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/make setup/) as unknown });
  });

  it("says what to run when the only Node.js is too old", async () => {
    const checkout = await emptyCheckout("too-old");
    const bin = join(folder(), "old-bin");
    await mkdir(bin);
    // What the launcher asks of a Node.js is whether its version is one that does.
    await writeFile(join(bin, "node"), "#!/bin/sh\nexit 1\n");
    await chmod(join(bin, "node"), 0o755);
    const { code, err } = await run([join(checkout, "omnia"), "up"], {
      env: { PATH: `${bin}:/usr/bin:/bin` },
    });
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/24\.12 or later.*make setup/) as unknown,
    });
  });

  async function emptyCheckout(name: string): Promise<string> {
    const checkout = join(folder(), name);
    await mkdir(checkout);
    await copyFile(join(ROOT, "omnia"), join(checkout, "omnia"));
    return checkout;
  }
});

describe("the npm package", () => {
  it("holds the bundle, the examples and the licences, and nothing else", async () => {
    const { stdout } = await promisify(execFile)(
      "npm",
      ["pack", "--dry-run", "--json", "--ignore-scripts"],
      { cwd: ROOT },
    );
    const [packed] = Object.values(JSON.parse(stdout) as { files: { path: string }[] }[]);
    const paths = packed?.files.map(({ path }) => path) ?? [];
    for (const path of [
      "dist/omnia.js",
      "dist/THIRD_PARTY_LICENSES",
      "examples/quickstart/agent.yaml",
      "LICENSE",
      "README.md",
      "package.json",
    ]) {
      expect(paths).toContain(path);
    }
    expect(
      paths.filter(
        (path) =>
          !/^(dist\/(console\/(assets\/)?)?[\w.-]+|examples\/.+|LICENSE|README\.md|package\.json)$/.test(
            path,
          ),
      ),
    ).toEqual([]);
  });

  it("runs without the packages that it was built from", async () => {
    const installed = join(folder(), "installed");
    await cp(join(ROOT, "dist"), join(installed, "dist"), { recursive: true });
    await cp(join(ROOT, "examples"), join(installed, "examples"), { recursive: true });
    await copyFile(join(ROOT, "package.json"), join(installed, "package.json"));
    const program = join(installed, "dist/omnia.js");
    expect(
      await run([process.execPath, program, "validate", "-f", join(installed, "examples")]),
    ).toMatchObject({ code: 0, err: "" });
    expect((await run([process.execPath, program, "crds"])).out).toMatch(
      /kind: CustomResourceDefinition/,
    );

    await using up = new OmniaProcess(
      [process.execPath, program, "up", "--port", "0", "--no-open"],
      {
        env: { HOME: installed, OMNIA_DEMO_PAUSES: "off" },
      },
    );
    await up.shows(/Talk to it: omnia chat quickstart/);
    const chat = await run([process.execPath, program, "chat", "quickstart", "-m", "hello"], {
      env: { HOME: installed },
    });
    expect(chat).toMatchObject({ code: 0, err: "" });
  });

  it("carries the licence of everything that is bundled", async () => {
    const licenses = await readFile(join(ROOT, "dist/THIRD_PARTY_LICENSES"), "utf8");
    const imported = programFiles(ROOT).flatMap((file) => importsOf(file, ROOT));
    const packages = imported.filter(
      ({ kind, target }) => kind !== "type" && !/^(node:|src\/|package\.json)/.test(target),
    );
    expect(packages.length).toBeGreaterThan(10);
    const missing = packages.filter(({ target }) => !licenses.includes(`${target} `));
    expect(missing).toEqual([]);
    expect(licenses).not.toMatch(/\(see below\)/);
  });

  it("has the thread in which an operator reads large packs", async () => {
    const thread = new Worker(join(ROOT, "dist/pack-thread.js"));
    try {
      const answer = once(thread, "message");
      // oxlint-disable-next-line require-post-message-target-origin -- this is a thread, and no window
      thread.postMessage(aPackText());
      expect(await answer).toMatchObject([{ ok: true, pack: { id: "customer-service" } }]);
    } finally {
      await thread.terminate();
    }
    expect(await chunksWith("./pack-thread.js")).toHaveLength(1);
  });

  it("has the thread in which omnia up reads large manifests", async () => {
    const text = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n";
    const thread = new Worker(join(ROOT, "dist/manifest-thread.js"));
    try {
      const answer = once(thread, "message");
      // oxlint-disable-next-line require-post-message-target-origin -- this is a thread, and no window
      thread.postMessage({ text, file: "a.yaml" });
      expect(await answer).toMatchObject([
        { resources: [{ resource: { name: "a" } }], problems: [] },
      ]);
    } finally {
      await thread.terminate();
    }
    expect(await chunksWith("./manifest-thread.js")).toHaveLength(1);
  });

  it("has the thread in which control planes read large OpenAPI documents", async () => {
    const thread = new Worker(join(ROOT, "dist/document-thread.js"));
    try {
      const answer = once(thread, "message");
      const options = { url: "https://a.example/b", allowedAddresses: [], hasCredential: false };
      const text = "openapi: 3.1.0\npaths: {/x: {get: {operationId: find}}}\n";
      // oxlint-disable-next-line require-post-message-target-origin -- this is a thread, and no window
      thread.postMessage({ text, options });
      expect(await answer).toMatchObject([{ state: "read", tools: [{ name: "find" }] }]);
    } finally {
      await thread.terminate();
    }
    expect(await chunksWith("./document-thread.js")).toHaveLength(1);
  });

  it("keeps Kubernetes, providers and Redis in chunks of their own", async () => {
    const dist = join(ROOT, "dist");
    const chunks = new Map<string, string>();
    for (const file of await readdir(dist)) {
      if (file.endsWith(".js")) chunks.set(file, await readFile(join(dist, file), "utf8"));
    }
    const [startAgent = ""] = [...chunks.keys()].filter((file) => file.startsWith("start-agent-"));
    const loaded = loadedWith(chunks, ["omnia.js", startAgent]);
    const withAgent = [...loaded].map((file) => chunks.get(file)).join("\n");
    const all = [...chunks.values()].join("\n");
    const holds = (text: string, marks: readonly string[]): boolean[] =>
      marks.map((mark) => text.includes(mark));
    expect(holds(withAgent, ["omnia_agent_connections_active"])).toEqual([true]);
    // The last one is a class of characters of the engine of patterns.
    const lazy = [
      "kubeconfig",
      "anthropic-version",
      "x-goog-api-key",
      "api.openai.com",
      "XREAD",
      "[:xdigit:]",
    ];
    expect(holds(all, lazy)).toEqual(lazy.map(() => true));
    expect(holds(withAgent, lazy)).toEqual(lazy.map(() => false));
  });
});

/** The chunks of the bundle that hold `text`. */
async function chunksWith(text: string): Promise<string[]> {
  const files = await readdir(join(ROOT, "dist"));
  const chunks = await Promise.all(
    files
      .filter((name) => name.endsWith(".js"))
      .map((name) => readFile(join(ROOT, "dist", name), "utf8")),
  );
  return chunks.filter((chunk) => chunk.includes(text));
}

/** Everything that is imported from these on, save dynamically. */
function loadedWith(chunks: ReadonlyMap<string, string>, entries: readonly string[]): Set<string> {
  const loaded = new Set<string>();
  const waiting = [...entries];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (loaded.has(file)) continue;
    loaded.add(file);
    for (const [, name = ""] of (chunks.get(file) ?? "").matchAll(/(?:from|import)"\.\/([^"]+)"/g))
      waiting.push(name);
  }
  return loaded;
}

describe("an idle agent", () => {
  it.each(["echo", "anthropic"])(`stays under ${MAX_IDLE_MEGABYTES} MB (%s)`, async (agent) => {
    await using up = await OmniaUp.start({
      files: [join(ROOT, "examples", agent)],
      env: { ANTHROPIC_API_KEY: "no-key" },
    });
    await up.runs(agent);
    const client = await up.connect(agent);
    expect(await client.next()).toMatchObject({ type: "connected" });
    const [pid = 0] = await up.replicaPids();
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
    expect(kilobytes / 1024).toBeLessThan(MAX_IDLE_MEGABYTES);
  });
});
