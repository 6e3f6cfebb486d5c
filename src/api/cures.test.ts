import { describe, expect, it } from "vitest";
import { z } from "zod";
import { formatPath, validate } from "./fields/problems.ts";
import { KIND_SCHEMAS } from "./kinds.ts";

/** What users write by mistake. */
const MISTAKES: readonly unknown[] = [
  0,
  1,
  8080,
  3600,
  -1,
  1.5,
  1e21,
  123,
  true,
  false,
  "true",
  "false",
  "3600",
  "8080",
  "0",
  "-1",
  "1.5",
  "3600000000",
  3_600_000_000,
  "yes",
  "on",
  "1e3",
  "",
  "null",
];

interface Field {
  path: string;
  schema: z.ZodType;
}

/** Every field that holds no other fields. */
function fieldsOf(schema: z.core.$ZodType, path: (string | number)[]): Field[] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape as Record<string, z.core.$ZodType>).flatMap(([key, field]) =>
      fieldsOf(field, [...path, key]),
    );
  }
  if (schema instanceof z.ZodArray) return fieldsOf(schema.element, [...path, 0]);
  if (schema instanceof z.ZodRecord) return fieldsOf(schema.valueType, [...path, "key"]);
  const { innerType } = schema._zod.def as { innerType?: z.core.$ZodType };
  if (innerType !== undefined) return fieldsOf(innerType, path);
  return [{ path: formatPath(path), schema: schema as z.ZodType }];
}

/** What the message tells a user to write, or `undefined` when it tells nothing that could be done without thinking. */
function applyCure(message: string, written: unknown): unknown {
  if (message.endsWith("; put it in quotes")) return String(written);
  if (message.endsWith("; remove the quotes")) return JSON.parse(written as string);
  return /; write (\S+)$/.exec(message)?.[1];
}

/** Nobody writes a status by hand. */
const fields = Object.entries(KIND_SCHEMAS)
  .flatMap(([kind, schema]) => fieldsOf(schema, [kind]))
  .filter(({ path }) => !path.includes(".status."));

describe("the cure of a problem", () => {
  it("is tried on all fields", () => {
    expect(fields.length).toBeGreaterThan(150);
  });

  it.each(fields)("cures $path", ({ schema }) => {
    const problems = MISTAKES.flatMap((written) => {
      const result = validate(schema, written);
      return result.ok ? [] : result.problems.map(({ message }) => ({ written, message }));
    });
    for (const { message } of problems) expect(message).not.toMatch(/^Invalid/);
    const useless = problems.filter(({ written, message }) => {
      const cured = applyCure(message, written);
      return cured !== undefined && !validate(schema, cured).ok;
    });
    expect(useless).toEqual([]);
  });

  const durations = fields.filter(
    ({ schema }) =>
      validate(schema, "30s").ok && !validate(schema, "30").ok && !validate(schema, "abc").ok,
  );
  it("is tried on durations", () => {
    expect(durations.map(({ path }) => path)).toEqual([
      "AgentRuntime.spec.session.ttl",
      "PromptPack.spec.rollout.canary.steps[0].duration",
      "PromptPack.spec.rollout.canary.abortWhen.p95FirstChunk",
      "ToolRegistry.spec.tools[0].timeout",
    ]);
  });

  it.each(durations)("is a unit for $path", ({ schema }) => {
    const messageOf = (value: unknown): string | undefined => {
      const result = validate(schema, value);
      return result.ok ? undefined : result.problems[0]?.message;
    };
    const hint = 'must be a duration like "30s" or "1h30m"';
    expect(messageOf(3600)).toBe(`${hint}; write 3600s`);
    expect(messageOf("3600")).toBe(`${hint}; write 3600s`);
    expect(messageOf(1.5)).toBe(`${hint}; write 1.5s`);
    expect(messageOf(0)).toMatch(/^must be a duration like "30s" or "1h30m", from 1ms to [0-9]+h$/);
    expect(messageOf(true)).toBe(hint);
  });
});
