import { describe, expect, it } from "vitest";
import { compileSchema } from "../../promptpack/schema/compile-schema.ts";
import { convertOperations, type ConvertOptions } from "./convert-operations.ts";

const RULE = {
  url: "https://shop.example/v1/openapi.json",
  allowedAddresses: [],
  hasCredential: false,
};

function aDocument(paths: object, more: object = {}): object {
  return { openapi: "3.1.0", info: { title: "Shop", version: "1" }, paths, ...more };
}

function convert(document: unknown, options: Partial<ConvertOptions> = {}) {
  return convertOperations(document, { ...RULE, ...options });
}

/** What one operation of a document becomes. */
function one(operation: object, more: object = {}, path = "/orders", method = "post") {
  const { tools, unsupported } = convert(aDocument({ [path]: { [method]: operation } }, more));
  return { tool: tools[0], unsupported };
}

function body(schema: object, type = "application/json", required = true): object {
  return { requestBody: { required, content: { [type]: { schema } } } };
}

describe("an OpenAPI document", () => {
  it("gives its operations, with the plan of their requests", () => {
    const order = {
      operationId: "createOrder",
      summary: "Creates an order",
      parameters: [{ name: "dry", in: "query", schema: { type: "boolean" } }],
      ...body({ $ref: "#/components/schemas/Order" }),
    };
    const components = {
      schemas: {
        Order: { type: "object", properties: { item: { type: "string" } }, required: ["item"] },
      },
    };
    const document = aDocument({ "/orders": { post: order } }, { components });
    expect(convert(document)).toEqual({
      tools: [
        {
          name: "createOrder",
          description: "Creates an order",
          inputSchema: {
            type: "object",
            properties: { dry: { type: "boolean" }, item: { type: "string" } },
            required: ["item"],
          },
          method: "POST",
          url: "https://shop.example/orders",
          parameters: [{ name: "dry", in: "query", style: "form", explode: true }],
          body: { type: "json", mediaType: "application/json", required: true },
        },
      ],
      unsupported: [],
    });
  });

  it.each([
    [{ swagger: "2.0", paths: {} }, /Swagger 2; convert it/],
    [{ openapi: "2.0.0", paths: {} }, /no OpenAPI document of version/],
    [{ openapi: "4.0.0", paths: {} }, /no OpenAPI document of version/],
    [{}, /no OpenAPI document/],
    [[], /no OpenAPI document/],
    [null, /no OpenAPI document/],
    ["openapi: 3.0.0", /no OpenAPI document/],
    [{ openapi: "3.1.0" }, /no operations/],
    [{ openapi: "3.1.0", paths: [] }, /no operations/],
    [{ openapi: "3.1.0", paths: { "/x": null, "/y": { get: 5 } } }, /no operations/],
  ])("is refused when it is %j", (document, message) => {
    expect(() => convert(document)).toThrow(message);
  });

  it("with more than 64 operations needs allow", () => {
    const paths = Object.fromEntries(
      Array.from({ length: 65 }, (_, index) => [
        `/x${index}`,
        { get: { operationId: `x/${index}` } },
      ]),
    );
    const document = aDocument(paths);
    expect(() => convert(document)).toThrow(
      "its document has 65 operations; allow at most 64 of them by name, such as x_0, x_1, x_2, x_3, x_4",
    );
    const allow = ["x_64", "x_3", "no-such-operation"];
    expect(convert(document, { allow }).tools.map(({ name }) => name)).toEqual(["x_3", "x_64"]);
    expect(() => convert(document, { allow: Object.keys(paths).map((_, i) => `x_${i}`) })).toThrow(
      "allow has 65 operations; allow at most 64 of them",
    );
  });

  it("names operations so that every provider takes it, and each once", () => {
    const long = "get_".padEnd(80, "x");
    const names = convert(
      aDocument({
        "/a/{id}": {
          parameters: [],
          get: {},
          put: { operationId: "" },
          delete: { operationId: 5 },
        },
        "/b": { get: { operationId: "do it!" }, put: { operationId: "do it?" } },
        "/c": {
          get: { operationId: long },
          put: { operationId: `${long}y` },
          post: { operationId: "日本" },
        },
      }),
    ).tools.map(({ name }) => name);
    expect(names.slice(0, 5)).toEqual(["get_a_id", "put_a_id", "delete_a_id", "do_it", "do_it_2"]);
    expect(new Set(names).size).toBe(8);
    for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  });

  it("says which of its operations cannot be offered, and why", () => {
    const file = { type: "object", properties: { file: { type: "string", format: "binary" } } };
    const { unsupported } = convert(
      aDocument(
        {
          "/ok": { get: {} },
          "/form": { post: { operationId: "form", ...body(file, "multipart/form-data") } },
          "/raw": { post: { operationId: "raw", ...body({}, "application/octet-stream") } },
          "/xml": { post: { operationId: "xml", ...body({}, "application/xml") } },
          "/picture": {
            get: { operationId: "picture", responses: { 200: { content: { "image/png": {} } } } },
          },
          "/head": { head: { operationId: "head" } },
          "/away": { $ref: "./away.yaml" },
          "/external": {
            get: { operationId: "external", parameters: [{ $ref: "https://x.example/a#/b" }] },
          },
          "/lost": { get: { operationId: "lost", parameters: [{ $ref: "#/components/x" }] } },
          "/loop": { get: { operationId: "loop", parameters: [{ $ref: "#/components/loop" }] } },
          "/csv": {
            get: {
              operationId: "csv",
              parameters: [{ name: "a", in: "query", content: { "text/csv": {} } }],
            },
          },
        },
        { components: { loop: { $ref: "#/components/loop" } } },
      ),
    );
    expect(Object.fromEntries(unsupported.map(({ name, reason }) => [name, reason]))).toEqual({
      form: 'it takes a file ("multipart/form-data"); files cannot be sent',
      raw: 'its body is a file ("application/octet-stream"); files cannot be sent',
      xml: 'its body is "application/xml", which cannot be sent',
      picture: 'its answer is a file ("image/png")',
      head: "its method is HEAD, whose answer says nothing",
      away: expect.stringMatching(/^it refers to another document \("\.\/away\.yaml"\)/) as string,
      external: expect.stringMatching(/^it refers to another document/) as string,
      lost: 'it refers to "#/components/x", which its document does not have',
      loop: "it has references that lead to each other without end",
      csv: 'its parameter "a" is written as "text/csv", which cannot be sent',
    });
  });

  it.each([
    ["multipart/form-data", { type: "string", contentMediaType: "application/octet-stream" }],
    ["multipart/form-data", { type: "array", items: { type: "string", format: "binary" } }],
    ["multipart/form-data", { anyOf: [{ type: "string", format: "binary" }, { type: "null" }] }],
    ["multipart/form-data", { $ref: "#/components/schemas/File" }],
    ["application/x-www-form-urlencoded", { type: "string", format: "binary" }],
  ])("finds the file in a body of %s: %j", (type, field) => {
    const schemas = { File: { allOf: [{ type: "string", format: "binary" }] } };
    const upload = body({ type: "object", properties: { file: field } }, type);
    expect(() => one(upload, { components: { schemas } })).toThrow(/it takes a file/);
  });
});

