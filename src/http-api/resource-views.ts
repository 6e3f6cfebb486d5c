/** What all kinds of resources have in the HTTP API. */
import { z } from "zod";

/** Why a resource is not as it should be, and the one thing to do. */
export const explainViewSchema = z.object({
  summary: z.string(),
  cause: z.string(),
  cure: z.string(),
  /** A command that can be copied. */
  command: z.string().optional(),
  /** The path of the page about this reason, below the documentation. */
  docs: z.string(),
});

export const conditionViewSchema = z.object({
  type: z.string(),
  status: z.enum(["True", "False", "Unknown"]),
  reason: z.string(),
  message: z.string(),
  lastTransitionTime: z.string().optional(),
});

export const eventViewSchema = z.object({
  /** When it was seen last, as RFC 3339 writes it. */
  at: z.string(),
  count: z.int(),
  type: z.enum(["Normal", "Warning"]),
  reason: z.string(),
  message: z.string(),
});

export type ExplainView = z.output<typeof explainViewSchema>;
export type ConditionView = z.output<typeof conditionViewSchema>;
export type EventView = z.output<typeof eventViewSchema>;
