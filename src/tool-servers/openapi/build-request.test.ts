import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aTool } from "../../../test/support/builders/agent-config.ts";
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import type { OpenApiOperation, OperationParameter } from "../../agent-config/openapi-operation.ts";
import { buildOperationRequest } from "./build-request.ts";

const ORIGIN = "https://shop.example";

function anOperation(parts: Partial<OpenApiOperation> = {}): OpenApiOperation {
  return {
    name: "find",
    description: "",
    inputSchema: { type: "object" },
    method: "GET",
    url: `${ORIGIN}/find`,
    parameters: [],
    ...parts,
  };
}

async function build(
  operation: Partial<OpenApiOperation>,
  toolArguments: Record<string, unknown>,
  tool: Partial<ToolConfig> = {},
) {
  const config = aTool({ type: "openapi", url: `${ORIGIN}/openapi.json`, ...tool });
  return await buildOperationRequest(anOperation(operation), config, toolArguments, {
    readSecret: () => Promise.resolve("key-of-the-shop"),
    caller: undefined,
    now: 0,
  });
}

async function requestOf(...call: Parameters<typeof build>) {
  const request = await build(...call);
  if ("error" in request) throw new Error(request.error);
  return request;
}

function parameter(parts: Partial<OperationParameter>): OperationParameter {
  return { name: "color", in: "query", style: "form", explode: true, ...parts };
}

const LIST = ["blue", "black", "brown"];
const FIELDS = { R: 100, G: 200, B: 150 };

describe("the path of an operation", () => {
  // As the table of OpenAPI 3.1.1 has it.
  it.each([
    ["simple", false, "blue", "blue"],
    ["simple", false, LIST, "blue,black,brown"],
    ["simple", false, FIELDS, "R,100,G,200,B,150"],
    ["simple", true, FIELDS, "R=100,G=200,B=150"],
    ["label", false, "blue", ".blue"],
    ["label", false, LIST, ".blue,black,brown"],
    ["label", true, LIST, ".blue.black.brown"],
    ["label", false, FIELDS, ".R,100,G,200,B,150"],
    ["label", true, FIELDS, ".R=100.G=200.B=150"],
    ["matrix", false, "blue", ";color=blue"],
    ["matrix", false, LIST, ";color=blue,black,brown"],
    ["matrix", true, LIST, ";color=blue;color=black;color=brown"],
    ["matrix", false, FIELDS, ";color=R,100,G,200,B,150"],
    ["matrix", true, FIELDS, ";R=100;G=200;B=150"],
    ["simple", false, 5, "5"],
    ["simple", false, false, "false"],
    ["simple", false, "a b/c?d#e%2Fé,(;)", "a%20b%2Fc%3Fd%23e%252F%C3%A9%2C%28%3B%29"],
    ["json", false, { a: [1] }, "%7B%22a%22%3A%5B1%5D%7D"],
  ] as const)(
    "is written in style %s with explode %s: %j as %s",
    async (style, explode, value, written) => {
      const parameters = [parameter({ in: "path", style, explode })];
      const { url } = await requestOf(
        { url: `${ORIGIN}/a/{color}/b`, parameters },
        { color: value },
      );
      expect(url.pathname).toBe(`/a/${written}/b`);
    },
  );

  it.each([
    "",
    ".",
    "..",
    "%2e%2E",
    "../../admin",
    "a/../b",
    String.raw`..\x`,
    "..;x",
    [],
    {},
    null,
    undefined,
  ])("is not filled with %j", async (value) => {
    const parameters = [parameter({ in: "path", style: "simple", explode: false })];
    const request = await build({ url: `${ORIGIN}/a/{color}`, parameters }, { color: value });
    expect(request).toEqual({ error: expect.stringMatching(/^not called: .*"color"/) as string });
  });

  it("is not filled with two arguments that together lead out of it", async () => {
    const path = { in: "path", style: "simple", explode: false } as const;
    const parameters = [parameter({ ...path, name: "a" }), parameter({ ...path, name: "b" })];
    const url = `${ORIGIN}/x/{a}{b}`;
    expect(await build({ url, parameters }, { a: ".", b: "." })).toHaveProperty("error");
    expect((await requestOf({ url, parameters }, { a: "v", b: 1 })).url.pathname).toBe("/x/v1");
  });

  it("is not asked for while a place in it is open", async () => {
    expect(await build({ url: `${ORIGIN}/a/{lost}` }, { lost: "x" })).toEqual({
      error: "not called: the tool's address has a place that no argument fills",
    });
  });

  it("stays within its segment of its server, whatever the argument is", async () => {
    const parameters = [parameter({ in: "path", style: "simple", explode: false })];
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), async (text) => {
        const request = await build({ url: `${ORIGIN}/a/{color}/b`, parameters }, { color: text });
        if ("error" in request) return;
        expect(request.url.origin).toBe(ORIGIN);
        expect(request.url.pathname.split("/")).toHaveLength(4);
        expect(decodeURIComponent(request.url.pathname.split("/")[2] ?? "")).toBe(
          text.toWellFormed(),
        );
      }),
    );
  });
});

