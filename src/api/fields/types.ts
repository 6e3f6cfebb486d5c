/**
 * The kinds of fields that our kinds are made of. Each carries a bound, because an API server estimates what a rule may
 * cost from the bounds of what it reads, and because every input has a limit.
 */
import { z } from "zod";

const INT32_MAX = 2_147_483_647;

/** An integer that Kubernetes can hold. */
export function int32(minimum: number, maximum: number = INT32_MAX) {
  return z.int().min(minimum).max(maximum).meta({ format: "int32" });
}

/** A string that is not empty. */
export function text(maxLength: number) {
  return z.string().min(1).max(maxLength);
}

/**
 * A string of a certain form. The form of a string that is too long is not looked at. `message` may depend on what was written.
 */
export function pattern(
  maxLength: number,
  form: RegExp,
  message?: string | ((issue: { input?: unknown }) => string),
) {
  const hint = typeof message === "function" ? { error: message } : message;
  return z.string().max(maxLength, { abort: true }).regex(form, hint);
}

/** A map of strings. */
export function stringMap(maxEntries: number, maxValueLength: number) {
  return mapOf(z.string().max(maxValueLength), maxEntries);
}

export function mapOf<V extends z.ZodType>(value: V, maxEntries: number) {
  return z
    .record(z.string(), value)
    .refine((map) => Object.keys(map).length <= maxEntries, {
      error: `at most ${maxEntries} entries`,
    })
    .meta({ maxProperties: maxEntries });
}

/** A list whose items are told apart by one of their fields. Server-side apply merges by it, and no two items may share it. */
export function listByKey<Key extends string, Item extends z.ZodType<Record<Key, string>>>(
  item: Item,
  key: Key,
  maxItems: number,
) {
  return z
    .array(item)
    .max(maxItems)
    .superRefine(
      (items, context) => {
        for (const index of repetitions(items.map((one) => one?.[key]))) {
          context.addIssue({
            code: "custom",
            path: [index, key],
            message: `an earlier item has the same ${key}; give each its own`,
          });
        }
      },
      // Repetitions are looked for even while other fields of the items are wrong.
      { when: ({ value }) => Array.isArray(value) },
    )
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key] });
}

/** A list in which every string occurs once. */
export function stringSet<Item extends z.ZodType<string>>(item: Item, maxItems: number) {
  return z
    .array(item)
    .max(maxItems)
    .superRefine(
      (items, context) => {
        for (const index of repetitions(items)) {
          context.addIssue({ code: "custom", path: [index], message: "is listed twice" });
        }
      },
      { when: ({ value }) => Array.isArray(value) },
    )
    .meta({ "x-kubernetes-list-type": "set" });
}

/** A list that server-side apply replaces as a whole. */
export function atomicList<Item extends z.ZodType>(item: Item, maxItems: number) {
  return z.array(item).max(maxItems).meta({ "x-kubernetes-list-type": "atomic" });
}

function repetitions(values: readonly unknown[]): number[] {
  const seen = new Set<unknown>();
  return values.flatMap((value, index) => {
    if (typeof value !== "string" || !seen.has(value)) {
      seen.add(value);
      return [];
    }
    return [index];
  });
}

const HOST = String.raw`(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?`;
const REST = "([/?#][!-~]*)?";
const MAX_URL_LENGTH = 2048;
const URL_HINT = "must be a URL like https://host:port/path, without a user name or password";

/** `http(s)://host[:port][/…]`. A user name or password in it is refused: credentials belong in Secrets. */
export function httpURL() {
  return pattern(MAX_URL_LENGTH, new RegExp(`^https?://${HOST}${REST}$`), URL_HINT);
}

/** An address of a tool: also `grpc(s)://host:port` and a bare `host:port`. */
export function toolURL() {
  return pattern(MAX_URL_LENGTH, new RegExp(`^((https?|grpcs?)://)?${HOST}${REST}$`), URL_HINT);
}

/** Where the operations of an OpenAPI document are: a URL, or a path where the document is. Without a query. */
export function serverURL() {
  const path = '/[!"$->@-z|~]*';
  const hint = "must be a URL like https://host/path, or a path like /v1, without a query";
  return pattern(MAX_URL_LENGTH, new RegExp(`^(https?://${HOST}(${path})?|${path})$`), hint);
}

/** What a browser sends as Origin, or `*` for any origin. */
export function origin() {
  return pattern(
    MAX_URL_LENGTH,
    new RegExp(`^([*]|[a-z][a-z0-9+.-]*://${HOST}/?)$`),
    'must be an origin like https://example.com, or "*" for every page',
  );
}
