/** Keywords that judge a value by further schemas. */
import {
  type Assertion,
  Evaluated,
  type KeywordContext,
  type KeywordReader,
  type SchemaNode,
  type Checking,
} from "./schema-node.ts";

function readNodes(keyword: string, written: unknown, context: KeywordContext): SchemaNode[] {
  if (!Array.isArray(written) || written.length === 0) {
    return context.refuse("must be a list of at least one schema", keyword);
  }
  return written.map((schema, index) => context.inPlaceAt(schema, keyword, index));
}

/** What a schema that does not hold has seen is not counted as judged. */
function runApart(
  node: SchemaNode,
  value: unknown,
  check: Checking,
  evaluated: Evaluated | undefined,
): boolean {
  if (evaluated === undefined) return check.run(node, value);
  const own = new Evaluated();
  const isValid = check.run(node, value, own);
  if (isValid) check.merge(own, evaluated);
  return isValid;
}

export const readReference: KeywordReader = (written, { referred, refuse }) => {
  if (typeof written !== "string") return refuse("must be a string", "$ref");
  const node = referred(written);
  return (value, check, evaluated) => check.run(node, value, evaluated);
};

export const readAllOf: KeywordReader = (written, context) => {
  const nodes = readNodes("allOf", written, context);
  return (value, check, evaluated) => {
    let isValid = true;
    for (const node of nodes) if (!check.run(node, value, evaluated)) isValid = false;
    return isValid;
  };
};

export const readAnyOf: KeywordReader = (written, context) => {
  const nodes = readNodes("anyOf", written, context);
  return (value, check, evaluated) =>
    check.attempt(() => {
      let isValid = false;
      for (const node of nodes) {
        if (isValid && evaluated === undefined) break;
        if (runApart(node, value, check, evaluated)) isValid = true;
      }
      return isValid || check.fail("must match a schema in anyOf");
    });
};

export const readOneOf: KeywordReader = (written, context) => {
  const nodes = readNodes("oneOf", written, context);
  return (value, check, evaluated) =>
    check.attempt(() => {
      let valid = 0;
      for (const node of nodes) {
        if (runApart(node, value, check, evaluated)) valid += 1;
        if (valid > 1) break;
      }
      return valid === 1 || check.fail("must match exactly one schema in oneOf");
    });
};

export const readNot: KeywordReader = (written, { inPlaceAt }) => {
  const node = inPlaceAt(written, "not");
  return (value, check) =>
    !check.attempt(() => check.run(node, value), "always") || check.fail("must NOT be valid");
};

/** With `then` and `else`. */
export const readIf: KeywordReader = (written, context) => {
  const condition = context.inPlaceAt(written, "if");
  const branch = (keyword: "then" | "else"): Assertion | undefined => {
    if (!Object.hasOwn(context.schema, keyword)) return undefined;
    const node = context.inPlaceAt(context.schema[keyword], keyword);
    return (value, check, evaluated) =>
      check.run(node, value, evaluated) || check.fail(`must match "${keyword}" schema`);
  };
  const whenTrue = branch("then");
  const whenFalse = branch("else");
  return (value, check, evaluated) => {
    const holds = check.attempt(() => runApart(condition, value, check, evaluated), "always");
    const next = holds ? whenTrue : whenFalse;
    return next === undefined || next(value, check, evaluated);
  };
};