describe("the query of an operation", () => {
  it.each([
    ["form", true, "blue", "color=blue"],
    ["form", true, "", "color="],
    ["form", true, LIST, "color=blue&color=black&color=brown"],
    ["form", false, LIST, "color=blue,black,brown"],
    ["form", true, FIELDS, "R=100&G=200&B=150"],
    ["form", false, FIELDS, "color=R,100,G,200,B,150"],
    ["spaceDelimited", false, LIST, "color=blue%20black%20brown"],
    ["spaceDelimited", false, FIELDS, "color=R%20100%20G%20200%20B%20150"],
    ["spaceDelimited", true, LIST, "color=blue&color=black&color=brown"],
    ["pipeDelimited", false, LIST, "color=blue%7Cblack%7Cbrown"],
    ["pipeDelimited", true, LIST, "color=blue&color=black&color=brown"],
    ["deepObject", true, FIELDS, "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"],
    [
      "deepObject",
      true,
      { a: { b: ["x", "y"] } },
      "color%5Ba%5D%5Bb%5D%5B0%5D=x&color%5Ba%5D%5Bb%5D%5B1%5D=y",
    ],
    ["deepObject", false, "blue", "color=blue"],
    ["json", false, { a: [1, "é"] }, "color=%7B%22a%22%3A%5B1%2C%22%C3%A9%22%5D%7D"],
    ["form", true, [], ""],
    ["form", false, {}, ""],
    ["form", true, null, ""],
    ["form", true, ["a", null, { b: 1 }], "color=a&color=%7B%22b%22%3A1%7D"],
    ["form", false, ["a,b", "c"], "color=a%2Cb,c"],
    ["form", true, "a&b=c#d+e", "color=a%26b%3Dc%23d%2Be"],
  ] as const)(
    "is written in style %s with explode %s: %j as %s",
    async (style, explode, value, written) => {
      const { url } = await requestOf(
        { parameters: [parameter({ style, explode })] },
        { color: value },
      );
      expect(url.search.slice(1)).toBe(written);
    },
  );

  it("keeps reserved characters where its document allows them, but no end of the value", async () => {
    const parameters = [parameter({ allowReserved: true })];
    const { url } = await requestOf({ parameters }, { color: "/a:b?c@d,e;f=g&h#i+j" });
    expect(url.search).toBe("?color=/a:b?c@d,e;f=g%26h%23i%2Bj");
  });

  it("takes a value by the name of its argument", async () => {
    const parameters = [parameter({ name: "filter[name]", argument: "filter_name" })];
    const { url } = await requestOf(
      { parameters },
      { filter_name: "x", "filter[name]": "y", other: 1 },
    );
    expect(url.search).toBe("?filter%5Bname%5D=x");
  });
});

describe("the headers of an operation", () => {
  const header = parameter({ name: "X-Colors", in: "header", style: "simple", explode: false });

  it.each([
    ["blue", "blue"],
    [LIST, "blue,black,brown"],
    [FIELDS, "R,100,G,200,B,150"],
    [5, "5"],
  ])("have a parameter of %j as %s", async (value, written) => {
    const { headers } = await requestOf({ parameters: [header] }, { "X-Colors": value });
    expect(headers["x-colors"]).toBe(written);
  });

  it.each(["a\r\nx-evil: 1", "a\u0000b", "日本"])("have none of %j", async (value) => {
    expect(await build({ parameters: [header] }, { "X-Colors": value })).toEqual({
      error: 'not called: the argument "X-Colors" cannot be sent: use plain characters',
    });
  });

  it("have cookies", async () => {
    const cookie = { in: "cookie", style: "form", explode: true } as const;
    const parameters = [parameter({ ...cookie, name: "a" }), parameter({ ...cookie, name: "b" })];
    const { headers } = await requestOf({ parameters }, { a: "x; y", b: 1 });
    expect(headers["cookie"]).toBe("a=x%3B%20y; b=1");
  });

  it("are those of the registry where both have one", async () => {
    const tool = { headers: { "x-colors": "red", Cookie: "a=1" }, authFile: "tools/shop/key" };
    const parameters = [header, parameter({ name: "b", in: "cookie" })];
    const { headers, secrets } = await requestOf(
      { parameters },
      { "X-Colors": "blue", b: "c" },
      tool,
    );
    expect(headers).toMatchObject({
      "x-colors": "red",
      cookie: "a=1",
      authorization: "Bearer key-of-the-shop",
    });
    expect(secrets).toContain("key-of-the-shop");
  });
});

