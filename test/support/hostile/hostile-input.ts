/** Input as somebody who means harm makes it, the same for the same seed: packs, schemas, frames and answers of tools. */
import fc from "fast-check";
import { aPack, aPrompt } from "../builders/a-pack.ts";

const PATTERNS = fc.oneof(
  fc.constantFrom(
    "(a+)+$",
    "(a|a)*b",
    "([a-z]+)*\\d",
    "(.*a){20}",
    "((a{100}){100}){10}",
    "(x+x+)+y",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(?=a)b",
    "(a)\\1",
    "[",
    "\\",
    "(?<name>a)(?<name>b)",
    `${"(".repeat(500)}a${")".repeat(500)}`,
    "a|".repeat(5_000),
    "[\\p{L}\\p{N}]{1,1000}",
  ),
  fc.string({ maxLength: 200 }),
);

const TEXTS = fc.oneof(
  fc.string({ unit: "binary", maxLength: 2_000 }),
  fc.constantFrom(
    "a".repeat(60_000),
    `${"a".repeat(40)}!`,
    "{{a}}".repeat(10_000),
    "{{".repeat(10_000),
    "\u0000\u001b[2J\u202e\ud800",
    "__proto__",
    "constructor",
  ),
);

const DEEP = fc.constantFrom(50, 500, 5_000).map((depth) => {
  let value: unknown = 1;
  for (let at = 0; at < depth; at += 1) value = at % 2 === 0 ? [value] : { a: value };
  return value;
});

const VALUES: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  DEEP,
  TEXTS,
  fc.array(fc.integer(), { maxLength: 20, size: "max" }),
  fc.constant({ ["__proto__"]: { polluted: true }, constructor: { prototype: 1 } }),
);

/** JSON Schemas, most of them ones that a naive check would take for ever with. */
const SCHEMAS: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  PATTERNS.map((pattern) => ({ properties: { text: { type: "string", pattern } } })),
  PATTERNS.map((pattern) => ({ patternProperties: { [pattern]: { type: "string" } } })),
  fc.constant({ $ref: "#", allOf: [{ $ref: "#" }, { $ref: "#" }] }),
  fc.constant({
    $defs: { a: { anyOf: [{ $ref: "#/$defs/a" }, { $ref: "#/$defs/a" }] } },
    $ref: "#/$defs/a",
  }),
  fc.integer({ min: 1, max: 25 }).map((depth) => {
    let schema: object = { type: "object" };
    for (let at = 0; at < depth; at += 1) schema = { anyOf: [schema, schema] };
    // The two halves are one object here, and twice the text in JSON: so the depth is bounded.
    return depth > 12 ? { not: { not: {} } } : (schema as Record<string, unknown>);
  }),
  fc.constant({ properties: { list: { type: "array", uniqueItems: true } } }),
  fc.constant({ enum: Array.from({ length: 20_000 }, (_, at) => ({ at })) }),
  fc.constant({ $ref: "http://127.0.0.1:9/schema.json" }),
  DEEP.map((properties) => ({ properties })),
  fc.dictionary(fc.string({ maxLength: 20 }), fc.jsonValue(), { maxKeys: 20 }),
);

const variable = (pattern: string, at: number): object => ({
  name: `v${at}`,
  type: "string",
  required: false,
  default: "a".repeat(100),
  validation: { pattern },
});

/** The text of a pack, at times no JSON, at times far from a pack. */
const PACKS: fc.Arbitrary<string> = fc.oneof(
  fc
    .array(PATTERNS, { minLength: 1, maxLength: 300, size: "max" })
    .map((patterns) => packWith({ variables: patterns.map(variable) })),
  TEXTS.map((text) => packWith({ system_template: text })),
  VALUES.map((value) => packWith({ parameters: value })),
  SCHEMAS.map((parameters) =>
    JSON.stringify(aPack({ tools: { t: { name: "t", description: "T", parameters } } })),
  ),
  VALUES.map((value) => JSON.stringify(value)),
  TEXTS,
  fc.constantFrom(
    "[".repeat(100_000),
    '{"a":'.repeat(20_000),
    `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${"*a,".repeat(9)}*a]\nc: &c [${"*b,".repeat(9)}*b]\nd: [${"*c,".repeat(9)}*c]`,
    `{${Array.from({ length: 20_000 }, (_, at) => `"k${at}":1`).join(",")}}`,
    `1e${"9".repeat(1_000)}`,
  ),
);

function packWith(prompt: Record<string, unknown>): string {
  return JSON.stringify(aPack({ prompts: { support: aPrompt(prompt) } }));
}

/** What a client sends: text, or bytes as a binary frame. */
const FRAMES: fc.Arbitrary<string | Buffer> = fc.oneof(
  fc
    .record(
      {
        type: fc.oneof(
          fc.constantFrom("message", "resume", "cancel", "approve", "deny"),
          fc.string(),
        ),
        content: VALUES,
        session_id: VALUES,
        id: VALUES,
        after: VALUES,
        metadata: VALUES,
      },
      { requiredKeys: [] },
    )
    .map((frame) => JSON.stringify(frame)),
  VALUES.map((value) => JSON.stringify(value)),
  TEXTS,
  fc.constantFrom("[".repeat(200_000), '{"a":'.repeat(50_000), `"${"\\u0000".repeat(30_000)}"`),
  fc.uint8Array({ maxLength: 5_000 }).map((bytes) => Buffer.from(bytes)),
);

/** What a tool answers with: its status, its headers and its body. */
export interface HostileAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const ANSWERS: fc.Arbitrary<HostileAnswer> = fc.record({
  status: fc.constantFrom(200, 201, 204, 301, 400, 401, 429, 500, 503),
  headers: fc.constantFrom<Record<string, string>>(
    { "content-type": "application/json" },
    { "content-type": "text/plain; charset=utf-16" },
    { "content-type": "text/event-stream" },
    { location: "http://127.0.0.1:9/" },
    { "retry-after": "999999999" },
    { "content-encoding": "gzip" },
    {},
  ),
  body: fc.oneof(
    VALUES.map((value) => Buffer.from(JSON.stringify(value))),
    TEXTS.map((text) => Buffer.from(text)),
    fc.constant(Buffer.alloc(2_000_000, "x")),
    fc.constant(Buffer.from("[".repeat(300_000))),
    fc.uint8Array({ maxLength: 5_000 }).map((bytes) => Buffer.from(bytes)),
  ),
});

const samples =
  <T>(arbitrary: fc.Arbitrary<T>) =>
  (count: number, seed: number): T[] =>
    fc.sample(arbitrary, { numRuns: count, seed });

export const hostilePacks = samples(PACKS);
export const hostileSchemas = samples(SCHEMAS);
export const hostileFrames = samples(FRAMES);
export const hostileAnswers = samples(ANSWERS);
