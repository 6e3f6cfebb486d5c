/**
 * For how long the event loop stands still for foreign text that was made for it: packs and registries for the operator, schemas and
 * arguments of tools for an agent. Each case is the longest of its kind that was found.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { checkToolArguments } from "../src/agent/runtime/tools/tool-arguments.ts";
import { API_VERSION } from "../src/api/group.ts";
import { toolRegistrySchema } from "../src/api/tool-registry.ts";
import { decideToolRegistry } from "../src/control/tool-registry/decide-tool-registry.ts";
import { PackParser } from "../src/operator/prompt-pack/pack-parser.ts";
import { parsePromptPack } from "../src/promptpack/check/parse-prompt-pack.ts";
import { resolvePrompt } from "../src/promptpack/render/resolve-prompt.ts";
import { systemClock } from "../src/time/clock.ts";
import { aPack, aPrompt } from "../test/support/builders/a-pack.ts";
import type { Measurement } from "./bench.ts";

const TARGET_MS = 250;
const RESOLUTION_MS = 1;
const SETTLE_MS = 50;

type Work = () => Promise<unknown>;

export async function measureKnownAttacks(): Promise<Measurement[]> {
  const floor = await stallOf(() => parse(JSON.stringify(aPack())));
  const measured: Measurement[] = [];
  for (const [what, cases] of Object.entries(CASES)) {
    let longest = { name: "", ms: 0 };
    for (const [name, work] of Object.entries(cases)) {
      const ms = await stallOf(work);
      if (ms > longest.ms) longest = { name, ms };
    }
    measured.push({
      what: `the longest stall of the event loop by ${what}`,
      measured: `${longest.ms.toFixed(0)} ms, ${longest.name}`,
      floor: `${floor.toFixed(0)} ms (a small pack that is right)`,
      result: `${longest.ms.toFixed(0)} ms`,
      target: `≤ ${TARGET_MS} ms`,
      withinTarget: longest.ms <= TARGET_MS,
    });
  }
  return measured;
}

async function stallOf(work: Work): Promise<number> {
  // The first time also compiles the code.
  await work();
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  await delay(SETTLE_MS);
  delays.enable();
  await delay(SETTLE_MS);
  await work();
  await delay(SETTLE_MS);
  delays.disable();
  return delays.max / 1e6 - RESOLUTION_MS;
}

const list = <T>(length: number, item: (index: number) => T): T[] =>
  Array.from({ length }, (_, index) => item(index));
const record = <T>(length: number, item: (index: number) => T): Record<string, T> =>
  Object.fromEntries(list(length, (index) => [`n${index}`, item(index)]));

const parser = new PackParser({ clock: systemClock });
const parse = (text: string): Promise<unknown> => parser.parse(text, new AbortController().signal);

function packWith(prompt: object, more: object = {}): string {
  return JSON.stringify(aPack({ prompts: { support: aPrompt({ ...prompt }) }, ...more }));
}

const variablesWith = (count: number, item: (index: number) => object): object => ({
  variables: list(count, (index) => ({ name: `v${index}`, type: "string", ...item(index) })),
});
const pattern = (written: string): object => ({ validation: { pattern: written } });

/** Below the size from which a pack is parsed apart. */
const SMALL_PACKS: Record<string, string> = {
  "patterns for which other engines take for ever": packWith(
    variablesWith(100, () => ({ default: `${"a".repeat(40)}!`, ...pattern("^(a+)+$") })),
  ),
  "large patterns": packWith(variablesWith(200, (index) => pattern(`a{900}${index}`))),
  "classes of Unicode": packWith(
    variablesWith(90, (index) => pattern(String.raw`(?i)[\pL\PN\pM\PS]${index}`)),
  ),
  "large patterns for long defaults": packWith(
    variablesWith(9, (index) => ({ default: "a".repeat(1_400), ...pattern(`^(a?){300}${index}`) })),
  ),
  "fragments with many placeholders": packWith(
    {},
    {
      fragments: { large: "{{v}}".repeat(2_000) },
      prompts: record(40, () => aPrompt({ system_template: "{{large}}" })),
    },
  ),
  mistakes: packWith({ variables: list(5_000, () => ({})) }),
  "unknown fields": packWith(
    {},
    record(1_500, () => 1),
  ),
  "YAML of short items": `a: [${"1,".repeat(8_000)}]`,
  "YAML of brackets": "[".repeat(16_000),
  "YAML of quotes": '"'.repeat(16_000),
  "YAML of anchors": `a: ${"&a ".repeat(5_000)}`,
};

