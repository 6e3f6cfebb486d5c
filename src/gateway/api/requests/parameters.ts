/** Parameters that several paths have. */
import { z } from "zod";
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from "../../../http-api/paths.ts";

const MAX_CURSOR_LENGTH = 2_048;
const MAX_SEARCH_LENGTH = 256;

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

export const namespaceSchema = z
  .string()
  .regex(DNS_LABEL, "is no name of a namespace")
  .describe("A namespace");
export const nameSchema = z
  .string()
  .regex(DNS_SUBDOMAIN, "is no name of a resource")
  .describe("The name of the resource");

export const objectParameters = z.object({ namespace: namespaceSchema, name: nameSchema });

/** `limit` is text in a URL. One that is larger than allowed gets as many as are. */
export function pageQuery(defaultSize: number) {
  return z.object({
    after: z
      .string()
      .max(MAX_CURSOR_LENGTH)
      .optional()
      .describe("What the part before gave as `next`; without it the list begins"),
    limit: z.coerce
      .number()
      .int()
      .min(1)
      .default(defaultSize)
      .transform((limit) => Math.min(limit, MAX_PAGE_SIZE))
      .describe(`How many items at most; up to ${MAX_PAGE_SIZE}`),
  });
}

export const listQuery = pageQuery(DEFAULT_PAGE_SIZE).extend({
  namespace: namespaceSchema.optional().describe("Only of this namespace"),
  q: z
    .string()
    .max(MAX_SEARCH_LENGTH)
    .optional()
    .describe("Only those whose name, namespace, model or pack has this text in it"),
  phase: z.string().max(64).optional().describe("Only those of this phase"),
});
