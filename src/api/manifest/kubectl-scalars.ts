/**
 * How kubectl reads a plain scalar, which is one without quotes: its parser (go-yaml 2) mixes YAML 1.1 and 1.2. `yes` and `on`
 * are booleans, `0777` and `0o777` are octal, and dates and times of day are strings.
 */
import type { CollectionTag, ScalarTag } from "yaml";

type Plain =
  | { kind: "null"; value: null }
  | { kind: "boolean"; value: boolean }
  | { kind: "integer"; value: bigint }
  | { kind: "float"; value: number }
  | { kind: "string"; value: string };

const NULLS = new Set(["", "~", "null", "Null", "NULL"]);
const TRUE = /^(y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const INFINITE = /^[-+]?\.(inf|Inf|INF)$/;
const NOT_A_NUMBER = /^\.(nan|NaN|NAN)$/;
const INTEGER = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
/** Longer numbers are strings: nobody writes them, and turning them into a number takes long. */
const MAX_NUMBER_LENGTH = 400;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

export function readPlain(text: string): Plain {
  if (NULLS.has(text)) return { kind: "null", value: null };
  if (TRUE.test(text)) return { kind: "boolean", value: true };
  if (FALSE.test(text)) return { kind: "boolean", value: false };
  if (NOT_A_NUMBER.test(text)) return { kind: "float", value: Number.NaN };
  if (INFINITE.test(text)) {
    return { kind: "float", value: text.startsWith("-") ? -Infinity : Infinity };
  }
  if (!/^[-+.0-9]/.test(text) || text.length > MAX_NUMBER_LENGTH) {
    return { kind: "string", value: text };
  }
  // "_" parts the digits of a number. One that begins with a point has it only between two digits.
  const digits = text.replaceAll(text.startsWith(".") ? /(?<=[0-9])_(?=[0-9])/g : "_", "");
  const integer = readInteger(digits);
  if (integer !== undefined) return { kind: "integer", value: integer };
  const float = FLOAT.test(digits) ? Number(digits) : Number.NaN;
  // A number that is too great, like the hash 123e456, counts as text.
  return Number.isFinite(float) ? { kind: "float", value: float } : { kind: "string", value: text };
}

function readInteger(text: string): bigint | undefined {
  const [, sign, digits = ""] = INTEGER.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
  const size = BigInt(octal.toLowerCase());
  const value = sign === "-" ? -size : size;
  const greatest = sign === "" ? MAX_UINT64 : MAX_INT64;
  return value < MIN_INT64 || value > greatest ? undefined : value;
}

/** The name that kubectl gives a field whose name is written as `text` without quotes, or `undefined` when it refuses the name. */
export function plainKey(text: string): string | undefined {
  const plain = readPlain(text);
  switch (plain.kind) {
    case "null":
      return undefined;
    case "integer":
      return plain.value > MAX_INT64 ? undefined : `${plain.value}`;
    case "float":
      return formatFloat(plain.value);
    case "boolean":
    case "string":
      return `${plain.value}`;
  }
}

/** The shortest text that means the same number with 32 bits, as kubectl writes a number that is the name of a field. */
function formatFloat(value: number): string {
  const single = Math.fround(value);
  if (Number.isNaN(single)) return ".nan";
  if (!Number.isFinite(single)) return single < 0 ? "-.inf" : ".inf";
  const sign = single < 0 || Object.is(single, -0) ? "-" : "";
  const size = Math.abs(single);
  if (size === 0) return `${sign}0`;
  let written = "";
  for (let digits = 1; digits <= 9; digits += 1) {
    written = size.toExponential(digits - 1);
    if (Math.fround(Number(written)) === size) break;
  }
  const [mantissa = "", exponent = "0"] = written.split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return sign + decimal(mantissa, power);
  const padded = `${Math.abs(power)}`.padStart(2, "0");
  return `${sign}${mantissa}e${power < 0 ? "-" : "+"}${padded}`;
}

function decimal(mantissa: string, power: number): string {
  const digits = mantissa.replace(".", "");
  if (power < 0) return `0.${"0".repeat(-power - 1)}${digits}`;
  if (digits.length <= power + 1) return digits.padEnd(power + 1, "0");
  return `${digits.slice(0, power + 1)}.${digits.slice(power + 1)}`;
}

const PREFIX = "tag:yaml.org,2002:";
/** Tags of the `yaml` package that are taken as they are. */
const TAKEN = new Set(["map", "seq", "str", "merge"].map((name) => PREFIX + name));

/** The tags of a schema of the `yaml` package, with which it reads scalars as kubectl does. */
export function kubectlTags(
  tags: (ScalarTag | CollectionTag | string)[],
): (ScalarTag | CollectionTag)[] {
  return [
    ...tags.flatMap((tag) => (typeof tag === "object" && TAKEN.has(tag.tag) ? [tag] : [])),
    { tag: `${PREFIX}float`, default: true, test: /^[-+.0-9]/, resolve: plainValue },
    { tag: `${PREFIX}bool`, default: true, test: /^[yYnNtTfFoO]/, resolve: plainValue },
    { tag: `${PREFIX}null`, default: true, test: /^(~|null|Null|NULL)?$/, resolve: () => null },
    tagged("null", ["null"]),
    tagged("bool", ["boolean"]),
    tagged("int", ["integer"]),
    tagged("float", ["float", "integer"]),
    { tag: `${PREFIX}timestamp`, default: false, resolve: (text) => text },
    {
      tag: `${PREFIX}binary`,
      default: false,
      resolve(text, onError) {
        if (!BASE64.test(text.replaceAll(/\s/g, ""))) onError("the value does not fit the tag");
        return Buffer.from(text, "base64").toString("utf8");
      },
    },
  ];
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** What is written with a tag must be of its type. */
function tagged(name: string, kinds: readonly Plain["kind"][]): ScalarTag {
  return {
    tag: PREFIX + name,
    default: false,
    resolve(text, onError) {
      if (!kinds.includes(readPlain(text).kind)) onError("the value does not fit the tag");
      return plainValue(text);
    },
  };
}

function plainValue(text: string): string | number | boolean | null {
  const { value } = readPlain(text);
  return typeof value === "bigint" ? Number(value) : value;
}
