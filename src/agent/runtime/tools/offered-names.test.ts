import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { offeredNames, type NamedTool } from "./offered-names.ts";

function served(registryName: string, ...names: string[]): NamedTool[] {
  return names.map((name) => ({ name, registryName, isFixed: false }));
}

function fixed(name: string): NamedTool {
  return { name, registryName: name, isFixed: true };
}

describe("the names under which tools are offered", () => {
  it("are the servers' own", () => {
    expect(offeredNames([...served("a", "get", "put"), ...served("b", "list")])).toEqual([
      "get",
      "put",
      "list",
    ]);
  });

  it("have the entry's name before them where two servers have the same", () => {
    expect(offeredNames([...served("git-hub", "get", "put"), ...served("jira", "get")])).toEqual([
      "git-hub_get",
      "put",
      "jira_get",
    ]);
    expect(offeredNames([...served("a", "get-it"), ...served("b", "get_it")])).toEqual([
      "a_get-it",
      "b_get_it",
    ]);
  });

  it("leave the names that the registry gives as they are", () => {
    expect(offeredNames([fixed("get"), ...served("b", "get")])).toEqual(["get", "b_get"]);
  });

  it("hold only what every provider takes", () => {
    expect(offeredNames(served("a", "files.read/all", "größe"))).toEqual([
      "files_read_all",
      "gr__e",
    ]);
    expect(offeredNames(served("a", "a.b", "a/b"))).toEqual([
      expect.stringMatching(/^a_a_b_[0-9a-f]{8}$/),
      expect.stringMatching(/^a_a_b_[0-9a-f]{8}$/),
    ]);
  });

  it("begin with a letter or _, as Google wants them", () => {
    const [fa, dash, long] = offeredNames(served("2nd", "2fa", "-dash", `x${"7".repeat(80)}`));
    expect([fa, dash]).toEqual(["_2fa", "_-dash"]);
    expect(long).toMatch(/^_7{54}_[0-9a-f]{8}$/);
    const both = offeredNames([...served("2nd", "get"), ...served("3rd", "get")]);
    expect(both).toEqual(["_2nd_get", "_3rd_get"]);
  });

  it("keep the end of a name that is too long, and tell two of them apart", () => {
    const names = offeredNames(
      served("a", `one-${"x".repeat(80)}-end`, `two-${"x".repeat(80)}-end`),
    );
    for (const name of names) expect(name).toMatch(/^x{51}-end_[0-9a-f]{8}$/);
    expect(new Set(names).size).toBe(2);
  });

  it("differ where a prefix makes the name of another tool", () => {
    const tools = [...served("a", "get"), ...served("b", "get", "a_get")];
    const names = offeredNames(tools);
    expect(new Set(names).size).toBe(3);
    expect(names[1]).toBe("b_get");
  });

  it("are valid, all different, and do not depend on the order of the tools", () => {
    const name = fc.oneof(
      fc.constantFrom(
        "get",
        "2fa",
        "_2fa",
        "get-it",
        "get_it",
        "a_get",
        "b_get",
        "a.get",
        "x".repeat(70),
      ),
      fc.string({ minLength: 1, maxLength: 100, unit: "grapheme" }),
    );
    const tools = fc.uniqueArray(fc.tuple(fc.constantFrom("a", "b", "a-b", "c".repeat(63)), name), {
      selector: (pair) => JSON.stringify(pair),
      maxLength: 12,
    });
    fc.assert(
      fc.property(tools, (pairs) => {
        const all = pairs.map(([registryName, name]) => ({ registryName, name, isFixed: false }));
        const names = offeredNames(all);
        expect(new Set(names.map((each) => each.replaceAll("-", "_"))).size).toBe(names.length);
        for (const each of names) expect(each).toMatch(/^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/);
        expect(offeredNames(all.toReversed())).toEqual(names.toReversed());
      }),
    );
  });
});
