/** The language of a pack's templates. */
import { z } from "zod";
import { listOf } from "./lists-and-maps.ts";

/** Features that the specification knows and that are not rendered here. */
export const UNSUPPORTED_FEATURES = ["conditionals", "loops", "filters"] as const;

export const templateEngineSchema = z.strictObject({
  version: z.string(),
  syntax: z.string(),
  features: listOf(z.enum(["basic_substitution", "fragments", ...UNSUPPORTED_FEATURES])).optional(),
});
