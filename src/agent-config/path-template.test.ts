import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fillPath, pathParameters, pathTemplateProblem } from "./path-template.ts";

function pathOf(url: string, toolArguments: Record<string, unknown>): string {
  const filled = fillPath(url, toolArguments);
  return "error" in filled ? filled.error : new URL(filled.url).pathname;
}

describe("a path with arguments", () => {
  it.each([
    ["http://shop/orders/{id}", { id: "42" }, "/orders/42"],
    ["http://shop/orders/{id}", { id: 42 }, "/orders/42"],
    ["http://shop/orders/{id}", { id: false }, "/orders/false"],
    ["http://shop/orders/{id}/items", { id: "a/b" }, "/orders/a%2Fb/items"],
    ["http://shop/orders/{id}/items", { id: "a\\b" }, "/orders/a%5Cb/items"],
    ["http://shop/orders/{id}", { id: "a?b#c" }, "/orders/a%3Fb%23c"],
    ["http://shop/orders/{id}", { id: "å b%2e" }, "/orders/%C3%A5%20b%252e"],
    ["http://shop/orders/{id}", { id: "!'()*" }, "/orders/%21%27%28%29%2A"],
    ["http://shop/orders/{id}", { id: "\ud800" }, "/orders/%EF%BF%BD"],
    ["http://shop/orders/{id}", { id: "a..b" }, "/orders/a..b"],
    ["http://shop/orders/{id}", { id: "{id}" }, "/orders/%7Bid%7D"],
    ["http://shop/orders/{id}", { id: "$&" }, "/orders/%24%26"],
    ["http://shop/{a}-{b}.json", { a: 1, b: 2 }, "/1-2.json"],
    ["http://shop/{a}/{a}", { a: 1 }, "/1/1"],
    ["http://shop/v1/../{a}", { a: 1 }, "/1"],
  ])("%s takes %j as %s", (url, toolArguments, path) => {
    expect(pathOf(url, toolArguments)).toBe(path);
  });

  it.each([
    {},
    { id: null },
    { id: "" },
    { Id: "1" },
    Object.create({ id: "1" }) as Record<string, unknown>,
  ])("is not called without the argument: %j", (toolArguments) => {
    expect(pathOf("http://shop/orders/{id}", toolArguments)).toBe(
      'not called: the argument "id" is needed for the tool\'s address',
    );
  });

  it.each([
    ".",
    "..",
    "../admin",
    "..\\admin",
    "a/../../b",
    "a/..",
    "%2e%2e",
    "%2E.",
    "..;/admin",
    ["a"],
    { a: 1 },
  ])("is not called with %j, which could lead elsewhere", (id) => {
    expect(pathOf("http://shop/orders/{id}", { id })).toMatch(/^not called: the argument "id" is/);
  });

  it.each([
    ["http://shop/{a}{b}/x", { a: ".", b: "." }],
    ["http://shop/.{a}/x", { a: "." }],
    ["http://shop/{a}./x", { a: "." }],
    ["http://shop/{a}.", { a: "x/." }],
  ])("is not called where parts of %s make up a step upwards", (url, toolArguments) => {
    expect(pathOf(url, toolArguments)).toMatch(/^not called/);
  });

  it("keeps what is no argument, and gives the rest back", () => {
    const url = "https://shop:8443/orders/{id}?for={id}&x=1#{id}";
    expect(fillPath(url, { id: "1", page: 2 })).toEqual({
      url: "https://shop:8443/orders/1?for={id}&x=1#{id}",
      rest: { page: 2 },
    });
    expect(fillPath("http://shop/orders", { id: 1 })).toEqual({
      url: "http://shop/orders",
      rest: { id: 1 },
    });
    expect(pathParameters("http://shop/{b}/{a}/{b}?{c}")).toEqual(["b", "a"]);
  });

  it("has as many segments as its template, whatever the arguments are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (a, b) => {
        const filled = fillPath("http://shop/one/{a}/two/{b}{a}/end?x=1", { a, b });
        if ("error" in filled) return;
        const { pathname, host, search, hash } = new URL(filled.url);
        const segments = pathname.split("/");
        expect([segments.length, segments[1], segments[3], segments[5]]).toEqual([
          6,
          "one",
          "two",
          "end",
        ]);
        expect(decodeURIComponent(segments[2] ?? "")).toBe(a.toWellFormed());
        expect([host, search, hash]).toEqual(["shop", "?x=1", ""]);
      }),
    );
  });
});

describe("braces in the path of a URL", () => {
  it.each(["http://shop/{order id}", "http://shop/{", "http://shop/a}", "http://shop/{}/x"])(
    "are a problem in %s",
    (url) => expect(pathTemplateProblem(url)).toContain("a brace that is not part of an argument"),
  );

  it.each(["http://shop/{order_id}/x", "http://shop/?q={x", "http://shop/%7Bx%7D"])(
    "are none in %s",
    (url) => expect(pathTemplateProblem(url)).toBeUndefined(),
  );
});