const LARGE_PACKS: Record<string, string> = {
  "thousands of patterns": packWith(variablesWith(9_000, (index) => pattern(`a{900}${index}`))),
  "a megabyte of YAML items": `a: [${"1,".repeat(490_000)}]`,
  "a megabyte of YAML fields": list(70_000, (index) => `k${index}: v\n`).join(""),
  "a megabyte of mistakes": packWith({ variables: list(300_000, () => ({})) }),
  "a megabyte of placeholders": packWith({ system_template: "{{v}}".repeat(190_000) }),
  "thousands of prompts with thousands of tools": packWith(
    {},
    {
      tools: record(6_000, (index) => ({ name: `t${index}`, description: "x" })),
      prompts: record(4_000, () => aPrompt({ tools: ["x", "y"] })),
    },
  ),
};

function prompts(): Record<string, Work> {
  const variables = record(16, () => "a".repeat(60_000));
  const text = packWith({
    ...variablesWith(16, (index) => ({ ...pattern(`^(a?){90}b${index}`), name: `n${index}` })),
    system_template: "{{n0}}",
  });
  const parsed = parsePromptPack(text);
  if (!parsed.ok) throw new Error(parsed.message);
  const agent = { name: "a", namespace: "default" };
  const request = { model: "any", variables, agent };
  return {
    "large patterns for long values": async () => resolvePrompt(parsed.pack, request),
  };
}

function registryWith(tools: readonly object[]): Work {
  const toolRegistry = toolRegistrySchema.parse({
    apiVersion: API_VERSION,
    kind: "ToolRegistry",
    metadata: { name: "tools", namespace: "agents" },
    spec: { tools },
  });
  return async () => decideToolRegistry({ toolRegistry, services: [], probes: new Map(), now: 0 });
}

const tools = (inputSchema: (index: number) => object): object[] =>
  list(128, (index) => ({
    name: `t${index}`,
    url: "http://127.0.0.1:9/",
    inputSchema: inputSchema(index),
  }));

const doubling = {
  $ref: "#/$defs/n0",
  $defs: record(31, (index) => {
    const next = { $ref: `#/$defs/n${index + 1}` };
    return index === 30 ? { not: {} } : { anyOf: [next, next] };
  }),
};

const callWith = (schema: Record<string, unknown>, value: Record<string, unknown>): Work => {
  return () => checkToolArguments({ inputSchema: { ...schema }, isJudgedByServer: false }, value);
};

const CASES: Record<string, Record<string, Work>> = {
  "a small pack": Object.fromEntries(
    Object.entries(SMALL_PACKS).map(([name, text]) => [name, () => parse(text)]),
  ),
  "a large pack": Object.fromEntries(
    Object.entries(LARGE_PACKS).map(([name, text]) => [name, () => parse(text)]),
  ),
  "the values of a prompt": prompts(),
  "the schemas of a registry": {
    "large patterns": registryWith(
      tools((tool) => ({
        properties: record(20, (index) => ({ pattern: `a{900}${tool}-${index}` })),
      })),
    ),
    "very many schemas": registryWith(tools(() => ({ anyOf: list(7_000, () => ({})) }))),
    "very many references": registryWith(
      tools(() => ({ $defs: { a: {} }, anyOf: list(400, () => ({ $ref: "#/$defs/a" })) })),
    ),
    "large enums": registryWith(tools(() => ({ enum: list(900, (index) => ({ index })) }))),
  },
  "the arguments of a call": {
    "a pattern for which other engines take for ever": callWith(
      { properties: { a: { pattern: "^(a+)+$" } } },
      { a: `${"a".repeat(100_000)}!` },
    ),
    "a large pattern": callWith(
      { properties: { a: { pattern: "^(a?){500}$" } } },
      { a: "a".repeat(9_000) },
    ),
    "alternatives that double": callWith(doubling, {}),
    "long lists of unlike items": callWith(
      { properties: { a: { uniqueItems: true } } },
      { a: list(40_000, (index) => ({ index })) },
    ),
    "many patterns for many names": callWith(
      { patternProperties: record(100, () => true) },
      record(50_000, () => 1),
    ),
    "a large enum": callWith(
      { properties: { a: { enum: list(5_000, (index) => [index]) } } },
      { a: [-1] },
    ),
    "a large schema": callWith({ anyOf: list(7_000, () => ({})) }, {}),
  },
};
