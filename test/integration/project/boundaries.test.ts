import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  importsOf,
  loadedWith,
  partOf,
  programFiles,
} from "../../support/documents/source-modules.ts";

const ROOT = join(import.meta.dirname, "../../..");

/** Which part may import which, besides itself and `time`. A part that is not listed may not exist. */
const ALLOWED: Record<string, readonly string[]> = {
  time: [],
  api: [],
  protocol: [],
  kube: [],
  observability: [],
  probes: ["observability"],
  promptpack: ["api"],
  "agent-config": ["api", "promptpack"],
  control: ["api", "promptpack", "agent-config"],
  agent: ["protocol", "promptpack", "agent-config", "observability"],
  operator: ["api", "control", "agent-config", "promptpack", "probes", "kube", "observability"],
  local: ["api", "control", "agent-config", "promptpack", "probes", "observability"],
  conformance: ["protocol"],
  console: ["api", "protocol"],
  gateway: [
    "api",
    "protocol",
    "promptpack",
    "agent-config",
    "control",
    "kube",
    "observability",
    "operator",
    "local",
  ],
  cli: [
    "api",
    "protocol",
    "promptpack",
    "agent-config",
    "control",
    "kube",
    "observability",
    "operator",
    "local",
    "agent",
    "gateway",
    "conformance",
  ],
};

const KUBERNETES = "@kubernetes/client-node";
const PROVIDERS = ["@ai-sdk/openai", "@ai-sdk/anthropic", "@ai-sdk/google"];
const REDIS = "@redis/client";

const files = programFiles(ROOT);
const imports = files.flatMap((file) => importsOf(file, ROOT).map((found) => ({ file, ...found })));

describe("the boundaries between the parts", () => {
  it("hold: every import of another part follows an allowed arrow", () => {
    const crossings = imports.flatMap(({ file, line, target }) => {
      const from = partOf(file);
      const to = partOf(target);
      if (from === undefined || to === undefined || from === to || to === "time") return [];
      return ALLOWED[from]?.includes(to) === true
        ? []
        : [`${file}:${line} (${from}) imports ${target} (${to})`];
    });
    expect(crossings).toEqual([]);
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