describe("the server of an operation", () => {
  const at = (servers: unknown, options: Partial<ConvertOptions> = {}, more: object = {}) =>
    convert(aDocument({ "/x": { get: {}, ...more } }, { servers }), options).tools[0]?.url;

  it.each([
    [undefined, "https://shop.example/x"],
    [[], "https://shop.example/x"],
    [[{ url: "/" }], "https://shop.example/x"],
    [[{ url: "/api/v2/" }], "https://shop.example/api/v2/x"],
    [[{ url: "api" }], "https://shop.example/v1/api/x"],
    [[{ url: "" }], "https://shop.example/x"],
    [[{ url: "https://other.example/a" }], "https://other.example/a/x"],
    [
      [{ url: "https://other.example" }, { url: "https://shop.example/b" }],
      "https://shop.example/b/x",
    ],
    [
      [
        {
          url: "{scheme}://{host}/{v}",
          variables: {
            scheme: { default: "https" },
            host: { default: "o.example" },
            v: { default: 2 },
          },
        },
      ],
      "https://o.example/2/x",
    ],
  ])("of %j is found", (servers, url) => {
    expect(at(servers)).toBe(url);
  });

  it("may stand at its path, or at itself", () => {
    const root = [{ url: "/root" }];
    expect(at(root, {}, { servers: [{ url: "/path" }] })).toBe("https://shop.example/path/x");
    const get = { servers: [{ url: "/operation" }] };
    expect(at(root, {}, { servers: [{ url: "/path" }], get })).toBe(
      "https://shop.example/operation/x",
    );
  });

  it("is the one that the entry names, if it names one", () => {
    const servers = [{ url: "http://169.254.169.254/" }];
    expect(at(servers, { server: "/api" })).toBe("https://shop.example/api/x");
    expect(at(servers, { server: "https://api.example/v3/" })).toBe("https://api.example/v3/x");
  });

  it.each([
    ["http://169.254.169.254/latest"],
    ["http://127.0.0.1:8080"],
    ["http://10.0.0.1"],
    ["http://[::1]/"],
    ["http://metadata.google.internal/"],
    ["http://2130706433/"],
  ])("is not %s, which tools may not have as an address", (url) => {
    expect(() => at([{ url }])).toThrow(
      /which tools may not have as an address; set openapi.server/,
    );
  });

  it.each([["ftp://x.example"], ["https://{unknown}.example"], ["https://user:pw@x.example"], [5]])(
    "is not %j, which is no server of HTTP",
    (url) => {
      expect(() => at([{ url }])).toThrow(
        "its document names no server of HTTP; set openapi.server",
      );
    },
  );

  it("of another origin than the document's is sent no credential", () => {
    const servers = [{ url: "https://other.example/v1" }];
    expect(() => at(servers, { hasCredential: true })).toThrow(
      'its document leads to "https://other.example", and only the registry decides who is sent a credential',
    );
    const server = "https://other.example/v1";
    expect(at(servers, { hasCredential: true, server })).toBe("https://other.example/v1/x");
    expect(at([{ url: "/v2" }], { hasCredential: true })).toBe("https://shop.example/v2/x");
  });
});

