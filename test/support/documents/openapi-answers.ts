/** Checks the answers of an HTTP API against its own description. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { z } from "zod";

const mediaSchema = z.object({ schema: z.record(z.string(), z.unknown()) });
const operationSchema = z.object({
  summary: z.string().min(1),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.enum(["path", "query", "header"]),
        required: z.boolean().optional(),
        schema: z.record(z.string(), z.unknown()),
      }),
    )
    .default([]),
  requestBody: z.object({ content: z.record(z.string(), mediaSchema) }).optional(),
  responses: z.record(
    z.string().regex(/^[1-5]\d\d$/),
    z.object({
      description: z.string().min(1),
      content: z.record(z.string(), mediaSchema).optional(),
    }),
  ),
});

/** What this project uses of OpenAPI 3.1, and no more. */
export const openAPISchema = z.object({
  openapi: z.string().regex(/^3\.1\./),
  info: z.object({ title: z.string(), version: z.string() }),
  paths: z.record(
    z.string().startsWith("/"),
    z.partialRecord(z.enum(["get", "post", "delete"]), operationSchema),
  ),
  components: z.object({ schemas: z.record(z.string(), z.unknown()).optional() }).optional(),
});

export type OpenAPIDocument = z.output<typeof openAPISchema>;

export class DescribedAnswers {
  readonly #document: OpenAPIDocument;
  readonly #ajv: Ajv2020;

  constructor(document: OpenAPIDocument) {
    this.#document = document;
    this.#ajv = new Ajv2020({ strict: false, validateFormats: false });
    this.#ajv.addSchema({ $id: "openapi", components: document.components ?? {} });
  }

  /** Everything that is wrong with the description itself. */
  problems(): string[] {
    return Object.entries(this.#document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, operation]) => {
        const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
        const given = operation.parameters
          .filter((one) => one.in === "path")
          .map(({ name }) => name);
        const wrong =
          named.toSorted().join() === given.toSorted().join() ? [] : ["parameters of the path"];
        for (const [status, { content = {} }] of Object.entries(operation.responses)) {
          for (const media of Object.values(content)) this.#compile(media.schema);
          if (status.startsWith("2") && status !== "204" && Object.keys(content).length === 0) {
            wrong.push(`no content of ${status}`);
          }
        }
        return wrong.map((what) => `${method} ${path}: ${what}`);
      }),
    );
  }

  /** Why the answer is not as the document says; empty when it is. `path` is that of the document, with its parameters. */
  check(method: "get" | "post" | "delete", path: string, status: number, body: unknown): string[] {
    const operation = this.#document.paths[path]?.[method];
    if (operation === undefined) return [`${method} ${path} is not described`];
    const response = operation.responses[String(status)];
    if (response === undefined) return [`${method} ${path}: ${status} is not described`];
    const schema = response.content?.["application/json"]?.schema;
    if (schema === undefined) return [];
    const validate = this.#compile(schema);
    if (validate(body)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message }) => `${method} ${path}: ${instancePath} ${message ?? ""}`,
    );
  }

  #compile(schema: object): ValidateFunction {
    const text = JSON.stringify(schema).replaceAll('"#/components/', '"openapi#/components/');
    return this.#ajv.compile(JSON.parse(text) as object);
  }
}
