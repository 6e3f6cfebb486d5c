import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { parseManifests } from "./manifest.ts";

// kubectl 1.34 was asked about each of these texts.
const configMap = (name: string, data = "{}"): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: ${data}\n`;
const json = (name: string): string =>
  JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });

function read(text: string, file = "a.yaml"): { names: string; problems: string[] } {
  const { resources, problems } = parseManifests(text, file);
  return {
    names: resources.map(({ name }) => name).join(" "),
    problems: problems.map(
      ({ line, column, severity, message }) =>
        `${line}:${column}: ${severity === "warning" ? "warning: " : ""}${message}`,
    ),
  };
}

const fine = (names: string) => ({ names, problems: [] });
const refused = (names: string, ...problems: string[]) => ({
  names,
  problems: problems.map((problem) => expect.stringContaining(problem)),
});

const JSON_ONLY = "kubectl reads nothing but JSON behind several JSON objects";
const SEPARATOR = 'kubectl refuses a line "---" with something behind it';
const UNREAD = "kubectl reads nothing of what stands here, behind the end of a document";

describe("the documents of a file", () => {
  it.each([
    ["JSON objects in lines", `${json("a")}\n${json("b")}\n`, fine("a b")],
    ["JSON objects without a space", json("a") + json("b") + json("c"), fine("a b c")],
    ["JSON objects far apart", `\n${json("a")}\n\n \t${json("b")}\n`, fine("a b")],
    ["nothing between JSON objects", `${json("a")} null ${json("b")}`, fine("a b")],
    ["JSON objects between separators", `${json("a")}\n---\n${json("b")}\n`, fine("a b")],
    ["YAML behind one JSON object", `${json("a")}\n---\n${configMap("b")}`, fine("a b")],
    [
      "YAML behind several JSON objects",
      `${json("a")}\n${json("b")}\n---\n${configMap("c")}`,
      refused("a b", `3:1: ${JSON_ONLY}`),
    ],
    [
      "what a list of JSON objects is not",
      `[${json("a")}]`,
      refused("", "1:1: must be a mapping with apiVersion, kind, metadata"),
    ],
    [
      "a byte order mark before each",
      `\uFEFF${configMap("a")}---\n\uFEFF${configMap("b")}`,
      fine("a b"),
    ],
    ["two byte order marks", `\uFEFF\uFEFF${configMap("a")}`, fine("a")],
    ["byte order marks of JSON", `\uFEFF${json("a")}\uFEFF${json("b")}`, fine("a b")],
    [
      "a byte order mark before a separator",
      `${configMap("a")}\uFEFF---\n${configMap("b")}`,
      refused("a", '5:1: a byte order mark, which no editor shows, hides this "---" from kubectl'),
    ],
    [
      "a byte order mark behind a comment",
      `${configMap("a")}---\n# b\n\uFEFF${configMap("b")}`,
      refused("a", "7:1: a byte order mark behind the beginning of a document"),
    ],
    ["empty documents", `---\n---\n# a\n---\n~\n---\nnull\n---\n${configMap("a")}---\n`, fine("a")],
    ["a comment alone", "# a\n", fine("")],
    [
      "a separator with a comment",
      `--- # a\n${configMap("a")}---\t\n${configMap("b")}`,
      fine("a b"),
    ],
    [
      "a separator with a document behind it",
      `${configMap("a")}--- {apiVersion: v1}\n${configMap("b")}`,
      refused("a", `5:1: ${SEPARATOR}`),
    ],
    [
      "a longer separator",
      `${configMap("a")}----\n${configMap("b")}`,
      refused("a", `5:1: ${SEPARATOR}`),
    ],
    ["the end of a document", `${configMap("a")}...\n---\n${configMap("b")}...\n`, fine("a b")],
    [
      "a document behind the end of another",
      `${configMap("a")}...\n${configMap("b")}`,
      refused("a", `6:1: ${UNREAD}`),
    ],
    [
      "an end alone",
      `---\n# a\n...\n---\n${configMap("b")}`,
      refused("b", '3:1: kubectl refuses a line "..." with no document before it; remove it'),
    ],
    [
      "a directive",
      `%YAML 1.1\n---\n${configMap("a")}`,
      refused(
        "a",
        "1:1: kubectl refuses a directive (%) at the head of a document; remove this line",
      ),
    ],
    [
      "a directive behind a comment",
      `${configMap("a")}---\n# b\n%TAG ! tag:b,2000:\n---\n${configMap("b")}`,
      refused("a b", "7:1: kubectl refuses a directive"),
    ],
    [
      "a directive behind an end",
      `${configMap("a")}...\n%YAML 1.1\n---\n${configMap("b")}`,
      fine("a b"),
    ],
    [
      "lines of Windows",
      `${configMap("a")}---\n${configMap("b")}`.replaceAll("\n", "\r\n"),
      fine("a b"),
    ],
    ["lines of an old Mac", configMap("a").replaceAll("\n", "\r"), fine("a")],
    [
      "documents of an old Mac",
      `${configMap("a")}---\n${configMap("b")}`.replaceAll("\n", "\r"),
      refused("a", `6:1: ${UNREAD}`),
    ],
    [
      "a tab behind a field",
      "apiVersion:\tv1\nkind:\tConfigMap\t\nmetadata: {name: a}\n",
      fine("a"),
    ],
    [
      "a tab in an empty line",
      `apiVersion: v1\n\t\nkind: ConfigMap\nmetadata: {name: a}\n`,
      refused("", "2:1: a tab in the indentation"),
    ],
    [
      "a tab before a comment",
      `apiVersion: v1\nkind: ConfigMap # a\nmetadata: {name: a}\ndata:\n  a: b\n\n \t# c\n`,
      refused("", "7:2: a tab in the indentation"),
    ],
  ])("minds %s", (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it.each([
    ["a comma too many", json("a").replace(/}}$/, ",}}"), '1:62: a "," before a closing bracket'],
    ["a comment in it", json("a").replace("{", "{\n # a\n"), "2:2: a comment, and JSON has none"],
    ["a comment behind it", `${json("a")}\n# a\n`, "2:1: a comment, and JSON has none"],
    ["a name without quotes", '{apiVersion: "v1"}', "1:2: something that JSON does not allow"],
    ["single quotes", "{'apiVersion': 'v1'}", "1:2: JSON has only double quotes"],
    ["a missing comma", '{"a": 1\n "b": 2}', '2:2: a "," or ":" is missing'],
    ["an open quote", '{"a": "b\n}', "1:7: this quote is never closed"],
    ["an open bracket", '{"a": {"b": 1}', "1:1: this bracket is never closed"],
    ["YAML", configMap("a"), "1:1: warning: is not JSON, although the file is named so"],
  ])("expects JSON of a file that is named so: %s", (_, text, problem) => {
    expect(read(text, "a.json").problems).toEqual([expect.stringContaining(problem)]);
  });

  it("calls a list JSON, although kubectl takes none", () => {
    expect(read("[]", "a.json").problems).toEqual([
      "1:1: must be a mapping with apiVersion, kind, metadata",
    ]);
  });

  it("says once that a file is a template", () => {
    const text = `{{- if .Values.x }}\n${configMap("{{ .Values.name }}")}{{- end }}\n`;
    expect(read(text).problems).toEqual([
      "1:2: the name of a field must be a text; a template ({{ }}) must be rendered first",
    ]);
  });

  it("takes JSON of a file that is named so", () => {
    expect(read(`${json("a")}\n${json("b")}`, "a.JSON")).toEqual(fine("a b"));
    expect(read(`${json("a")}\n---\n${json("b")}`, "a.json")).toEqual(fine("a b"));
  });

  it.each([
    ["with a mark", Buffer.from(`\uFEFF${configMap("a")}`, "utf16le")],
    ["without a mark", Buffer.from(configMap("a"), "utf16le")],
    ["of the other order", Buffer.from(`\uFEFF${configMap("a")}`, "utf16le").swap16()],
  ])("names a file of UTF-16 %s", (_, bytes) => {
    expect(read(bytes.toString("utf8")).problems).toEqual([
      "1:1: the file is UTF-16; save it as UTF-8",
    ]);
  });
});