describe("the arguments of an operation", () => {
  const properties = (operation: object, path = "/orders/{id}", more: object = {}) =>
    one(operation, more, path).tool?.inputSchema["properties"];

  it("say where a parameter is that has the name of a field of the body, or of another parameter", () => {
    const fields = { type: "object", properties: { id: { type: "integer" }, name: {} } };
    const { tool } = one(
      {
        parameters: [
          { name: "id", in: "path", required: true, schema: { type: "string" } },
          { name: "id", in: "query" },
          { name: "a", in: "query" },
          { name: "a", in: "header" },
          { name: "b", in: "query" },
        ],
        ...body(fields),
      },
      {},
      "/orders/{id}",
    );
    expect(Object.keys(tool?.inputSchema["properties"] as object)).toEqual([
      "id__path",
      "id__query",
      "a__query",
      "a__header",
      "b",
      "id",
      "name",
    ]);
    expect(tool?.parameters.map(({ name, argument }) => [name, argument])).toEqual([
      ["id", "id__path"],
      ["id", "id__query"],
      ["a", "a__query"],
      ["a", "a__header"],
      ["b", undefined],
    ]);
  });

  it("stay apart whatever they are called", () => {
    const parameters = [
      "id__query",
      "filter[name]",
      "filter.name",
      "filter_name",
      "$top",
      "日本",
    ].map((name) => ({ name, in: "query" }));
    const operation = {
      parameters: [...parameters, { name: "id", in: "query" }],
      ...body({ type: "object", properties: { id: {} } }),
    };
    expect(Object.keys(properties(operation, "/orders") as object)).toEqual([
      "id__query",
      "filter_name__query",
      "filter.name",
      "filter_name__query_2",
      "top",
      "parameter",
      "id__query_2",
      "id",
    ]);
  });

  it.each([
    { type: "array", items: { type: "string" } },
    { type: "string" },
    {},
    { type: "object" },
    { type: "object", additionalProperties: { type: "string" } },
    { type: "object", properties: { a: {} }, additionalProperties: { type: "string" } },
    { anyOf: [{ type: "object", properties: { a: {} } }, { type: "null" }] },
    { type: ["object", "null"], properties: { a: {} } },
    { oneOf: [{ $ref: "#/components/schemas/A" }, { $ref: "#/components/schemas/A" }] },
  ])("have a body that is no plain object, %j, as one", (schema) => {
    const A = { type: "object", properties: { a: {} } };
    const { tool } = one(body(schema), { components: { schemas: { A } } });
    expect(Object.keys(tool?.inputSchema["properties"] as object)).toEqual(["body"]);
    expect(tool?.inputSchema).toMatchObject({ required: ["body"], additionalProperties: false });
    expect(tool?.body?.argument).toBe("body");
  });

  it("have the fields of a body that is put together of plain objects", () => {
    const schemas = {
      Base: { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
      Order: { allOf: [{ $ref: "#/components/schemas/Base" }, { properties: { b: {} } }] },
    };
    const { tool } = one(body({ $ref: "#/components/schemas/Order" }), { components: { schemas } });
    expect(tool?.inputSchema).toEqual({
      type: "object",
      properties: { a: { type: "string" }, b: {} },
      required: ["a"],
    });
  });

  it.each([
    ["header", "Authorization"],
    ["header", "accept"],
    ["header", "Content-Type"],
    ["header", "Cookie"],
    ["header", "Host"],
    ["header", "Transfer-Encoding"],
    ["header", "X-Omnia-Subject"],
    ["header", "X-API-Key"],
    ["header", "x-token"],
    ["header", "X-Shop"],
    ["query", "api_key"],
    ["query", "code"],
    ["cookie", "session_id"],
  ])("have no parameter of the %s that is called %s", (place, name) => {
    const securitySchemes = {
      shop: { type: "apiKey", in: "header", name: "x-shop" },
      code: { type: "apiKey", in: "query", name: "code" },
      away: { $ref: "https://x.example" },
    };
    const parameters = [
      { name, in: place, required: true },
      { name: "page_token", in: "query" },
    ];
    const found = properties({ parameters }, "/orders", { components: { securitySchemes } });
    expect(Object.keys(found as object)).toEqual(["page_token"]);
  });

  it("have what the template of the path wants, declared or not, and nothing of the path beside it", () => {
    const parameters = [{ name: "other", in: "path", required: true }];
    const { tool } = one({ parameters }, {}, "/orders/{id}/items/{item-id}");
    expect(tool?.inputSchema).toEqual({
      type: "object",
      properties: { id: { type: "string" }, "item-id": { type: "string" } },
      required: ["id", "item-id"],
      additionalProperties: false,
    });
  });

  it("take the parameters of the path, unless the operation has its own", () => {
    const shared = [
      { name: "a", in: "query", schema: { type: "string" } },
      { name: "b", in: "query" },
    ];
    const get = { parameters: [{ name: "a", in: "query", schema: { type: "integer" } }] };
    const { tools } = convert(aDocument({ "/x": { parameters: shared, get } }));
    expect(tools[0]?.inputSchema["properties"]).toEqual({
      a: { type: "integer" },
      b: { type: "string" },
    });
  });

  it.each([
    ["3.0.3", { type: "string", nullable: true }, { type: ["string", "null"] }],
    [
      "3.0.3",
      { enum: ["a"], type: "string", nullable: true },
      { type: ["string", "null"], enum: ["a", null] },
    ],
    [
      "3.0.3",
      { $ref: "#/components/schemas/A", nullable: true },
      { anyOf: [{ $ref: "#/$defs/A" }, { type: "null" }] },
    ],
    [
      "3.0.3",
      { allOf: [{ $ref: "#/components/schemas/A" }], nullable: true },
      { anyOf: [{ allOf: [{ $ref: "#/$defs/A" }] }, { type: "null" }] },
    ],
    ["3.0.3", { minimum: 1, exclusiveMinimum: true }, { exclusiveMinimum: 1 }],
    ["3.0.3", { maximum: 1, exclusiveMaximum: false }, { maximum: 1 }],
    [
      "3.0.3",
      { $ref: "#/components/schemas/A", maxLength: 1, description: "B" },
      { description: "B", $ref: "#/$defs/A" },
    ],
    [
      "3.1.0",
      { $ref: "#/components/schemas/A", maxLength: 1 },
      { maxLength: 1, $ref: "#/$defs/A" },
    ],
    ["3.1.0", { exclusiveMinimum: 1 }, { exclusiveMinimum: 1 }],
    [
      "3.1.0",
      { type: ["string", "null"], examples: ["x"], "x-y": 1, title: "T" },
      { type: ["string", "null"] },
    ],
    [
      "3.1.0",
      { oneOf: [{ type: "string" }, { type: "integer" }] },
      { anyOf: [{ type: "string" }, { type: "integer" }] },
    ],
    ["3.1.0", { type: "string", required: true }, { type: "string" }],
    ["3.1.0", { type: "file" }, {}],
    ["3.1.0", true, {}],
  ])("of OpenAPI %s: %j is told as %j", (openapi, schema, told) => {
    const operation = { parameters: [{ name: "a", in: "query", schema }] };
    const components = { schemas: { A: { type: "string" } } };
    const { tool } = one(operation, { openapi, components });
    expect(tool?.inputSchema["properties"]).toEqual({ a: told });
  });

  it("leave out what only an answer has", () => {
    const schemas = {
      Id: { type: "integer", readOnly: true },
      Order: {
        type: "object",
        required: ["id", "made", "item"],
        properties: {
          id: { $ref: "#/components/schemas/Id" },
          made: { type: "string", readOnly: true },
          item: {
            type: "object",
            properties: { made: { readOnly: true }, name: {} },
            required: ["made"],
          },
          key: { type: "string", writeOnly: true },
        },
      },
    };
    const { tool } = one(body({ $ref: "#/components/schemas/Order" }), { components: { schemas } });
    expect(tool?.inputSchema).toEqual({
      type: "object",
      properties: { item: { type: "object", properties: { name: {} } }, key: { type: "string" } },
      required: ["item"],
    });
  });

  it("may refer to themselves, and each schema is told once", () => {
    const Tree = {
      type: "object",
      properties: { children: { type: "array", items: { $ref: "#/components/schemas/Tree" } } },
    };
    const { tool } = one(
      body({
        type: "object",
        properties: {
          a: { $ref: "#/components/schemas/Tree" },
          b: { $ref: "#/components/schemas/Tree" },
        },
      }),
      { components: { schemas: { Tree } } },
    );
    expect(tool?.inputSchema).toEqual({
      type: "object",
      properties: { a: { $ref: "#/$defs/Tree" }, b: { $ref: "#/$defs/Tree" } },
      $defs: {
        Tree: {
          type: "object",
          properties: { children: { type: "array", items: { $ref: "#/$defs/Tree" } } },
        },
      },
    });
  });

  it("are told with less detail where they would be too large or cannot be checked", () => {
    const schemas = Object.fromEntries(
      Array.from({ length: 400 }, (_, index) => [
        `S${index}`,
        {
          type: "object",
          properties: Object.fromEntries(
            Array.from({ length: 9 }, (_, field) => [
              `f${field}`,
              { $ref: `#/components/schemas/S${(index * 9 + field + 1) % 400}` },
            ]),
          ),
        },
      ]),
    );
    const { tool } = one(
      body({ type: "object", properties: { a: { $ref: "#/components/schemas/S0" } } }),
      {
        components: { schemas },
      },
    );
    expect(JSON.stringify(tool?.inputSchema).length).toBeLessThan(32 * 1024);
    expect(Object.keys(tool?.inputSchema["$defs"] as object).length).toBeGreaterThan(1);
    const pattern = { type: "string", pattern: "^(?!x)", maxLength: 3 };
    const checked = one({ parameters: [{ name: "a", in: "query", schema: pattern }] });
    expect(checked.tool?.inputSchema["properties"]).toEqual({ a: { type: "string" } });
  });

  it("can always be checked", () => {
    const schema = {
      type: "object",
      properties: {
        a: {
          minimum: "5",
          maxLength: -1,
          pattern: 7,
          enum: "x",
          items: 3,
          required: 1,
          properties: [],
        },
      },
    };
    const { tool } = one(body(schema));
    expect(compileSchema(tool?.inputSchema ?? {}).ok).toBe(true);
  });
});
