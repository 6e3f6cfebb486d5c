/** What the HTTP API answers in place of what was asked for. */
import { z } from "zod";

export const API_ERROR_CODES = [
  "InvalidRequest",
  "Unauthorized",
  "Forbidden",
  "NotFound",
  "Conflict",
  "TooManyRequests",
  "Unavailable",
  "InternalError",
] as const;

export const apiErrorSchema = z.object({
  error: z.object({
    code: z.enum(API_ERROR_CODES),
    /** A text for people. It names the verb and the resource that the caller lacks, where that is the cause. */
    message: z.string(),
    /** What to do about it: a sentence or a command. */
    cure: z.string().optional(),
  }),
});

export type ApiErrorCode = (typeof API_ERROR_CODES)[number];
export type ApiErrorBody = z.output<typeof apiErrorSchema>;
