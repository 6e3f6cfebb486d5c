/**
 * Lists and maps of a pack. They are as long as their author likes, and each item may have several mistakes, so they are read in
 * pieces: nothing is read behind the first piece with a mistake, and no more than its first mistakes are told.
 */
import { z } from "zod";
import { validate, type Validation } from "../../api/fields/problems.ts";

const PIECE = 32;
const MAX_PROBLEMS = 64;

/** The schemas of the items, which the pieces hide from whoever walks the schema of the document. */
const itemSchemas = new WeakMap<z.core.$ZodType, { step: "[]" | "*"; item: z.ZodType }>();

/** What is in each item of a list, or in each value of a map. `schema`: what it has of them before they are read in pieces. */
export function itemSchemaOf(
  schema: z.core.$ZodType,
): { readonly step: "[]" | "*"; readonly item: z.ZodType } | undefined {
  return itemSchemas.get(schema);
}

export function listOf<Item extends z.ZodType>(item: Item) {
  const piece = z.array(item);
  const written = z.array(z.unknown());
  itemSchemas.set(written, { step: "[]", item });
  return written.transform((items, context): z.output<Item>[] => {
    const read: z.output<Item>[] = [];
    for (let start = 0; start < items.length; start += PIECE) {
      const result = validate(piece, items.slice(start, start + PIECE));
      if (!result.ok) return refuse(result, context, start);
      read.push(...result.value);
    }
    return read;
  });
}

export function mapOf<Item extends z.ZodType>(item: Item) {
  const piece = z.record(z.string(), item);
  const written = z.record(z.string(), z.unknown());
  itemSchemas.set(written, { step: "*", item });
  return written.transform((map, context): Record<string, z.output<Item>> => {
    const read: Record<string, z.output<Item>> = {};
    const entries = Object.entries(map);
    for (let start = 0; start < entries.length; start += PIECE) {
      const result = validate(piece, Object.fromEntries(entries.slice(start, start + PIECE)));
      if (!result.ok) return refuse(result, context);
      Object.assign(read, result.value);
    }
    return read;
  });
}

/** `start`: the index of the first item of the piece, where the piece is one of a list. */
function refuse(
  { problems }: Extract<Validation<unknown>, { ok: false }>,
  context: z.RefinementCtx,
  start = 0,
): never {
  for (const { path, message } of problems.slice(0, MAX_PROBLEMS)) {
    const [key = 0, ...rest] = path;
    const at = typeof key === "number" ? key + start : key;
    context.addIssue({ code: "custom", path: [at, ...rest], message });
  }
  return z.NEVER;
}
