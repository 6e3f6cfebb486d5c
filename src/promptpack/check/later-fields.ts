/**
 * Fields that later versions of the specification have, and some that only libraries know. A pack with one of them is refused in
 * words that name its version: nothing in it is misspelt, so a hint at a field of a similar name would lead astray.
 */
import type { FieldPath } from "../../api/fields/problems.ts";
import type { PromptPackDocument } from "../document/prompt-pack-document.ts";
import type { PackRemark } from "./check-pack.ts";

/** The version of the specification that is read here. */
export const SPECIFICATION = "1.4";

interface LaterField {
  /** `*` stands for every key of a map, and every item of a list. */
  readonly path: readonly string[];
  /** What it belongs to, and what to do. The sentence begins with the name of the field. */
  readonly message: string;
}

const laterThan = (version: string, rest: string): string =>
  `belongs to specification ${version} of PromptPack, and this version takes ${SPECIFICATION}; ${rest}`;

/** A version of the specification that adds fields gets its lines here. */
const LATER_FIELDS: readonly LaterField[] = [
  {
    path: ["compositions"],
    message: laterThan("1.5", "remove it: an agent runs one prompt, and no steps over several"),
  },
  {
    path: ["workflow", "states", "*", "composition"],
    message: laterThan("1.5", "name a prompt in prompt_task instead"),
  },
  {
    path: ["agents", "members", "*", "state"],
    message: laterThan("1.5", "remove it"),
  },
  {
    path: ["requires"],
    message: laterThan("1.5", "remove it: provider of the AgentRuntime says which model runs"),
  },
  { path: ["tools", "*", "action_scope"], message: laterThan("1.6", "remove it") },
  { path: ["tools", "*", "extensions"], message: laterThan("1.6", "remove it") },
  { path: ["agents", "members", "*", "governance"], message: laterThan("1.6", "remove it") },
  {
    path: ["workflow", "states", "*", "control"],
    message: laterThan("1.7", "remove it: behind a transition the model goes on in the same turn"),
  },
  { path: ["prompts", "*", "validators", "*", "id"], message: laterThan("1.8", "remove it") },
  ...[
    ["prompts", "*"],
    ["prompts", "*", "validators", "*"],
    ["prompts", "*", "evals", "*"],
    ["evals", "*"],
    ["workflow", "states", "*"],
    ["agents", "members", "*"],
  ].map((holder) => ({
    path: [...holder, "extensions"],
    message: laterThan("1.8", "remove it"),
  })),
  {
    path: ["prompts", "*", "provider"],
    message: laterThan("1.9", "remove it: provider of the AgentRuntime says which model runs"),
  },
  {
    path: ["prompts", "*", "user_template"],
    message: `is not part of specification ${SPECIFICATION}, which this version takes, nor of 1.5: the message of the user goes to the model as it is; put instructions into system_template`,
  },
];
/** More of them are not listed: nobody reads them. */
const MAX_FOUND = 64;

const UNKNOWN_FIELD = /^unknown field/;

/** The later fields of a pack that was not checked yet. */
export function findLaterFields(pack: unknown): PackRemark[] {
  return LATER_FIELDS.flatMap(({ path, message }) =>
    pathsOf(pack, path).map((found) => ({ path: found, message })),
  );
}

/**
 * Puts the remarks on later fields in place of what the schema says about them: that they are unknown, and that something is
 * missing which they replace. Other unknown fields are told apart by the version that `$schema` names.
 */
export function withLaterFields(
  problems: readonly PackRemark[],
  later: readonly PackRemark[],
  pack: unknown,
): PackRemark[] {
  const known = new Set(later.map(({ path }) => JSON.stringify(path)));
  const replaced = new Set(
    later
      .filter(({ path }) => path.at(-1) === "composition")
      .map(({ path }) => JSON.stringify([...path.slice(0, -1), "prompt_task"])),
  );
  const named = namedSpecification(pack);
  return [
    ...later,
    ...problems
      .filter(({ path }) => !known.has(JSON.stringify(path)))
      .filter(({ path, message }) => message !== "required" || !replaced.has(JSON.stringify(path)))
      .map((problem) =>
        named === undefined || !UNKNOWN_FIELD.test(problem.message)
          ? problem
          : {
              path: problem.path,
              message: `unknown field; $schema names specification ${named} of PromptPack, and this version takes ${SPECIFICATION}`,
            },
      ),
  ];
}

/**
 * Validators that refuse by the specification that `$schema` names, and only warn by the one that is read here. Since 1.7 a validator
 * refuses whatever `fail_on_violation` says.
 */
export function validatorsThatOnlyWarn(pack: PromptPackDocument): PackRemark[] {
  const named = namedSpecification(pack);
  if (named === undefined || !isLaterThan(named, "1.6")) return [];
  return Object.entries(pack.prompts).flatMap(([key, { validators = [] }]) =>
    validators.flatMap(({ enabled, fail_on_violation }, index) =>
      enabled === false || fail_on_violation === true
        ? []
        : {
            path: ["prompts", key, "validators", index],
            message: `only warns: $schema names specification ${named} of PromptPack, by which it refuses, and this version takes ${SPECIFICATION}; set fail_on_violation: true`,
          },
    ),
  );
}

function isLaterThan(version: string, other: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split(".").map(Number);
  return major > otherMajor || (major === otherMajor && minor > otherMinor);
}

/** The version in an address like `https://promptpack.org/schema/v1.5.0/promptpack.schema.json`, when it is a later one. */
function namedSpecification(pack: unknown): string | undefined {
  const { $schema } = isObject(pack) ? pack : {};
  if (typeof $schema !== "string" || $schema.length > 2048) return undefined;
  const [, major, minor] = /\bv?(\d{1,4})\.(\d{1,4})(?:\.\d{1,4})?(?=\/|$)/.exec($schema) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  const named = `${Number(major)}.${Number(minor)}`;
  return isLaterThan(named, SPECIFICATION) ? named : undefined;
}

function pathsOf(value: unknown, path: readonly string[], root: FieldPath = []): FieldPath[] {
  const [step, ...rest] = path;
  if (step === undefined) return [root];
  if (step === "*" && Array.isArray(value)) {
    return value.flatMap((item, index) => pathsOf(item, rest, [...root, index]));
  }
  if (!isObject(value)) return [];
  const keys = step === "*" ? Object.keys(value) : Object.hasOwn(value, step) ? [step] : [];
  const found: FieldPath[] = [];
  for (const key of keys) {
    found.push(...pathsOf(value[key], rest, [...root, key]));
    if (found.length >= MAX_FOUND) break;
  }
  return found;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
