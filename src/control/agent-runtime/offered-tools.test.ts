import { describe, expect, it } from "vitest";
import { registryReference } from "../../../test/support/builders/a-decision.ts";
import { anAgentConfig } from "../../../test/support/builders/agent-config.ts";
import type { OpenApiOperation } from "../../agent-config/openapi-operation.ts";
import type { PackTool } from "../../promptpack/document/tools.ts";
import type { ResolvedTool } from "../tool-registry/resolved-tool.ts";
import { missingTools, offeredTools, withEarlierOperations } from "./offered-tools.ts";

const packTool = (name: string): PackTool => ({ name, description: "does something" });

interface Wanted {
  tools?: string[];
  blocklist?: string[];
  packTools?: Record<string, PackTool>;
}

function missing(wanted: Wanted, entries: string[], entry: Record<string, unknown> = {}): string[] {
  const reachable = Object.fromEntries(entries.map((name) => [name, true]));
  const registry = registryReference({ reachable, entry });
  if (!registry.found) throw new Error("there is no registry");
  return missingTools(registry.tools, {
    blocklist: [],
    packTools: {},
    toolChoice: "auto",
    ...wanted,
  });
}

describe("the tools that nobody gives", () => {
  it("are those that the prompt names, each once, in the order of the pack", () => {
    expect(missing({ tools: ["c", "a", "b", "c"] }, ["a"])).toEqual(["c", "b"]);
    expect(missing({ tools: [] }, [])).toEqual([]);
  });

  it("are those that the pack describes where the prompt has no list, and no others", () => {
    const packTools = { a: packTool("a"), b: packTool("b") };
    expect(missing({ packTools }, ["a"])).toEqual(["b"]);
    expect(missing({ packTools, tools: ["a"] }, ["a"])).toEqual([]);
  });

  it("are found by key or name, with - as with _", () => {
    const packTools = { search: packTool("web_search") };
    expect(missing({ packTools, tools: ["search"] }, ["web-search"])).toEqual([]);
    expect(missing({ packTools, tools: ["web_search"] }, ["web-search"])).toEqual([]);
    expect(missing({ packTools }, ["search"])).toEqual([]);
  });

  it("are not those that the prompt never calls", () => {
    const packTools = { search: packTool("web_search") };
    expect(missing({ tools: ["a", "b"], blocklist: ["a"] }, ["b"])).toEqual([]);
    expect(missing({ packTools, blocklist: ["web-search"] }, ["b"])).toEqual([]);
    expect(missing({ packTools, blocklist: ["search"] }, ["b"])).toEqual([]);
  });

  it("are not known where a server may have any tool, and else follow from its list", () => {
    const wanted = { tools: ["a", "b"] };
    expect(missing(wanted, ["server"], { type: "mcp" })).toEqual([]);
    expect(missing(wanted, ["server"], { type: "openapi", allow: ["a"] })).toEqual(["b"]);
    expect(missing(wanted, ["server"], { type: "grpc", url: "shop:50051" })).toEqual([]);
    expect(missing(wanted, ["server"], { type: "grpc", allow: ["b"] })).toEqual(["a"]);
  });

  it("are those that the list of a server does not have, once that is known", () => {
    const tools = (listed: string[] | undefined, more: object = {}): ResolvedTool[] => {
      const registry = registryReference({ reachable: { docs: true }, entry: { type: "mcp" } });
      if (!registry.found) throw new Error("there is no registry");
      return registry.tools.map((tool) => ({ ...tool, ...more, listed }));
    };
    const wanted = { blocklist: [], packTools: {}, toolChoice: "auto" } as const;
    const prompt = { ...wanted, tools: ["web_search", "docs_web_search", "b"] };
    expect(missingTools(tools(undefined), prompt)).toEqual([]);
    expect(missingTools(tools(["web-search"]), prompt)).toEqual(["b"]);
    expect(missingTools(tools([]), { ...wanted, tools: ["b"] })).toEqual(["b"]);
    const allowed = tools(["web-search"], { allow: ["web-search", "b"] });
    expect(missingTools(allowed, prompt)).toEqual(["b"]);
  });

  it("are found in a moment, however many there are", () => {
    const many = Array.from({ length: 20_000 }, (_, index) => `tool_${index}`);
    const entries = Array.from({ length: 128 }, (_, index) => `tool-${index}`);
    expect(missing({ tools: many }, entries)).toHaveLength(20_000 - 128);
  });
});

describe("an openapi server", () => {
  const operation: OpenApiOperation = {
    name: "find",
    description: "",
    inputSchema: { type: "object" },
    method: "GET",
    url: "https://shop.example/find",
    parameters: [],
  };
  const everything = { blocklist: [], packTools: {} };

  function serverTools(openapi?: object, more: Partial<ResolvedTool> = {}): ResolvedTool[] {
    const entry = { type: "openapi", ...(openapi === undefined ? {} : { openapi }) };
    const registry = registryReference({ reachable: { shop: true }, entry });
    if (!registry.found) throw new Error("there is no registry");
    return registry.tools.map((tool) => ({ ...tool, ...more }));
  }

  it("is offered with its operations once its document was read", () => {
    const [unread] = offeredTools(serverTools({ server: "/v1" }), everything);
    expect(unread?.openapi).toEqual({ server: "/v1" });
    const openapi = { server: "/v1", operations: [operation] };
    const [read] = offeredTools(serverTools(undefined, { openapi }), everything);
    expect(read?.openapi).toEqual(openapi);
  });

  it("keeps the operations of the last config while its document is yet to be read", () => {
    const openapi = { operations: [operation] };
    const tools = offeredTools(serverTools(undefined, { openapi }), everything);
    const earlier = anAgentConfig({ tools });
    const operationsOf = (now: ResolvedTool[]) =>
      withEarlierOperations(now, earlier)[0]?.openapi?.operations;
    expect(operationsOf(serverTools())).toEqual([operation]);
    // The document was read and has none.
    expect(operationsOf(serverTools(undefined, { openapi: { operations: [] } }))).toEqual([]);
    expect(operationsOf(serverTools({ server: "/v2" }))).toBeUndefined();
    expect(operationsOf(serverTools(undefined, { url: "https://other.example" }))).toBeUndefined();
    expect(operationsOf(serverTools(undefined, { name: "other" }))).toBeUndefined();
    expect(withEarlierOperations(serverTools(), undefined)).toEqual(serverTools());
  });
});
