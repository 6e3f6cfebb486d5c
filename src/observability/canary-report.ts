/** What `/canary` answers: what a replica counted of the version on trial. The agent writes it, and who decides about the version reads it. */
import * as z from "zod";

const count = z.int().min(0);
const MAX_BUCKETS = 64;
const MAX_NAME_LENGTH = 64;

const countsSchema = z.object({
  /** Sessions that began with the version. */
  sessions: count,
  /** Turns that ended, but for those that were cancelled or that the version has nothing to do with. */
  turns: count,
  /** Turns of these that ended in an error. */
  errors: count,
  /** Turns of these that a validator found fault with. */
  validationFailures: count,
  /** Evals that were run on turns of these. */
  evals: count.default(0),
  /** The sum of the scores of these evals, each from 0 to 1, in thousandths. */
  evalPoints: count.default(0),
  /** Turns by the time to their first chunk. */
  firstChunk: z.array(count).max(MAX_BUCKETS),
});

const reportSchema = z.object({
  /** Another one after each restart, since counts begin at zero then. */
  process: z.string().min(1).max(MAX_NAME_LENGTH),
  /** The step that is counted for. Unset while there is no canary. */
  trial: z.string().min(1).max(MAX_NAME_LENGTH).optional(),
  counts: countsSchema.optional(),
  /** What was counted in the same time of the active version. An earlier release does not tell it. */
  activeCounts: countsSchema.optional(),
});

export type CanaryReport = z.output<typeof reportSchema>;

/** `undefined` when the body is no such answer. It may be that of a program of somebody else. */
export function readCanaryReport(body: string): CanaryReport | undefined {
  try {
    return reportSchema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