describe("the items of a list", () => {
  const list = (kind: string, items: string): string => `apiVersion: v1\nkind: ${kind}\n${items}`;
  it.each([
    ["typed", list("ConfigMapList", `items: [${json("a")}, ${json("b")}]\n`), fine("a b")],
    ["bare, in a typed list", list("ConfigMapList", "items: [{metadata: {name: a}}]\n"), fine("a")],
    [
      "of another kind than the list",
      list("ConfigMapList", "items: [{apiVersion: v1, kind: Secret, metadata: {name: a}}]\n"),
      fine("a"),
    ],
    [
      "with the metadata of the list",
      list("SecretList", "metadata: {resourceVersion: '7', continue: x}\nitems: []\n"),
      fine(""),
    ],
    [
      "bare, in a list of any kind",
      list("List", "items: [{metadata: {name: a}}]\n"),
      refused("", "3:9: items[0].apiVersion: required", "3:9: items[0].kind: required"),
    ],
    [
      "half bare",
      list("SecretList", "items: [{apiVersion: v1, metadata: {name: a}}]\n"),
      refused("", "3:9: items[0].kind: required"),
    ],
    [
      "of no list",
      list("ServiceList", "items: {a: b}\n"),
      refused("", "3:1: items: must be a list of resources"),
    ],
    [
      "that is missing",
      list("ConfigMapList", ""),
      refused("", "1:1: items: must be a list of resources"),
    ],
    [
      "that is a list too",
      list("List", `items:\n- ${json("a")}\n- {apiVersion: v1, kind: ConfigMapList, items: []}\n`),
      refused("a", "5:26: items[1].kind: kubectl refuses a list inside of a list"),
    ],
    [
      "of the kinds of others",
      "apiVersion: example.com/v1\nkind: WidgetList\nitems: [{metadata: {name: a}}]\n",
      refused("", "3:9: warning: items[0].kind: Widget (example.com/v1) is not for Omnia"),
    ],
    [
      "that the kind of another does not have",
      "apiVersion: example.com/v1\nkind: AllowList\nmetadata: {name: a}\n",
      refused("", "2:7: warning: kind: AllowList (example.com/v1) is not for Omnia"),
    ],
  ])("are read: %s", (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it("count as resources, whether they can be used or not", () => {
    const text = list("ConfigMapList", `items: [${json("a")}, 3, {metadata: {}}]\n`);
    expect(parseManifests(`${text}---\n{\n---\n${json("b")}`, "a.yaml").declared).toBe(5);
  });
});

describe("the names of fields", () => {
  const warning = (place: string, name: string): string =>
    `${place}: warning: kubectl reads the name of this field as "${name}"; put it in quotes`;
  it.each([
    ["on", "true"],
    ["N", "false"],
    ["1.10", "1.1"],
    ["0x10", "16"],
    ["010", "8"],
    ["1_000", "1000"],
    ["1e3", "1000"],
    ["True", "true"],
  ])("are read as kubectl reads %s, with a warning", (written, name) => {
    const { resources } = parseManifests(configMap("a", `\n  ${written}: x`), "a.yaml");
    expect(resources.map(({ value }) => (value as { data?: object }).data)).toEqual([
      { [name]: "x" },
    ]);
    expect(read(configMap("a", `\n  ${written}: x`)).problems).toEqual([warning("5:3", name)]);
    expect(read(configMap("a", `{${written}: x}`)).problems).toEqual([warning("4:8", name)]);
    expect(read(configMap("a", `{"${written}": x}`))).toEqual(fine("a"));
    expect(read(configMap("a", `{!!str ${written}: x}`))).toEqual(fine("a"));
  });

  it.each(["8080", "oN", "1.5.0", "2026-01-01", "tls.crt"])("are left as they are: %s", (name) => {
    expect(read(configMap("a", `{${name}: x}`))).toEqual(fine("a"));
  });

  it.each(["null", "~", "Null", "18446744073709551615"])(
    "are refused as kubectl refuses %s",
    (name) => {
      const { problems } = read(configMap("a", `{${name}: x}`));
      expect(problems).toContain("4:8: kubectl takes no such name of a field; put it in quotes");
    },
  );

  it("are the same name when kubectl reads them so", () => {
    expect(read(configMap("a", "\n  on: x\n  'true': z")).problems).toEqual([
      warning("5:3", "true"),
      "6:3: this field is there twice; remove one of the two",
    ]);
  });
});

describe("aliases and merges", () => {
  it("follow an anchor as often as they like, within a limit for all of them", () => {
    const items = Array(400).fill("*x").join(", ");
    const registry = (schema: string): string =>
      `apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {k: &x v}\ndata: {}\nx: [${schema}]\n`;
    expect(read(registry(items)).problems).toEqual(["6:1: x: unknown field"]);
    expect(read(registry(Array(30_000).fill("*x").join(","))).problems).toEqual([
      "1:1: aliases expand to too much; write the values out",
    ]);
  });

  it("refuse a merge behind a field that kubectl lets it replace", () => {
    const text = configMap("a", "\n  a: own\n  <<: {a: merged}\n");
    expect(read(text).problems).toEqual([
      "6:3: kubectl lets this merge (<<) replace fields before it; write the merge before all other fields",
    ]);
    expect(read(configMap("a", "\n  b: own\n  <<: {a: merged}\n"))).toEqual(fine("a"));
  });

  it("let the first of several merges win, and a field win over all", () => {
    const text = configMap(
      "a",
      "\n  <<: [{a: 'first'}, {a: second, b: second, c: second}]\n  c: own\n",
    );
    const [resource] = parseManifests(text, "a.yaml").resources;
    expect(resource?.value).toMatchObject({ data: { a: "first", b: "second", c: "own" } });
  });
});

describe("values", () => {
  it.each([
    ["!!str 3", "3"],
    ["! 3", "3"],
    ["!!binary aGk=", "hi"],
    ["!!timestamp 2026-01-01", "2026-01-01"],
  ])("have the type of their tag: %s", (written, value) => {
    const { resources, problems } = parseManifests(configMap("a", `{k: ${written}}`), "a.yaml");
    expect(problems).toEqual([]);
    expect(resources[0]?.value).toMatchObject({ data: { k: value } });
  });

  it.each(["!!bool x", "!!int 1.5", "!!null x", "!!float x", "!!binary a*b=", "!!binary aGk"])(
    "must fit their tag: %s",
    (written) => {
      expect(read(configMap("a", `{k: ${written}}`))).toEqual(
        refused("", "4:11: the value does not fit its tag; correct it, or remove the tag"),
      );
    },
  );

  it.each([
    [`{k: "a\\/b"}`, "4:13: kubectl knows no"],
    [`{k: "a\\ud83d\\ude00"}`, "4:13: kubectl knows no"],
    ["{k: a # b\u2028c\n }", "4:16: an unusual end of a line"],
    ["\n  k: |\n    a\u2028b", "6:6: an unusual end of a line"],
    ["{k: 'a\u0085b'}", "4:13: an unusual end of a line"],
  ])("hold nothing that kubectl refuses: %j", (data, problem) => {
    expect(read(configMap("a", data)).problems).toEqual([expect.stringContaining(problem)]);
  });

  it.each([String.raw`{"k": "a\/b \ud83d\ude00 \\/"}`, '"a\u2028b"', String.raw`"a\\/b"`])(
    "hold what kubectl takes: %j",
    (written) => {
      const text = written.startsWith("{")
        ? json("a").replace(/}$/, `,"data":${written}}`)
        : configMap("a", `{k: ${written}}`);
      expect(read(text)).toEqual(fine("a"));
    },
  );

  it("are no infinite numbers, even where any value is taken", () => {
    const text = `apiVersion: omnia.altairalabs.ai/v1alpha1
kind: ToolRegistry
metadata: {name: tools}
spec:
  tools:
    - {name: a, url: "http://a", inputSchema: {type: object, properties: {m: {maximum: .inf}}}}
`;
    expect(read(text).problems).toEqual([
      "6:88: spec.tools[0].inputSchema.properties.m.maximum: is no number that Kubernetes can hold",
    ]);
  });
});

describe("manifests that fell short", () => {
  it.each([
    ["07-typed-list", fine("a a")],
    ["09-bom-in-later-document", fine("a b")],
    [
      "10-key-on",
      {
        names: "c p k a",
        problems: [
          '5:3: warning: kubectl reads the name of this field as "true"; put it in quotes',
        ],
      },
    ],
    [
      "14-cure-that-leads-on",
      {
        names: "",
        problems: [
          '3:18: metadata.name: must begin with a letter, be of a-z, 0-9 and "-", and end with a letter or digit (a Service is named after it)',
          '4:48: spec.session.ttl: must be a duration like "30s" or "1h30m"; write 3600s',
        ],
      },
    ],
  ])("are read as kubectl reads them: %s", async (folder, expected) => {
    const path = new URL(`../../../test/cases/manifests/${folder}/a.yaml`, import.meta.url);
    expect(read(await readFile(path, "utf8"))).toEqual(expected);
  });
});
