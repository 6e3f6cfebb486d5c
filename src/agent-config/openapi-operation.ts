/** How one operation of an OpenAPI document is offered and called: what the control plane made of the document, as plain JSON. */
import { z } from "zod";
import { TOOL_METHODS } from "../api/choices.ts";

/** How a value is written, in the words of OpenAPI. `json` stands for a parameter with a `content` of JSON. */
const STYLES = [
  "simple",
  "label",
  "matrix",
  "form",
  "spaceDelimited",
  "pipeDelimited",
  "deepObject",
  "json",
] as const;

const parameterSchema = z.strictObject({
  /** Its name in the request. */
  name: z.string(),
  /** The argument that has its value; that of its own name if unset. */
  argument: z.string().optional(),
  in: z.enum(["path", "query", "header", "cookie"]),
  style: z.enum(STYLES),
  explode: z.boolean(),
  /** Reserved characters are sent as they are. Only in the query. */
  allowReserved: z.boolean().optional(),
});

const bodySchema = z.strictObject({
  type: z.enum(["json", "form", "multipart", "text"]),
  /** The content type that is sent. That of `multipart` gets a boundary. */
  mediaType: z.string(),
  /** The argument that is the body. Without it every argument that is no parameter is a field of the body. */
  argument: z.string().optional(),
  /** Whether a body is sent also where no argument is left for it. */
  required: z.boolean(),
  /** How fields of a form are written that are not written as usual. */
  encoding: z
    .record(z.string(), z.strictObject({ style: z.enum(STYLES), explode: z.boolean() }))
    .optional(),
});

export const openApiOperationSchema = z.strictObject({
  /** The name of the tool for the model. */
  name: z.string(),
  description: z.string(),
  /** A JSON Schema object. */
  inputSchema: z.record(z.string(), z.unknown()),
  method: z.enum(TOOL_METHODS),
  /** Without a query. `{name}` in its path is filled with the path parameter of that name. */
  url: z.string(),
  parameters: z.array(parameterSchema),
  body: bodySchema.optional(),
  /** Whether its document says that it answers with HTML. */
  answersHTML: z.boolean().optional(),
});

export type OpenApiOperation = z.output<typeof openApiOperationSchema>;
export type OperationParameter = z.output<typeof parameterSchema>;
export type OperationBody = z.output<typeof bodySchema>;
export type ParameterStyle = (typeof STYLES)[number];
