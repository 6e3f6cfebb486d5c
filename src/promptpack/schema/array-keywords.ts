/** Keywords that judge lists, and let everything else pass. */
import {
  type Assertion,
  type Evaluated,
  type KeywordContext,
  type KeywordReader,
  type SchemaNode,
  type Checking,
} from "./schema-node.ts";
import { countMessage, readCount } from "./string-keywords.ts";
import { measuredJSON } from "./value-keywords.ts";

const ITEM_STEPS = 5;

type ListAssertion = (
  value: readonly unknown[],
  check: Checking,
  evaluated: Evaluated | undefined,
) => boolean;

function ofLists(assertion: ListAssertion): Assertion {
  return (value, check, evaluated) =>
    !Array.isArray(value) || assertion(value as unknown[], check, evaluated);
}

function sizeKeyword(keyword: string, side: "most" | "least"): KeywordReader {
  return (written, context) => {
    const limit = readCount(keyword, written, context);
    return ofLists(({ length }, check) => {
      const holds = side === "most" ? length <= limit : length >= limit;
      return holds || check.fail(countMessage(side, limit, "items"));
    });
  };
}

export const readMaxItems = sizeKeyword("maxItems", "most");
export const readMinItems = sizeKeyword("minItems", "least");

export const readUniqueItems: KeywordReader = (written, { refuse }) => {
  if (typeof written !== "boolean") return refuse("must be true or false", "uniqueItems");
  if (!written) return undefined;
  return ofLists((value, check) => {
    // Equal items have the same text, so that no item is compared with every other.
    const indices = new Map<string, number>();
    let same: readonly [number, number] | undefined;
    for (const [index, item] of value.entries()) {
      check.take(ITEM_STEPS);
      const text = measuredJSON(item, check);
      const before = indices.get(text);
      if (before !== undefined) same = [before, index];
      indices.set(text, index);
    }
    if (same === undefined) return true;
    const [first, second] = same;
    return check.fail(
      `must NOT have duplicate items (items ## ${first} and ${second} are identical)`,
    );
  });
};

/** One schema for every item; or, as it was written before `prefixItems`, a list with one for each of the first items. */
export const readItems: KeywordReader = (written, context) => {
  if (Array.isArray(written)) return readPrefix("items", written, context);
  const { prefixItems } = context.schema;
  return readRest("items", written, Array.isArray(prefixItems) ? prefixItems.length : 0, context);
};

export const readPrefixItems: KeywordReader = (written, context) =>
  Array.isArray(written)
    ? readPrefix("prefixItems", written, context)
    : context.refuse("must be a list of schemas", "prefixItems");

/** For the items behind those that a list in `items` speaks of. */
export const readAdditionalItems: KeywordReader = (written, context) => {
  const { items } = context.schema;
  if (!Array.isArray(items)) return undefined;
  return readRest("additionalItems", written, items.length, context);
};

function readPrefix(
  keyword: string,
  schemas: readonly unknown[],
  { nodeAt }: KeywordContext,
): Assertion {
  const nodes = schemas.map((schema, index) => nodeAt(schema, keyword, index));
  return ofLists((value, check, evaluated) => {
    let isValid = true;
    for (const [index, node] of nodes.entries()) {
      if (index >= value.length) break;
      evaluated?.items.add(index);
      if (!check.runAt(index, node, value[index])) isValid = false;
    }
    return isValid;
  });
}

function readRest(
  keyword: string,
  written: unknown,
  start: number,
  { nodeAt }: KeywordContext,
): Assertion {
  const node = written === false ? undefined : nodeAt(written, keyword);
  return ofLists((value, check, evaluated) => {
    if (node === undefined && value.length > start) {
      return check.fail(countMessage("most", start, "items"));
    }
    return allFrom(start, value, check, evaluated, node);
  });
}

function allFrom(
  start: number,
  value: readonly unknown[],
  check: Checking,
  evaluated: Evaluated | undefined,
  node: SchemaNode | undefined,
): boolean {
  let isValid = true;
  for (let index = start; index < value.length; index += 1) {
    check.take(ITEM_STEPS);
    evaluated?.items.add(index);
    if (node !== undefined && !check.runAt(index, node, value[index])) isValid = false;
  }
  return isValid;
}

/** With the bounds `minContains` and `maxContains`. */
export const readContains: KeywordReader = (written, context) => {
  const { schema, nodeAt } = context;
  const node = nodeAt(written, "contains");
  const least = Object.hasOwn(schema, "minContains")
    ? readCount("minContains", schema["minContains"], context)
    : 1;
  const most = Object.hasOwn(schema, "maxContains")
    ? readCount("maxContains", schema["maxContains"], context)
    : undefined;
  const message =
    most === undefined
      ? `must contain at least ${least} valid item(s)`
      : `must contain at least ${least} and no more than ${most} valid item(s)`;
  return ofLists((value, check, evaluated) =>
    check.attempt(() => {
      let found = 0;
      for (const [index, item] of value.entries()) {
        if (!check.runAt(index, node, item)) continue;
        evaluated?.items.add(index);
        found += 1;
      }
      return (found >= least && found <= (most ?? Infinity)) || check.fail(message);
    }),
  );
};

export const readUnevaluatedItems: KeywordReader = (written, { nodeAt }) => {
  const node = written === false ? undefined : nodeAt(written, "unevaluatedItems");
  return ofLists((value, check, evaluated) => {
    let isValid = true;
    for (const [index, item] of value.entries()) {
      check.take(ITEM_STEPS);
      if (evaluated?.items.has(index) === true) continue;
      evaluated?.items.add(index);
      if (node === undefined) return check.fail(countMessage("most", index, "items"));
      if (!check.runAt(index, node, item)) isValid = false;
    }
    return isValid;
  });
};