describe("the credential of an openapi server", () => {
  const elsewhere = { url: "https://other.example/find" };

  it.each([
    [{}, {}, true],
    [elsewhere, {}, false],
    [elsewhere, { openapi: { server: "https://other.example/v1" } }, true],
    [elsewhere, { openapi: { server: "/v1" } }, false],
    [{}, { openapi: { server: "https://other.example/v1" } }, false],
  ])("of %j with %j is sent: %s", async (operation, tool, isSent) => {
    const request = await build(operation, {}, { authFile: "tools/shop/key", ...tool });
    expect("error" in request).toBe(!isSent);
    expect(await build(operation, {}, tool)).not.toHaveProperty("error");
  });
});

describe("the body of an operation", () => {
  const json = { type: "json", mediaType: "application/json", required: true } as const;
  const form = {
    type: "form",
    mediaType: "application/x-www-form-urlencoded",
    required: true,
  } as const;
  const multipart = {
    type: "multipart",
    mediaType: "multipart/form-data",
    required: true,
  } as const;

  it("has the arguments that are no parameters", async () => {
    const parameters = [parameter({ name: "id", argument: "id__query" })];
    const { body, url, headers } = await requestOf(
      { method: "POST", parameters, body: json },
      { id__query: 1, id: 2, name: null, more: { x: ["é"] } },
    );
    expect([body, url.search, headers["content-type"]]).toEqual([
      '{"id":2,"name":null,"more":{"x":["é"]}}',
      "?id=1",
      "application/json",
    ]);
  });

  it("is one argument where it is no plain object", async () => {
    const body = { ...json, argument: "body", mediaType: "application/vnd.x+json" };
    const request = await requestOf({ method: "PUT", body }, { body: [1], other: 2 });
    expect([request.body, request.headers["content-type"]]).toEqual([
      "[1]",
      "application/vnd.x+json",
    ]);
    const text = {
      type: "text",
      mediaType: "text/plain",
      argument: "body",
      required: false,
    } as const;
    expect((await requestOf({ method: "PUT", body: text }, { body: "hi" })).body).toBe("hi");
  });

  it.each([
    [json, "{}"],
    [{ ...json, required: false }, undefined],
    [{ ...json, argument: "body" }, undefined],
    [undefined, undefined],
  ])("of %j without arguments is %j", async (body, sent) => {
    expect((await requestOf({ method: "POST", body }, {})).body).toBe(sent);
  });

  it("is a form, with lists repeated and objects as JSON unless its document says otherwise", async () => {
    const encoding = {
      deep: { style: "deepObject", explode: true },
      joined: { style: "form", explode: false },
    } as const;
    const { body } = await requestOf(
      { method: "POST", body: { ...form, encoding } },
      {
        a: "x y&z",
        list: [1, 2],
        object: { b: 1 },
        deep: { b: 1 },
        joined: ["p", "q"],
        none: null,
      },
    );
    expect(body).toBe(
      "a=x%20y%26z&list=1&list=2&object=%7B%22b%22%3A1%7D&deep%5Bb%5D=1&joined=p,q",
    );
  });

  it("is a form in parts, the same for each attempt", async () => {
    const call = [
      { method: "POST", body: multipart },
      { a: "x\r\n--y", list: [1, 2], object: { b: 1 }, 'na"me': true, none: null },
    ] as const;
    const { body = "", headers } = await requestOf(...call);
    const form = await new Response(body, { headers }).formData();
    expect([...form]).toEqual([
      ["a", "x\r\n--y"],
      ["list", "1"],
      ["list", "2"],
      ["object", '{"b":1}'],
      ['na"me', "true"],
    ]);
    expect((await requestOf(...call)).body).toBe(body);
  });
});
