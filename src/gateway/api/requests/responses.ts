/** How the paths of the API describe what they answer. */
import { extendZodWithOpenApi } from "@hono/zod-openapi";
import { z } from "zod";
import { apiErrorSchema } from "../../../http-api/api-error.ts";

extendZodWithOpenApi(z);

/**
 * Gives the schema a name in the description of the API, so that what is made from the description has names too. Only a schema that
 * was made after zod was extended can be named, so a copy of it is.
 */
export function named<Schema extends z.ZodType>(name: string, schema: Schema): Schema {
  return schema.clone().openapi(name);
}

const error = (description: string) => ({
  description,
  content: { "application/json": { schema: named("ApiError", apiErrorSchema) } },
});

/** What every path may answer. */
export const ERRORS = {
  400: error("The request cannot be understood"),
  401: error("The caller has to say who it is"),
  404: error("There is no such thing, or none that the caller may see"),
  503: error("It cannot be answered just now"),
} as const;

export const FORBIDDEN = {
  403: error("The caller may see the agent and may not do this; the message names the right"),
} as const;

export const TOO_MANY = {
  429: error("The caller has as many of these open as one caller may"),
} as const;

export function answers<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}
