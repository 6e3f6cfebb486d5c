/**
 * What stands in a form, and the arguments that it makes. A field that nobody touched has no entry: it is left out of the arguments, since an empty text
 * and no text are two things to a tool.
 */
import { isRecord, type Field } from "./form-fields.ts";

/** By the path of the field. The value is as it was typed. */
export type FormValues = Readonly<Record<string, string>>;

export interface FormProblem {
  readonly key: string;
  readonly message: string;
}

export interface FormArguments {
  readonly arguments: Record<string, unknown>;
  readonly problems: readonly FormProblem[];
}

/** The key of a field in the values. */
export function keyOf({ path }: Pick<Field, "path">): string {
  return JSON.stringify(path);
}

/** A field of a group that is not required asks for nothing as long as the whole group is untouched. */
export function formArguments(fields: readonly Field[], values: FormValues): FormArguments {
  const problems: FormProblem[] = [];
  return { arguments: objectOf(fields, values, problems), problems };
}

function objectOf(
  fields: readonly Field[],
  values: FormValues,
  problems: FormProblem[],
): Record<string, unknown> {
  const made: [string, unknown][] = [];
  for (const field of fields) {
    if (field.type === "group") {
      if (!field.isRequired && !isTouched(field.fields, values)) continue;
      made.push([field.name, objectOf(field.fields, values, problems)]);
      continue;
    }
    const key = keyOf(field);
    const text = values[key];
    if (text === undefined) {
      if (field.isRequired) problems.push({ key, message: "This is required." });
      continue;
    }
    const read = readField(field, text);
    if ("problem" in read) problems.push({ key, message: read.problem });
    else made.push([field.name, read.value]);
  }
  // A name such as `__proto__` is a name like any other.
  return Object.fromEntries(made);
}

function readField(
  field: Exclude<Field, { type: "group" }>,
  text: string,
): { value: unknown } | { problem: string } {
  switch (field.type) {
    case "text":
      return { value: text };
    case "boolean":
      return { value: text === "true" };
    case "choice": {
      const option = field.options.find((one) => JSON.stringify(one) === text);
      return option === undefined ? { problem: "This is no choice." } : { value: option };
    }
    case "number": {
      const value = text.trim() === "" ? Number.NaN : Number(text);
      if (!Number.isFinite(value)) return { problem: "This is no number." };
      if (field.isInteger && !Number.isInteger(value))
        return { problem: "This is no whole number." };
      return { value };
    }
    case "json":
      try {
        return { value: JSON.parse(text) as unknown };
      } catch {
        return { problem: "This is no JSON." };
      }
  }
}

function isTouched(fields: readonly Field[], values: FormValues): boolean {
  return fields.some((field) =>
    field.type === "group" ? isTouched(field.fields, values) : values[keyOf(field)] !== undefined,
  );
}

/** Returns undefined for arguments that the form cannot show whole: a name without a field, or a value of another type. */
export function formValues(
  fields: readonly Field[],
  given: Readonly<Record<string, unknown>>,
): FormValues | undefined {
  const values: Record<string, string> = {};
  return fill(fields, given, values) ? values : undefined;
}

function fill(
  fields: readonly Field[],
  given: Readonly<Record<string, unknown>>,
  values: Record<string, string>,
): boolean {
  const known = new Map(fields.map((field) => [field.name, field]));
  return Object.entries(given).every(([name, value]) => {
    const field = known.get(name);
    if (field === undefined) return false;
    if (field.type === "group") {
      // An empty group would be left out by the form, which is another thing.
      const isEmpty = isRecord(value) && Object.keys(value).length === 0 && !field.isRequired;
      return isRecord(value) && !isEmpty && fill(field.fields, value, values);
    }
    const text = textOf(field, value);
    if (text === undefined) return false;
    values[keyOf(field)] = text;
    return true;
  });
}

function textOf(field: Exclude<Field, { type: "group" }>, value: unknown): string | undefined {
  switch (field.type) {
    case "text":
      return typeof value === "string" ? value : undefined;
    case "boolean":
      return typeof value === "boolean" ? String(value) : undefined;
    case "choice":
      return field.options.some((option) => option === value) ? JSON.stringify(value) : undefined;
    case "number":
      return typeof value === "number" && (!field.isInteger || Number.isInteger(value))
        ? String(value)
        : undefined;
    case "json":
      return JSON.stringify(value, null, 2);
  }
}
