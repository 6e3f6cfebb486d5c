/** For how long the event loop stands still while a pack or the schema of a tool is judged, whoever wrote it. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { toolRegistrySpecSchema } from "../src/api/tool-registry.ts";
import { packSource } from "../src/control/prompt-pack/pack-source.ts";
import { decideToolRegistry } from "../src/control/tool-registry/decide-tool-registry.ts";
import { aPromptPack, aToolRegistry } from "../test/support/builders/resources.ts";
import { processorTime } from "../test/support/builders/processor-time.ts";
import { hostilePacks, hostileSchemas } from "../test/support/hostile/hostile-input.ts";
import type { Measurement } from "./bench.ts";

const PACKS = 800;
const SCHEMAS = 400;
const SEED = 1;
const TARGET_MS = 250;

export async function measureHostileInput(): Promise<Measurement[]> {
  const packs = hostilePacks(PACKS, SEED);
  const promptPack = aPromptPack();
  const key = promptPack.spec.source.configMapRef.key;
  const schemas = hostileSchemas(SCHEMAS, SEED)
    .map((schema) => ({ name: "tool", url: "http://127.0.0.1:9", inputSchema: schema }))
    .filter((tool) => toolRegistrySpecSchema.safeParse({ tools: [tool] }).success);
  return [
    await compare(`of ${PACKS} packs of ${megabytes(packs)} MB`, packs, (text) => {
      packSource(promptPack, { [key]: text });
    }),
    await compare(
      `of ${schemas.length} schemas of ${megabytes(schemas)} MB`,
      schemas.map((tool) => JSON.stringify(tool)),
      (text) => {
        const toolRegistry = aToolRegistry({ spec: { tools: [JSON.parse(text)] } });
        decideToolRegistry({ toolRegistry, services: [], probes: new Map(), now: 0 });
      },
    ),
  ];
}

async function compare(
  what: string,
  texts: readonly string[],
  judge: (text: string) => void,
): Promise<Measurement> {
  const floor = await longest(texts, (text) => {
    try {
      JSON.parse(text);
    } catch {
      // Most of these texts are broken on purpose.
    }
  });
  const measured = await longest(texts, judge);
  return {
    what: `The longest judgement ${what}`,
    measured: `${measured.toFixed(0)} ms of the processor`,
    floor: `${floor.toFixed(1)} ms (JSON.parse)`,
    result: `${measured.toFixed(0)} ms`,
    target: `< ${TARGET_MS} ms`,
    withinTarget: measured < TARGET_MS,
  };
}

async function longest(texts: readonly string[], work: (text: string) => void): Promise<number> {
  let most = 0;
  for (const text of texts) {
    // What the collector of garbage does for the text before is not counted.
    await nextTurn();
    const started = processorTime();
    work(text);
    most = Math.max(most, processorTime() - started);
  }
  return most;
}

function megabytes(values: readonly unknown[]): string {
  const size = values.reduce<number>((sum, value) => sum + JSON.stringify(value).length, 0);
  return (size / 1_000_000).toFixed(0);
}
