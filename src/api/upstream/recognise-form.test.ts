import { describe, expect, it } from "vitest";
import { manifestCase } from "../../../test/support/builders/manifest-case.ts";
import { API_VERSION } from "../group.ts";
import { parseManifests } from "../manifest/manifest.ts";
import { describeForm, recogniseForm, UPSTREAM_FIELDS } from "./recognise-form.ts";
import type { UpstreamField } from "./upstream-field.ts";
import { UPSTREAM_KINDS } from "./upstream-kinds.ts";

const ALL = Object.entries(UPSTREAM_FIELDS).flatMap(([kind, fields]) =>
  fields.map((field) => ({ kind, field, from: field.from })),
);

function resource(kind: string, spec: unknown): Record<string, unknown> {
  return { apiVersion: API_VERSION, kind, metadata: { name: "a" }, spec };
}

/** A spec that has this field and nothing else. */
function specWith({ from }: Pick<UpstreamField, "from">): unknown {
  return from.split(".").reduceRight<unknown>((inner, step) => {
    const name = step.replace(/\[\]$/, "");
    return { [name]: name === step ? inner : [inner] };
  }, "x");
}

describe("a resource in the form of AltairaLabs' Omnia", () => {
  it.each(ALL.filter(({ field }) => field.isShared !== true))(
    "is recognised by $from of $kind alone, and its place is told",
    ({ kind, field }) => {
      const form = recogniseForm(resource(kind, specWith(field)));
      expect(form).toMatchObject({ kind, form: field.since, fields: [field] });
      if (form === undefined) return;
      const message = describeForm(form);
      expect(message).toContain(`this ${kind} has the form of AltairaLabs' Omnia (${field.since})`);
      expect(message).toContain(`${field.from} → ${field.to ?? "left out"}`);
      expect(message).toContain("omnia migrate");
    },
  );

  it.each(Object.keys(UPSTREAM_KINDS))("is one problem when it is of kind %s", (kind) => {
    const { problems } = parseManifests(
      JSON.stringify(resource(kind, { any: { thing: 1 } })),
      "a.json",
    );
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(`${kind} is a kind of AltairaLabs' Omnia (2026)`);
    expect(problems[0]?.message).not.toContain("did you mean");
  });

  it.each([
    "15-upstream-2026-07",
    "16-upstream-2025-12",
    "upstream-all-fields",
    "upstream-providers",
  ])("is one problem a document, at its first field of that form: %s", (name) => {
    const text = manifestCase(name);
    const { problems, resources } = parseManifests(text, "a.yaml");
    const documents = text.split(/^---$/m).filter((part) => !part.includes("kind: ConfigMap"));
    expect(problems.map(({ severity }) => severity)).toEqual(documents.map(() => "error"));
    expect(problems.map(({ message }) => message).join("\n")).not.toMatch(/unknown field|did you/);
    expect(resources.map(({ kind }) => kind)).toEqual(
      text.includes("kind: ConfigMap") ? ["ConfigMap"] : [],
    );
  });

  it("has the place of each field in the message, and the form's year", () => {
    expect(parseManifests(manifestCase("16-upstream-2025-12"), "a.yaml").problems)
      .toMatchInlineSnapshot(`
      [
        {
          "column": 29,
          "file": "a.yaml",
          "line": 5,
          "message": "spec.promptPackRef.track: this AgentRuntime has the form of AltairaLabs' Omnia (2025-12), which is not the one that is read here; "omnia migrate" translates it. Where its fields stand here: promptPackRef.track → left out (the versions of a PromptPack are its own matter); session.storeRef.name (the key has to be named: session.storeRef.key); runtime.replicas → replicas; providerSecretRef.name → provider.apiKeySecretRef.name (provider.name and provider.model are required beside it)",
          "severity": "error",
        },
        {
          "column": 49,
          "file": "a.yaml",
          "line": 14,
          "message": "spec.tools[0].endpoint.url: this ToolRegistry has the form of AltairaLabs' Omnia (2025-12), which is not the one that is read here; "omnia migrate" translates it. Where its fields stand here: tools[].endpoint.url → tools[].url",
          "severity": "error",
        },
      ]
    `);
  });

  it("is recognised inside of a List", () => {
    const list = {
      apiVersion: "v1",
      kind: "List",
      items: [resource("ToolRegistry", { probe: {} })],
    };
    const { problems } = parseManifests(JSON.stringify(list), "a.json");
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining("items[0].spec.probe: this ToolRegistry has the form"),
    ]);
  });

  it("lists so many fields and counts the others", () => {
    const fields = ALL.filter(({ kind }) => kind === "AgentRuntime").map(({ field }) => field);
    const message = describeForm({ kind: "AgentRuntime", form: "2026", path: ["spec"], fields });
    expect(message).toMatch(/; and \d+ more$/);
  });
});

describe("a resource in the form of here", () => {
  it.each([
    ["is well", "AgentRuntime", { facade: { handler: "echo" }, replicas: 2 }],
    ["misspells a field", "AgentRuntime", { facade: { handlr: "echo" } }],
    [
      "lacks the key of its store",
      "AgentRuntime",
      { session: { storeRef: { name: "a" }, ttl: "1h" } },
    ],
    ["has the older spelling of its Secret", "AgentRuntime", { providerSecretRef: { name: "a" } }],
    ["has a text where a list should be", "ToolRegistry", { handlers: undefined, tools: "x" }],
    ["has another unknown field", "ToolRegistry", { tools: [{ name: "a", endpoint: "http://a" }] }],
    ["has no spec", "PromptPack", undefined],
    ["has a spec that is a list", "PromptPack", ["version"]],
  ])("is not taken for another one when it %s", (_what, kind, spec) => {
    expect(recogniseForm(resource(kind, spec))).toBeUndefined();
  });

  it.each([
    ["another group", { apiVersion: "example.com/v1", kind: "Provider" }],
    ["another version", { apiVersion: "omnia.altairalabs.ai/v1", kind: "Provider" }],
    ["a kind of JavaScript's own", { apiVersion: API_VERSION, kind: "constructor" }],
    ["no resource", ["a"]],
    ["nothing", null],
  ])("is not taken for another one when it is of %s", (_what, value) => {
    expect(recogniseForm(value)).toBeUndefined();
  });
});
