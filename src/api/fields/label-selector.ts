/** meta/v1 LabelSelector. */
import { z } from "zod";
import { labelValue } from "./names.ts";
import { atomicList, mapOf, text } from "./types.ts";

const MAX_REQUIREMENTS = 32;
const MAX_VALUES = 128;
const MAX_KEY_LENGTH = 317;

export const labelSelectorSchema = z.strictObject({
  matchLabels: mapOf(labelValue(), MAX_REQUIREMENTS)
    .optional()
    .describe("Labels with their values"),
  matchExpressions: atomicList(
    z.strictObject({
      key: text(MAX_KEY_LENGTH).describe("Key of the label"),
      operator: z
        .enum(["In", "NotIn", "Exists", "DoesNotExist"])
        .describe("How the values are compared"),
      values: atomicList(z.string().max(63), MAX_VALUES)
        .optional()
        .describe("Values to compare with"),
    }),
    MAX_REQUIREMENTS,
  )
    .optional()
    .describe("Requirements on labels"),
});
