/** A page for each kind: its fields with type, default, rule and example. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { customResourceDefinitions } from "../../src/api/crd.ts";
import type { OmniaKind } from "../../src/api/group.ts";
import type { StructuralSchema } from "../../src/api/structural-schema.ts";
import { code, page, sentence, table, type Page } from "./markdown.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Where examples are taken from, the ones that show most first. */
const EXAMPLES = ["examples", "test/support/documents/reference-blocks", "docs"];
/** Fields of Kubernetes' own, which its documentation describes. */
const OF_KUBERNETES = new Set(["spec.affinity"]);
const MAX_EXAMPLE_CHARACTERS = 60;
const SOURCES: Readonly<Record<OmniaKind, string>> = {
  AgentRuntime: "src/api/agent-runtime.ts",
  PromptPack: "src/api/prompt-pack.ts",
  ToolRegistry: "src/api/tool-registry.ts",
};

interface Definition {
  spec: {
    group: string;
    names: { kind: OmniaKind; plural: string; shortNames: string[] };
    versions: { name: string; schema: { openAPIV3Schema: StructuralSchema } }[];
  };
}

interface Field {
  readonly path: string;
  readonly schema: StructuralSchema;
  readonly required: boolean;
}

interface Rule {
  message: string;
  fieldPath?: string;
}

export function kindPages(): Page[] {
  const examples = exampleManifests();
  return (customResourceDefinitions() as Definition[]).map(({ spec }) => {
    const { kind, plural, shortNames } = spec.names;
    const [version] = spec.versions;
    if (version === undefined) throw new Error(`${kind} has no version`);
    const schema = version.schema.openAPIV3Schema;
    const fields = fieldsOf(schema, "", false);
    const values = examples.filter((manifest) => manifest["kind"] === kind);
    const section = (part: string): string[] =>
      [...groups(fields.filter(({ path }) => path.startsWith(`${part}.`)))].flatMap(
        ([heading, rows]) => [
          `## ${heading}`,
          table(
            ["field", "what it is", "type", "default", "rule", "example"],
            rows.map((field) => rowOf(field, part === "spec" ? values : [])),
          ),
        ],
      );
    const rules = rulesOf(schema, "");
    return page(
      `reference/kinds/${kind.toLowerCase()}.md`,
      { title: kind, source: SOURCES[kind] },
      [
        sentence(schema.description ?? ""),
        `\`apiVersion: ${spec.group}/${version.name}\`, \`kind: ${kind}\`; for kubectl \`${plural}\`, or \`${shortNames.join("`, `")}\`.`,
        "A field that is not here is refused, with the name of the one that was probably meant.",
        ...section("spec"),
        ...(rules.length === 0
          ? []
          : [
              "## Rules between fields",
              table(
                ["field", "rule"],
                rules.map((rule) => [code(rule.path), sentence(rule.message)]),
              ),
            ]),
        "## The status",
        "What the operator or `omnia up` writes, for people and for programs. [Conditions](../conditions.md) has every reason.",
        ...section("status"),
      ],
    );
  });
}

/** Every field below the schema. `[]` is an entry of a list, `*` a key of a map. */
function fieldsOf(schema: StructuralSchema, path: string, required: boolean): Field[] {
  const self = path === "" ? [] : [{ path, schema, required }];
  if (OF_KUBERNETES.has(path)) return self;
  const { properties = {}, items, additionalProperties } = schema;
  const below = Object.entries(properties).flatMap(([name, child]) =>
    fieldsOf(
      child,
      path === "" ? name : `${path}.${name}`,
      schema.required?.includes(name) === true,
    ),
  );
  const entry = items === undefined ? [] : fieldsOf(items, `${path}[]`, false).slice(1);
  const values =
    additionalProperties === undefined
      ? []
      : fieldsOf(additionalProperties, `${path}.*`, false).slice(1);
  return [...self, ...below, ...entry, ...values];
}

/** Heading → its fields: those that stand directly in spec or status, then each object with what is below it. */
function groups(fields: readonly Field[]): Map<string, Field[]> {
  const parents = new Set(
    fields.flatMap(({ path }) => (topOf(path).length < path.length ? [topOf(path)] : [])),
  );
  const grouped = new Map<string, Field[]>();
  for (const field of fields) {
    const top = topOf(field.path);
    const heading = parents.has(top) ? top : (field.path.split(".")[0] ?? "");
    grouped.set(heading, [...(grouped.get(heading) ?? []), field]);
  }
  return new Map(
    [...grouped].toSorted(
      ([one], [other]) => Number(one.includes(".")) - Number(other.includes(".")),
    ),
  );
}

