/** A case of test/cases/providers: what a model server answers, and what the agent has to make of it. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";

const FOLDER = resolve(import.meta.dirname, "../../cases/providers");

const ruleSchema = z.strictObject({
  path: z.string().optional(),
  value: z.unknown().optional(),
  contains: z.string().optional(),
  absent: z.boolean().optional(),
  wellFormedUnicode: z.boolean().optional(),
  /** 1: the rule is about the last request of the first turn. */
  turn: z.int().optional(),
});

const answerSchema = z.strictObject({
  /** Without it: the ordinary answer. */
  file: z.string().optional(),
  status: z.int().default(200),
  headers: z.record(z.string(), z.string()).default({ "content-type": "text/event-stream" }),
  split: z.int().optional(),
  // oxlint-disable-next-line unicorn/no-thenable -- the cases call it so
  then: z.enum(["cut", "silence"]).optional(),
  require: z.array(ruleSchema).default([]),
  otherwise: z
    .strictObject({ status: z.int(), json: z.unknown() })
    .default({ status: 400, json: { error: { message: "refused" } } }),
});

const END = z.enum(["done", "error", "cut"]);
const turnSchema = z.strictObject({
  end: z.union([END.transform((end) => [end]), z.array(END)]).default(["done"]),
  finish: z.string().default("stop"),
  content: z.string().optional(),
  contains: z.string().optional(),
  code: z.string().default("PROVIDER_ERROR"),
  message: z.string().optional(),
  tools: z
    .array(z.strictObject({ name: z.string(), arguments: z.unknown().optional() }))
    .default([]),
  requests: z
    .union([z.int().transform((count) => [count, count] as const), z.tuple([z.int(), z.int()])])
    .optional(),
  hangsUp: z.boolean().optional(),
});

const caseSchema = z.strictObject({
  kind: z.string(),
  api: z.enum(["chat", "responses", "anthropic", "google"]),
  source: z.string(),
  fault: z.string(),
  agent: z
    .strictObject({
      model: z.string().optional(),
      parameters: z.record(z.string(), z.unknown()).optional(),
    })
    .default({}),
  wants: z.string().optional(),
  client: z.literal("cancel after a chunk").optional(),
  first: z.array(answerSchema),
  second: z.array(answerSchema).default([]),
  repeat: z.boolean().default(false),
  expect: turnSchema.extend({
    second: turnSchema.optional(),
    sent: z.array(ruleSchema).default([]),
  }),
});

export type WireRule = z.output<typeof ruleSchema>;
export type WireAnswer = z.output<typeof answerSchema>;
export type WireTurn = z.output<typeof turnSchema>;
export type WireApi = WireCase["api"];
export interface WireCase extends z.output<typeof caseSchema> {
  name: string;
}

export function readWireCases(): WireCase[] {
  return readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const text = readFileSync(join(FOLDER, name, "case.json"), "utf8");
      return { name, ...caseSchema.parse(JSON.parse(text)) };
    })
    .sort((one, other) => one.name.localeCompare(other.name));
}

export function readAnswerBytes({ name }: WireCase, file: string): Buffer {
  return readFileSync(join(FOLDER, name, file));
}
