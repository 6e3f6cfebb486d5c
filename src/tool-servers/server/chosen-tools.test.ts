import { describe, expect, it } from "vitest";
import { chosenTools } from "./chosen-tools.ts";

function chosen(names: string[], { allow, block }: { allow?: string[]; block?: string[] }) {
  const tools = names.map((name) => ({ name }));
  return chosenTools(tools, { registryName: "shop", allow, block }).map(({ name }) => name);
}

describe("the tools of a server that its entry offers", () => {
  it("are all of them unless it says otherwise", () => {
    expect(chosen(["a", "b"], {})).toEqual(["a", "b"]);
    expect(chosen(["a", "b"], { block: [] })).toEqual(["a", "b"]);
  });

  it("are those that it allows and does not block", () => {
    expect(chosen(["a", "b", "c"], { allow: ["c", "a", "z"], block: ["a"] })).toEqual(["c"]);
    expect(chosen(["a"], { allow: [] })).toEqual([]);
  });

  it("may be written as models write names, and with the name of the entry", () => {
    expect(chosen(["get-order", "x"], { allow: ["get_order"] })).toEqual(["get-order"]);
    expect(chosen(["get-order", "x"], { allow: ["shop_get-order"] })).toEqual(["get-order"]);
    expect(chosen(["get-order", "x"], { block: ["shop_get_order"] })).toEqual(["x"]);
  });

  it("are no others than a name says that is there", () => {
    expect(chosen(["get-order", "get_order"], { allow: ["get_order"] })).toEqual(["get_order"]);
    expect(chosen(["x", "shop_x"], { allow: ["shop_x"] })).toEqual(["shop_x"]);
  });
});