/** `spec.provider` of `spec.provider.parameters.temperature`. */
function topOf(path: string): string {
  return path.split(/[.[]/).slice(0, 2).join(".");
}

function rowOf({ path, schema, required }: Field, manifests: readonly object[]): string[] {
  return [
    code(path),
    sentence(schema.description ?? ""),
    typeOf(schema),
    schema.default === undefined ? "" : code(JSON.stringify(schema.default)),
    ruleOf(schema, required),
    exampleOf(path, manifests),
  ];
}

function typeOf(schema: StructuralSchema): string {
  if (schema["x-kubernetes-int-or-string"] === true) return "integer or string";
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}s`;
  if (schema.additionalProperties !== undefined)
    return `map to ${typeOf(schema.additionalProperties)}`;
  return schema.type ?? "any";
}

function ruleOf(schema: StructuralSchema, required: boolean): string {
  const {
    enum: choices,
    minimum,
    maximum,
    minLength,
    maxLength,
    minItems,
    maxItems,
    maxProperties,
  } = schema as Record<string, number | undefined> & { enum?: unknown[] };
  // What an int32 has by its type says nothing.
  const most = maximum === 2_147_483_647 ? undefined : maximum;
  return [
    required ? "required" : "",
    choices === undefined
      ? ""
      : `one of ${choices.map((choice) => code(choice === "" ? '""' : String(choice))).join(", ")}`,
    range(minimum === -2_147_483_648 ? undefined : minimum, most, ""),
    range(minLength === 0 ? undefined : minLength, maxLength, " characters"),
    range(minItems, maxItems, " entries"),
    range(undefined, maxProperties, " keys"),
    schema.pattern === undefined ? "" : `matches ${code(schema.pattern)}`,
  ]
    .filter((part) => part !== "")
    .join("; ");
}

function range(from: number | undefined, to: number | undefined, unit: string): string {
  if (from === undefined && to === undefined) return "";
  if (from === undefined) return `at most ${to}${unit}`;
  return to === undefined ? `at least ${from}${unit}` : `${from} to ${to}${unit}`;
}

/** The first value that a manifest of the repository has there. */
function exampleOf(path: string, manifests: readonly object[]): string {
  for (const manifest of manifests) {
    const value = valueAt(manifest, path.split("."));
    if (value === undefined || typeof value === "object") continue;
    const text = JSON.stringify(value);
    if (text.length <= MAX_EXAMPLE_CHARACTERS)
      return code(typeof value === "string" ? value : text);
  }
  return "";
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (typeof value !== "object" || value === null) return undefined;
  const name = step.replace(/\[\]$/, "");
  const found = name === "*" ? Object.values(value)[0] : (value as Record<string, unknown>)[name];
  return valueAt(step.endsWith("[]") && Array.isArray(found) ? found[0] : found, rest);
}

function rulesOf(schema: StructuralSchema, path: string): { path: string; message: string }[] {
  const own = ((schema["x-kubernetes-validations"] ?? []) as Rule[]).map(
    ({ message, fieldPath = "" }) => ({
      path: `${path}${fieldPath}`,
      message,
    }),
  );
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
    rulesOf(child, path === "" ? name : `${path}.${name}`),
  );
  const items = schema.items === undefined ? [] : rulesOf(schema.items, `${path}[]`);
  const values =
    schema.additionalProperties === undefined
      ? []
      : rulesOf(schema.additionalProperties, `${path}.*`);
  const all = [...own, ...below, ...items, ...values];
  return all.filter(
    (rule, index) =>
      all.findIndex((other) => other.path === rule.path && other.message === rule.message) ===
      index,
  );
}

function exampleManifests(): Record<string, unknown>[] {
  return EXAMPLES.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .toSorted()
      .flatMap((file) => {
        if (!/\.(yaml|md)$/.test(file)) return [];
        const text = readFileSync(join(ROOT, folder, file), "utf8");
        if (file.endsWith(".yaml")) return manifestsIn(text);
        return [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].flatMap(([, block = ""]) =>
          manifestsIn(block),
        );
      }),
  );
}

/** A part of a manifest is taken for one of an agent. */
function manifestsIn(text: string): Record<string, unknown>[] {
  return parseAllDocuments(text)
    .filter((document) => !("empty" in document) && document.errors.length === 0)
    .map((document) => document.toJS() as unknown)
    .filter((value) => typeof value === "object" && value !== null)
    .map((value) => ({ kind: "AgentRuntime", ...value }));
}
