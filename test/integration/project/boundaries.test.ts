import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ALLOWED, brokenHouseRules } from "../../support/documents/house-rules.ts";
import {
  importsOf,
  loadedWith,
  partOf,
  programFiles,
} from "../../support/documents/source-modules.ts";

const ROOT = join(import.meta.dirname, "../../..");

const KUBERNETES = "@kubernetes/client-node";
const PROVIDERS = ["@ai-sdk/openai", "@ai-sdk/anthropic", "@ai-sdk/google"];
const REDIS = "@redis/client";

const files = programFiles(ROOT);
const imports = files.flatMap((file) => importsOf(file, ROOT).map((found) => ({ file, ...found })));

describe("the boundaries between the parts", () => {
  it("hold: every import follows an allowed arrow, nothing forms a circle, and timers stand in src/time", () => {
    expect(brokenHouseRules(ROOT)).toEqual([]);
  });

  it("are known for every part", () => {
    const parts = new Set(files.map(partOf).filter((part) => part !== undefined));
    expect([...parts].filter((part) => !(part in ALLOWED))).toEqual([]);
  });

  it("keep the test support and the development tools out of the program", () => {
    const tools = imports.filter(
      ({ target }) =>
        target.startsWith("test/") ||
        ["vitest", "fast-check", "@copilotkit/aimock"].includes(target),
    );
    expect(tools.map(({ file, line, target }) => `${file}:${line} imports ${target}`)).toEqual([]);
  });

  it("leave printing to the one writer, and control sequences to the one file that has them", () => {
    const bypasses = programFiles(ROOT).flatMap((file) =>
      readFileSync(join(ROOT, file), "utf8")
        .split("\n")
        .filter(
          (line) =>
            /\b(stdout|stderr)\.write\(|console\.\w+\(/.test(line) ||
            (/\\u001b|\\x1b|\\u\{1b\}|\\u009b/i.test(line) &&
              !file.endsWith("/control-sequence.ts")),
        )
        .map((line) => `${file}: ${line.trim()}`),
    );
    // A comment shows what an escape looks like.
    expect(bypasses.filter((line) => !/: (\*|\/\*\*)/.test(line))).toEqual([]);
  });

  it("keep Node out of what runs in a browser: the console, and the protocol with its client", () => {
    const inBrowser = ["console", "protocol"];
    const node = imports.filter(
      ({ file, target }) =>
        inBrowser.includes(partOf(file) ?? "") && (target.startsWith("node:") || target === "ws"),
    );
    expect(node.map(({ file, line, target }) => `${file}:${line} imports ${target}`)).toEqual([]);
  });
});

describe("an agent process", () => {
  const loaded = new Set([
    ...loadedWith("bin/omnia.ts", ROOT),
    ...loadedWith("src/cli/agent/start-agent.ts", ROOT),
  ]);

  it("starts from modules that are there", () => {
    expect(loaded).toContain("src/agent/agent.ts");
  });

  it("loads nothing of Kubernetes, now or later", () => {
    const ofAgent = imports.filter(
      ({ file, target }) =>
        partOf(file) === "agent" && (target.startsWith(KUBERNETES) || partOf(target) === "kube"),
    );
    expect(ofAgent).toEqual([]);
    expect([...loaded].filter((name) => name.startsWith(KUBERNETES))).toEqual([]);
  });

  it.each([...PROVIDERS, REDIS, "commander", "yaml", "hono"])(
    "does not load %s with its start",
    (name) => {
      expect([...loaded]).not.toContain(name);
    },
  );
});
