/** Keywords that judge objects, and let everything else pass. */
import {
  type Assertion,
  type Evaluated,
  isObject,
  type JSONObject,
  type KeywordContext,
  type KeywordReader,
  type Checking,
} from "./schema-node.ts";
import { countMessage, patternTest, readCount } from "./string-keywords.ts";

/** To look up a name, and to list one. */
const NAME_STEPS = 5;
const LISTED_NAME_STEPS = 50;

type ObjectAssertion = (
  value: JSONObject,
  check: Checking,
  evaluated: Evaluated | undefined,
) => boolean;

function ofObjects(assertion: ObjectAssertion): Assertion {
  return (value, check, evaluated) => !isObject(value) || assertion(value, check, evaluated);
}

function sizeKeyword(keyword: string, side: "most" | "least"): KeywordReader {
  return (written, context) => {
    const limit = readCount(keyword, written, context);
    return ofObjects((value, check) => {
      const { length } = Object.keys(value);
      check.take(LISTED_NAME_STEPS * length);
      const holds = side === "most" ? length <= limit : length >= limit;
      return holds || check.fail(countMessage(side, limit, "properties"));
    });
  };
}

export const readMaxProperties = sizeKeyword("maxProperties", "most");
export const readMinProperties = sizeKeyword("minProperties", "least");

export const readRequired: KeywordReader = (written, { refuse }) => {
  if (!isListOfNames(written)) {
    const cure =
      typeof written === "boolean"
        ? ", in the object that the field is one of the properties of"
        : "";
    return refuse(`must be a list of names${cure}`, "required");
  }
  return ofObjects((value, check) => {
    check.take(NAME_STEPS * written.length);
    let isValid = true;
    for (const name of written) {
      if (Object.hasOwn(value, name)) continue;
      isValid = check.fail(`must have required property '${name}'`);
    }
    return isValid;
  });
};

function isListOfNames(written: unknown): written is readonly string[] {
  return Array.isArray(written) && written.every((name) => typeof name === "string");
}

export const readPropertyNames: KeywordReader = (written, { nodeAt }) => {
  const node = nodeAt(written, "propertyNames");
  return ofObjects((value, check) => {
    let isValid = true;
    for (const name of Object.keys(value)) {
      check.take(LISTED_NAME_STEPS);
      if (!check.run(node, name)) isValid = check.fail("property name must be valid");
    }
    return isValid;
  });
};

function readMap(keyword: string, written: unknown, { refuse }: KeywordContext): JSONObject {
  return isObject(written) ? written : refuse("must be a mapping", keyword);
}

export const readProperties: KeywordReader = (written, context) => {
  const nodes = Object.entries(readMap("properties", written, context)).map(
    ([name, schema]) => [name, context.nodeAt(schema, "properties", name)] as const,
  );
  return ofObjects((value, check, evaluated) => {
    check.take(NAME_STEPS * nodes.length);
    let isValid = true;
    for (const [name, node] of nodes) {
      if (!Object.hasOwn(value, name)) continue;
      evaluated?.names.add(name);
      if (!check.runAt(name, node, value[name])) isValid = false;
    }
    return isValid;
  });
};

export const readPatternProperties: KeywordReader = (written, context) => {
  const nodes = Object.entries(readMap("patternProperties", written, context)).map(
    ([pattern, schema]) => ({
      test: patternTest(pattern, context, "patternProperties", pattern),
      node: context.nodeAt(schema, "patternProperties", pattern),
    }),
  );
  return ofObjects((value, check, evaluated) => {
    let isValid = true;
    for (const { test, node } of nodes) {
      for (const [name, property] of Object.entries(value)) {
        if (!test(name, check)) continue;
        evaluated?.names.add(name);
        if (!check.runAt(name, node, property)) isValid = false;
      }
    }
    return isValid;
  });
};

/** For the properties that neither `properties` nor `patternProperties` speaks of. */
export const readAdditionalProperties: KeywordReader = (written, context) => {
  const { properties, patternProperties } = context.schema;
  const known = new Set(isObject(properties) ? Object.keys(properties) : []);
  const tests = Object.keys(isObject(patternProperties) ? patternProperties : {}).map((pattern) =>
    patternTest(pattern, context, "patternProperties", pattern),
  );
  const node = written === false ? undefined : context.nodeAt(written, "additionalProperties");
  return ofObjects((value, check, evaluated) => {
    let isValid = true;
    for (const [name, property] of Object.entries(value)) {
      check.take(LISTED_NAME_STEPS);
      if (known.has(name) || tests.some((test) => test(name, check))) continue;
      evaluated?.names.add(name);
      if (node === undefined) isValid = check.fail("must NOT have additional properties");
      else if (!check.runAt(name, node, property)) isValid = false;
    }
    return isValid;
  });
};

export const readDependentRequired: KeywordReader = (written, context) =>
  readDependencies("dependentRequired", written, context);

export const readDependentSchemas: KeywordReader = (written, context) =>
  readDependencies("dependentSchemas", written, context);

/** Of both kinds, as they were written before there was a keyword for each. */
export const readOldDependencies: KeywordReader = (written, context) =>
  readDependencies("dependencies", written, context);

function readDependencies(
  keyword: "dependentRequired" | "dependentSchemas" | "dependencies",
  written: unknown,
  context: KeywordContext,
): Assertion {
  const dependencies = Object.entries(readMap(keyword, written, context)).map(([name, asked]) => {
    if (isListOfNames(asked) && keyword !== "dependentSchemas") return { name, names: asked };
    if (keyword === "dependentRequired")
      return context.refuse("must be a list of names", keyword, name);
    return { name, node: context.inPlaceAt(asked, keyword, name) };
  });
  return ofObjects((value, check, evaluated) => {
    let isValid = true;
    for (const { name, names = [], node } of dependencies) {
      check.take(NAME_STEPS * (1 + names.length));
      if (!Object.hasOwn(value, name)) continue;
      if (node !== undefined && !check.run(node, value, evaluated)) isValid = false;
      const are = names.length === 1 ? "property" : "properties";
      const message = `must have ${are} ${names.join(", ")} when property ${name} is present`;
      for (const needed of names) {
        if (!Object.hasOwn(value, needed)) isValid = check.fail(message);
      }
    }
    return isValid;
  });
}

export const readUnevaluatedProperties: KeywordReader = (written, { nodeAt }) => {
  const node = written === false ? undefined : nodeAt(written, "unevaluatedProperties");
  return ofObjects((value, check, evaluated) => {
    let isValid = true;
    for (const [name, property] of Object.entries(value)) {
      check.take(LISTED_NAME_STEPS);
      if (evaluated?.names.has(name) === true) continue;
      evaluated?.names.add(name);
      if (node === undefined) isValid = check.fail("must NOT have unevaluated properties");
      else if (!check.runAt(name, node, property)) isValid = false;
    }
    return isValid;
  });
};
