/** The rules that answers must keep, in both forms in which packs write them. */
import { z } from "zod";
import { listOf } from "./lists-and-maps.ts";

/** The validators in use, with the parameter that the short form `{type: value}` gives. */
const SHORT_FORM_PARAMETERS: Readonly<Record<string, string>> = {
  banned_words: "words",
  max_length: "max_characters",
  min_length: "min_characters",
  length: "max_characters",
  regex_match: "pattern",
  json_schema: "schema",
  max_sentences: "max_sentences",
  required_fields: "fields",
  pii_detection: "types",
};

const validatorSchema = z.strictObject({
  type: z.string().min(1),
  enabled: z.boolean().optional(),
  fail_on_violation: z.boolean().optional(),
  message: z.string().optional(),
  params: z.record(z.string(), z.unknown()).optional(),
});

/** A list of validators, or an object with a field for each of them, such as `{"banned_words": ["competitor"]}`. */
export const validatorsSchema = z.preprocess(
  (written) => (isShortForm(written) ? fromShortForm(written) : written),
  listOf(validatorSchema),
);

function isShortForm(written: unknown): written is Record<string, unknown> {
  return typeof written === "object" && written !== null && !Array.isArray(written);
}

function fromShortForm(written: Record<string, unknown>): unknown[] {
  return Object.entries(written).map(([type, value]) => {
    if (typeof value === "boolean") return { type, enabled: value };
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return {
        type,
        params: type === "json_schema" && !("schema" in value) ? { schema: value } : value,
      };
    }
    return { type, params: { [SHORT_FORM_PARAMETERS[type] ?? "value"]: value } };
  });
}

export type PackValidator = z.output<typeof validatorSchema>;
