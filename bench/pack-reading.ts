/** The CPU time to parse and check a large pack, and to render a template. */
import { parsePromptPack } from "../src/promptpack/check/parse-prompt-pack.ts";
import { renderTemplates } from "../src/promptpack/render/render-templates.ts";
import type { Measurement } from "./bench.ts";
import { median } from "./median.ts";

const ROUNDS = 9;
const PACK_KB = 900;
const PACK_TARGET_MS = 100;
const TEMPLATE_KB = 10;
const TEMPLATE_TARGET_US = 50;
const RENDERINGS = 2_000;

const PARAGRAPH =
  'You help customers of {{company}} with their orders. Never promise a day; say "usually" instead, and keep to {{rules}}.\n';

/** About as many prompts as tools, by size, so that templates and schemas both count. */
const PROMPT_LINES = 80;
const TOOL_ENUM = Array.from({ length: 20 }, (_, index) => `region-${index}`);

export function measurePackReading(): Promise<Measurement[]> {
  const pack = largePack();
  const bare = median(rounds(() => cpuMs(() => void JSON.parse(pack))));
  const parsed = median(
    rounds(() =>
      cpuMs(() => {
        const result = parsePromptPack(pack);
        if (!result.ok) throw new Error(result.message);
      }),
    ),
  );
  const template = PARAGRAPH.repeat(Math.ceil((TEMPLATE_KB * 1000) / PARAGRAPH.length));
  const scope = {
    variables: new Map([["company", "Example"]]),
    fragments: { rules: "the rules of the house" },
  };
  const rendered = median(rounds(() => renderingUs(() => void renderTemplates([template], scope))));
  const replaced = median(
    rounds(() =>
      renderingUs(
        () =>
          void template
            .replaceAll("{{company}}", "Example")
            .replaceAll("{{rules}}", "the rules of the house"),
      ),
    ),
  );
  return Promise.resolve([
    {
      what: `CPU to parse and check a pack of ${PACK_KB} KB`,
      measured: `${parsed.toFixed(1)} ms`,
      floor: `${bare.toFixed(1)} ms (JSON.parse)`,
      result: `${parsed.toFixed(1)} ms`,
      target: `< ${PACK_TARGET_MS} ms`,
      withinTarget: parsed < PACK_TARGET_MS,
    },
    {
      what: `CPU to render a template of ${TEMPLATE_KB} KB`,
      measured: `${rendered.toFixed(1)} µs`,
      floor: `${replaced.toFixed(1)} µs (replaceAll)`,
      result: `${rendered.toFixed(1)} µs`,
      target: `< ${TEMPLATE_TARGET_US} µs`,
      withinTarget: rendered < TEMPLATE_TARGET_US,
    },
  ]);
}

function largePack(): string {
  const prompts: Record<string, object> = {};
  const tools: Record<string, object> = {};
  let size = 0;
  for (let index = 0; size < PACK_KB * 1000; index += 1) {
    const prompt = {
      id: `prompt-${index}`,
      name: `Prompt ${index}`,
      version: "1.0.0",
      system_template: `Part ${index}.\n${PARAGRAPH.repeat(PROMPT_LINES)}`,
      variables: [{ name: "company", type: "string", required: true }],
    };
    prompts[prompt.id] = prompt;
    size += JSON.stringify(prompt).length;
    for (let own = 0; own < 15; own += 1) {
      const tool = aTool(`tool_${index}_${own}`);
      tools[tool.name] = tool;
      size += JSON.stringify(tool).length;
    }
  }
  return JSON.stringify({
    id: "large",
    name: "Large",
    version: "1.0.0",
    template_engine: { version: "v1", syntax: "{{variable}}" },
    fragments: { rules: "the rules of the house" },
    prompts,
    tools,
  });
}

function aTool(name: string): { name: string } {
  return {
    name,
    description: "Looks an order up, and says where it is and when it usually arrives.",
    parameters: {
      type: "object",
      properties: {
        order: { type: "string", description: "The number of the order" },
        region: { type: "string", enum: TOOL_ENUM },
        limit: { type: "integer", minimum: 1, maximum: 10 },
      },
      required: ["order"],
    },
  } as { name: string };
}

function rounds(measure: () => number): number[] {
  measure();
  return Array.from({ length: ROUNDS }, measure);
}

function renderingUs(render: () => void): number {
  const ms = cpuMs(() => {
    for (let index = 0; index < RENDERINGS; index += 1) render();
  });
  return (ms * 1000) / RENDERINGS;
}

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
