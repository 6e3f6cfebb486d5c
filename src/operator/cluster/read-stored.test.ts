import { describe, expect, it } from "vitest";
import { toolRegistrySchema, toolRegistrySpecSchema } from "../../api/tool-registry.ts";
import { readSpec, toResource } from "./read-stored.ts";

const STORED = {
  metadata: { name: "tools", namespace: "agents", generation: 3, uid: "u", labels: { a: "b" } },
};

describe("readSpec", () => {
  it("fills in the defaults of this operator's schema", () => {
    const read = readSpec(toolRegistrySpecSchema, {
      tools: [{ name: "a", url: "http://a.example" }],
    });
    expect(read).toMatchObject({ ok: true, spec: { tools: [{ type: "http", method: "POST" }] } });
  });

  it("reads the same spec of many objects once, and any other one for itself", () => {
    const read = (url: string, schema: typeof toolRegistrySpecSchema = toolRegistrySpecSchema) =>
      readSpec(schema, { tools: [{ name: "a", url }] });
    const first = read("http://once.example");
    expect(read("http://once.example")).toBe(first);
    expect(read("http://other.example")).toMatchObject({
      spec: { tools: [{ url: "http://other.example" }] },
    });
    const another = toolRegistrySpecSchema.clone();
    expect(read("http://once.example", another)).not.toBe(first);
    expect(read("http://once.example", another)).toEqual(first);
    for (let index = 0; index < 32; index += 1) read(`http://t${index}.example`);
    expect(read("http://once.example")).not.toBe(first);
    expect(read("http://once.example")).toEqual(first);
  });

  it("names the fields of another schema, and counts those past the first five", () => {
    const tools = Array.from({ length: 7 }, (_, index) => ({
      name: `Tool ${index}`,
      url: "http://a",
    }));
    const read = readSpec(toolRegistrySpecSchema, { tools });
    expect(read).toMatchObject({ ok: false });
    expect(!read.ok && read.problem).toMatch(/^spec\.tools\[0\]\.name: .*; and 2 more$/);
  });
});

describe("toResource", () => {
  it("gives what the decisions take of a stored object: a resource of its kind", () => {
    const spec = toolRegistrySpecSchema.parse({ tools: [] });
    const resource = toResource("ToolRegistry", STORED, spec, { phase: "Ready" as const });
    expect(toolRegistrySchema.parse(resource)).toEqual({
      apiVersion: "omnia.altairalabs.ai/v1alpha1",
      kind: "ToolRegistry",
      metadata: { name: "tools", namespace: "agents", generation: 3 },
      spec: { tools: [] },
      status: { phase: "Ready" },
    });
  });
});
