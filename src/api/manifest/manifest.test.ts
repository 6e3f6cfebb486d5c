import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { processorTime } from "../../../test/support/builders/processor-time.ts";
import {
  MAX_DOCUMENTS_PER_FILE,
  MAX_FILE_BYTES,
  MAX_PROBLEMS_PER_FILE,
  parseManifests,
} from "./manifest.ts";
import { MAX_TOKENS } from "./yaml-tokens.ts";

const HEAD = `apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata:
  name: support
`;
const ECHO = `${HEAD}spec: {facade: {handler: echo}}\n`;

/** The problems as `omnia validate` prints them. */
function problemsOf(text: string): string[] {
  return parseManifests(text, "a.yaml").problems.map(
    ({ file, line, column, severity, message }) =>
      `${file}:${line}:${column}: ${severity === "warning" ? "warning: " : ""}${message}`,
  );
}

function namesOf(text: string): string[] {
  return parseManifests(text, "a.yaml").resources.map(
    ({ kind, namespace, name }) => `${kind} ${namespace}/${name}`,
  );
}

describe("parseManifests", () => {
  it("answers a typed resource with its defaults and places", () => {
    const { resources, problems } = parseManifests(`# an agent\n\n${ECHO}`, "a.yaml");
    expect(problems).toEqual([]);
    const [agent] = resources;
    expect(agent).toMatchObject({
      apiVersion: "omnia.altairalabs.ai/v1alpha1",
      kind: "AgentRuntime",
      name: "support",
      namespace: "default",
      file: "a.yaml",
      value: { spec: { replicas: 1, session: { ttl: "1h" } } },
    });
    expect(agent?.positionOf([])).toEqual({ line: 3, column: 1 });
    expect(agent?.positionOf(["spec", "facade", "handler"])).toEqual({ line: 7, column: 26 });
    // A field that is not written has the position of the thing around it.
    expect(agent?.positionOf(["spec", "session", "ttl"])).toEqual({ line: 7, column: 1 });
  });

  it("reports every mistake of a manifest, each with its place and cure", () => {
    const manifest = `${HEAD}spec:
  replicas: "3"
  sesion: {}
  ttl: 1h
  facade:
    handlr: runtime
    port: 8081
  provider:
    name: opnai
    model: 4
    apiKeySecretRef: {name: llm}
  session:
    type: redis
    ttl: 1d
  env:
    - name: OMNIA_TOKEN
    - name: A
      value: yes
    - name: A
`;
    expect(problemsOf(manifest)).toMatchInlineSnapshot(`
      [
        "a.yaml:5:1: spec.promptPackRef: required when facade.handler is "runtime" (the default); handlers "demo" and "echo" need none",
        "a.yaml:6:13: spec.replicas: must be a number, not a string; remove the quotes",
        "a.yaml:7:3: spec.sesion: unknown field; did you mean "session"?",
        "a.yaml:8:3: spec.ttl: unknown field; did you mean "session.ttl"?",
        "a.yaml:10:5: spec.facade.handlr: unknown field; did you mean "handler"?",
        "a.yaml:11:11: spec.facade.port: 8081 is the management port; choose another",
        "a.yaml:13:11: spec.provider.name: must be one of openai, anthropic, google, not "opnai"; did you mean "openai"?",
        "a.yaml:14:12: spec.provider.model: must be a string, not a number; put it in quotes",
        "a.yaml:15:5: spec.provider.apiKeySecretRef.key: required when facade.handler is "runtime" (the default)",
        "a.yaml:16:3: spec.session.storeRef: required when session.type is "redis"",
        "a.yaml:18:10: spec.session.ttl: must be a duration like "30s" or "1h30m"",
        "a.yaml:20:13: spec.env[0].name: names that begin with OMNIA_ are set by Omnia itself; choose another",
        "a.yaml:22:14: spec.env[1].value: must be a string, not true; put it in quotes",
        "a.yaml:23:13: spec.env[2].name: an earlier item has the same name; give each its own",
      ]
    `);
  });

  it("names what is missing at the thing that should hold it", () => {
    expect(problemsOf(`${HEAD.replace("support", "")}spec: {}\n`)).toMatchInlineSnapshot(`
      [
        "a.yaml:4:9: metadata.name: required",
        "a.yaml:5:1: spec.provider: required when facade.handler is "runtime" (the default); handlers "demo" and "echo" need none",
        "a.yaml:5:1: spec.promptPackRef: required when facade.handler is "runtime" (the default); handlers "demo" and "echo" need none",
      ]
    `);
    expect(problemsOf("kind: AgentRuntime\n")).toMatchInlineSnapshot(`
      [
        "a.yaml:1:1: apiVersion: required, like "omnia.altairalabs.ai/v1alpha1"",
      ]
    `);
    expect(problemsOf("apiVersion: v1\nkind:\n")).toMatchInlineSnapshot(`
      [
        "a.yaml:2:6: kind: required, like AgentRuntime, PromptPack, ToolRegistry",
      ]
    `);
    expect(problemsOf("apiVersion: omnia.altairalabs.ai/v1alpha1\nkind: PromptPack\n"))
      .toMatchInlineSnapshot(`
      [
        "a.yaml:1:1: metadata.name: required",
        "a.yaml:1:1: spec: required",
      ]
    `);
  });

  it("goes on after a document that is broken", () => {
    const broken = [
      `${HEAD}spec:\n\treplicas: 1\n`,
      `${HEAD}spec: "open\n`,
      `${HEAD}spec: {facade: [\n`,
      `  a: 1\n b: 2\n`,
      "just words\n",
      "- a list\n",
    ];
    const file = [ECHO, ...broken, ECHO.replace("support", "last")].join("---\n");
    expect(namesOf(file)).toEqual(["AgentRuntime default/support", "AgentRuntime default/last"]);
    expect(problemsOf(file)).toMatchInlineSnapshot(`
      [
        "a.yaml:12:1: a tab in the indentation; YAML allows only spaces there",
        "a.yaml:18:7: not valid YAML: missing closing "quote",
        "a.yaml:25:1: not valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]",
        "a.yaml:27:2: something stands behind the end of a value; a second document begins after a line "---"",
        "a.yaml:29:1: must be a mapping with apiVersion, kind, metadata",
        "a.yaml:31:1: must be a mapping with apiVersion, kind, metadata",
      ]
    `);
  });

  it("shows a field that is there twice, and takes neither", () => {
    const manifest = `${HEAD}spec:\n  facade: {handler: echo}\n  replicas: 1\n  replicas: 2\n  x: 1\n`;
    expect(namesOf(manifest)).toEqual([]);
    expect(problemsOf(manifest)).toEqual([
      "a.yaml:8:3: this field is there twice; remove one of the two",
      "a.yaml:9:3: spec.x: unknown field",
    ]);
  });

  it("reads JSON, indented with tabs too", () => {
    const manifest = JSON.stringify(
      {
        apiVersion: "omnia.altairalabs.ai/v1alpha1",
        kind: "PromptPack",
        metadata: { name: "prompts", namespace: "support" },
        spec: { source: { configMapRef: { name: "prompts", kee: "x" } } },
      },
      null,
      "\t",
    );
    expect(problemsOf(manifest)).toEqual([
      'a.yaml:12:5: spec.source.configMapRef.kee: unknown field; did you mean "key"?',
    ]);
    expect(namesOf(manifest.replace("kee", "key"))).toEqual(["PromptPack support/prompts"]);
  });

  it("takes the resources out of a List, as kubectl prints it", () => {
    const list = `apiVersion: v1
kind: List
metadata: {resourceVersion: ""}
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: prompts, uid: "1", creationTimestamp: "2026-01-01T00:00:00Z"}
  data: {timeout: 30}
- apiVersion: omnia.altairalabs.ai/v1alpha1
  kind: AgentRuntime
  metadata: {name: a, generation: 2, managedFields: [{manager: kubectl}]}
  spec: {facade: {handler: demo}}
  status: {phase: Nonsense}
- 3
`;
    expect(namesOf(list)).toEqual(["AgentRuntime default/a"]);
    expect(problemsOf(list)).toEqual([
      "a.yaml:8:19: items[0].data.timeout: must be a string; put it in quotes",
      "a.yaml:14:3: items[2]: must be a mapping with apiVersion, kind, metadata",
    ]);
    expect(problemsOf("apiVersion: v1\nkind: List\n")).toEqual([
      "a.yaml:1:1: items: must be a list of resources",
    ]);
  });

  it.each([
    ["v1", "Namespace", "warning: kind: Namespace (v1) is not for Omnia and left alone"],
    [
      "apps/v1",
      "Deployment",
      "warning: kind: Deployment (apps/v1) is not for Omnia and left alone",
    ],
    ["serving.knative.dev/v1", "Service", "warning: kind: Service (serving.knative.dev/v1) is not"],
    [
      "v1",
      "AgentRuntime",
      'apiVersion: AgentRuntime has apiVersion "omnia.altairalabs.ai/v1alpha1"',
    ],
    [
      "omnia.altairalabs.ai/v1",
      "PromptPack",
      'apiVersion: PromptPack has apiVersion "omnia.altairalabs.ai/v1alpha1", and no version v1',
    ],
    [
      "omnia.altairalabs.ai/v1alpha1",
      "Secret",
      'kind: omnia.altairalabs.ai has no such kind (it has AgentRuntime, PromptPack, ToolRegistry); Secret has apiVersion "v1"',
    ],
    ["omnia.altairalabs.ai/v1alpha1", "Agent", "kind: omnia.altairalabs.ai has no such kind"],
    ["omnia.altairalabs.ai/v1alpha1", "ConfigMap", "kind: omnia.altairalabs.ai has no such kind"],
    ["omnia.altairlabs.ai/v1alpha1", "Agent", "apiVersion: unknown group; did you mean"],
    ["v1", "Configmap", "kind: v1 has no such kind; did you mean ConfigMap?"],
    ["v1", "Widget", "kind: v1 has no such kind"],
    ["apps/v1", "ConfigMap", 'apiVersion: ConfigMap has apiVersion "v1"'],
    ["app/v1", "Deployment", "apiVersion: must be like"],
    ["apps/1", "Deployment", "apiVersion: must be like"],
  ])("judges %s %s", (apiVersion, kind, problem) => {
    const manifest = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\n`;
    const column = problem.includes("apiVersion: ") ? "1:13" : "2:7";
    expect(namesOf(manifest)).toEqual([]);
    expect(problemsOf(manifest)).toEqual([expect.stringContaining(`a.yaml:${column}: ${problem}`)]);
  });

  it.each([
    ["prt", 'unknown field; did you mean "port"?'],
    ["ttl", "unknown field"],
    ["storeRef", "unknown field"],
    ["issuer", "unknown field"],
  ])("guesses what facade.%s was meant to be", (field, message) => {
    const manifest = `${HEAD}spec: {facade: {handler: echo, ${field}: 1}}\n`;
    expect(problemsOf(manifest)).toEqual([`a.yaml:5:32: spec.facade.${field}: ${message}`]);
  });

  it("finds the home of a field that lost its indentation", () => {
    expect(
      problemsOf(`${HEAD}spec:\n  facade:\n  handler: echo\n  promptPackRef: {name: p}\n`),
    ).toContain('a.yaml:7:3: spec.handler: unknown field; did you mean "facade.handler"?');
  });

  it("reads words and numbers as Kubernetes' tools do", () => {
    const value = (written: string) =>
      problemsOf(`${HEAD}spec: {facade: {handler: echo}, replicas: ${written}}\n`).map((problem) =>
        problem.replace(/^.*?: spec/, "spec"),
      );
    expect(value("010")).toEqual([]);
    expect(value("1_0")).toEqual([]);
    expect(value("yes")).toEqual(["spec.replicas: must be a number, not true"]);
    expect(value("12:30")).toEqual(["spec.replicas: must be a number, not a string"]);
    expect(value("2026-01-01")).toEqual(["spec.replicas: must be a number, not a string"]);
    expect(value("1.5")).toEqual([
      "spec.replicas: must be an integer, not a number with a fraction",
    ]);
    expect(value(".inf")).toEqual(["spec.replicas: must be a number, not infinite or no number"]);
  });

  it("follows anchors and merges, and finds places through them", () => {
    const manifest = `${HEAD}  labels: &labels {team: support}
spec:
  facade: &echo {handler: echo}
  nodeSelector: {<<: *labels, zone: "a b"}
---
${ECHO.replace("support", "other").replace("{facade", "{nodeSelector: *labels, facade")}`;
    expect(problemsOf(manifest)).toEqual([
      'a.yaml:8:37: spec.nodeSelector.zone: must be of letters, digits, "-", "_" and "." (a label value)',
      "a.yaml:10:1: an alias (*name) needs its anchor (&name) before it",
    ]);
  });

  it("warns of tags that it does not know", () => {
    expect(problemsOf(ECHO.replace("name: support", "name: !secret support"))).toEqual([
      "a.yaml:4:9: warning: this tag is unknown and ignored",
    ]);
    expect(namesOf(ECHO.replace("name: support", "name: !secret support"))).toHaveLength(1);
  });

  it("skips what is empty, and minds neither a byte order mark nor Windows' line ends", () => {
    const windows = `\uFEFF---\n# nothing\n---\n${ECHO}---\n`.replaceAll("\n", "\r\n");
    expect(problemsOf(windows)).toEqual([]);
    expect(namesOf(windows)).toEqual(["AgentRuntime default/support"]);
    expect(problemsOf("")).toEqual([]);
  });

  it.each([
    [
      "name: {{ .Values.name }}",
      "1:8: the name of a field must be a text; a template ({{ }}) must be rendered first",
    ],
    [
      "a: b: c",
      '1:4: a ": " inside of a value; correct the indentation, or put the value in quotes',
    ],
    ['{"a": 1 "b": 2}', '1:7: a "," or a closing bracket is missing at this place or before it'],
  ])("names the cure of %j", (text, problem) => {
    expect(problemsOf(text)[0]).toBe(`a.yaml:${problem}`);
  });

  it("takes what looks like a number and is too great for one as text, as Kubernetes does", () => {
    const text = `${HEAD}  labels: {commit: 123e456}\nspec: {facade: {handler: echo}}\n`;
    expect(problemsOf(text)).toEqual([]);
  });

  it("refuses an alias that stands inside of its own anchor", () => {
    const text = "apiVersion: v1\nkind: ConfigMap\nmetadata: &m {name: x, labels: *m}\n";
    expect(problemsOf(text)).toEqual([
      "a.yaml:3:32: an alias (*name) stands inside of its own anchor (&name); write the value out",
    ]);
  });

  it("says once what stands behind a value of YAML that looks like JSON", () => {
    expect(problemsOf('{apiVersion: v1}\n{"apiVersion": "v1", "kind": "Secret"}\n')).toEqual([
      'a.yaml:2:1: something stands behind the end of a value; a second document begins after a line "---"',
    ]);
  });

  it.each([
    ["a control character", `${ECHO}# \u0000`, "6:3"],
    ["what is left of another encoding", ECHO.replace("support", "s\uFFFDpport"), "4:10"],
  ])("refuses %s, as Kubernetes' tools do", (_, text, place) => {
    expect(namesOf(text)).toEqual([]);
    expect(problemsOf(text)).toEqual([
      `a.yaml:${place}: holds something that is no text; save the file as UTF-8, without control characters`,
    ]);
  });

  it("takes an empty namespace for none, and capitals in the key of an annotation", () => {
    const metadata = '{name: support, namespace: "", annotations: {Example.com/a: b}}';
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: ${metadata}\n`;
    expect(problemsOf(text)).toEqual([]);
    expect(namesOf(text)).toEqual(["ConfigMap default/support"]);
  });

  it("tells the form of a quantity and of a port in words", () => {
    const problems = problemsOf(`${HEAD}spec:
  facade: {handler: echo}
  resources: {limits: {memory: 1Gib}}
---
apiVersion: omnia.altairalabs.ai/v1alpha1
kind: ToolRegistry
metadata: {name: tools}
spec: {tools: [{name: a, selector: {}, port: HTTP}]}
`);
    expect(problems).toEqual([
      'a.yaml:7:32: spec.resources.limits.memory: must be a quantity like "500m", "2" or "256Mi", in quotes unless it is a whole number',
      "a.yaml:12:46: spec.tools[0].port: must be a port number (1 to 65535) or the name of a port",
    ]);
  });

  it("reads a mapping of very many fields, and finds the one that is there twice", () => {
    const fields = Array.from({ length: 40_000 }, (_, index) => `  k${index}: ""\n`).join("");
    const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n${fields}  k7: ""\n`;
    expect(problemsOf(text)).toEqual([
      "a.yaml:40005:3: this field is there twice; remove one of the two",
    ]);
  });

  it("shows no part of a file that may be a secret", () => {
    const secret = "hunter2";
    const files = [
      `apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  a: |x${secret}\n  b: "\\${secret}"\n  c: @${secret}\n  *${secret}\n`,
      `apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: "${secret}"}\n`,
      `${HEAD}spec:\n  provider: {name: openai, baseURL: "https://me:${secret}@example.com"}\n  env: [{name: A, value: [${secret}]}]\n`,
    ];
    for (const file of files) {
      const problems = problemsOf(file);
      expect(problems.length).toBeGreaterThan(0);
      expect(problems.join("\n")).not.toContain(secret);
    }
  });

  describe("limits", () => {
    it("refuses a file that is too large", () => {
      expect(problemsOf(`#${"x".repeat(MAX_FILE_BYTES)}`)).toEqual([
        "a.yaml:1:1: the file is larger than 8 MiB; split it",
      ]);
    });

    it("warns of a ConfigMap that no API server takes, and takes it", () => {
      const big = "x".repeat(600 * 1024);
      const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: ${big}, b: ${big}}\n`;
      const { resources, problems } = parseManifests(text, "a.yaml");
      expect(resources).toHaveLength(1);
      expect(problems).toMatchObject([
        {
          line: 4,
          severity: "warning",
          message: "data: holds more than 1 MiB, which no API server takes; split it",
        },
      ]);
    });

    it("refuses a file of too many documents", () => {
      expect(problemsOf("---\na: 1\n".repeat(MAX_DOCUMENTS_PER_FILE + 1))).toEqual([
        "a.yaml:1:1: the file has more than 1000 documents; split it",
      ]);
    });

    it("refuses aliases that expand to too much", () => {
      const levels = Array.from({ length: 9 }, (_, level) => {
        const items = Array(9).fill(level === 0 ? "x" : `*a${level - 1}`);
        return `a${level}: &a${level} [${items.join(", ")}]`;
      });
      expect(problemsOf(levels.join("\n"))).toEqual([
        "a.yaml:1:1: aliases expand to too much; write the values out",
      ]);
    });

    it("refuses what is nested too deeply", () => {
      expect(problemsOf(`a: ${"[".repeat(50_000)}`)).toContainEqual(
        expect.stringContaining("nested too deeply"),
      );
    });

    it.each([
      ["items", `a: [${"a,".repeat(MAX_TOKENS)}]`],
      ["lines", `${"# a\n".repeat(MAX_TOKENS / 2)}a: b\n`],
      ["documents together", `---\na: [${"a,".repeat(1_500)}]\n`.repeat(200)],
    ])("refuses what holds too many %s", (_, text) => {
      const { problems } = parseManifests(text, "a.yaml");
      expect(problems.at(-1)?.message).toMatch(/too many values and lines; split it|more problems/);
    });

    it("reads no further after many errors of syntax", () => {
      const started = processorTime();
      expect(problemsOf(`a: ${'"'.repeat(200_000)}`).length).toBeGreaterThan(0);
      expect(processorTime() - started).toBeLessThan(5_000);
    });

    it("lists the first of very many problems", () => {
      const items = "- 3\n".repeat(50_000);
      expect(problemsOf(`apiVersion: v1\nkind: List\nitems:\n${items}`)).toHaveLength(
        MAX_PROBLEMS_PER_FILE + 1,
      );
    });

    it("lists so many problems and counts the others", () => {
      const fields = Array.from({ length: 1_000 }, (_, index) => `  field${index}: 1`).join("\n");
      const problems = problemsOf(`${HEAD}spec:\n  facade: {handler: echo}\n${fields}\n`);
      expect(problems).toHaveLength(MAX_PROBLEMS_PER_FILE + 1);
      expect(problems.at(-1)).toContain("and 800 more problems");
    });

    it("is not slowed down by a text that misleads a pattern", () => {
      const long = "a".repeat(200_000);
      const manifest = `${HEAD}spec:\n  facade: {handler: echo}\n  image: ${long}\n  session: {ttl: "${"1".repeat(200_000)}"}\n  promptPackRef: {name: "${"a.".repeat(100_000)}!"}\n`;
      const started = processorTime();
      expect(problemsOf(manifest)).toHaveLength(3);
      expect(processorTime() - started).toBeLessThan(5_000);
    });
  });

  it("never throws, and places every problem inside the file", () => {
    const pieces = fc.constantFrom(
      "---\n",
      "\t",
      "  ",
      "- ",
      ": ",
      "\n",
      "{",
      "}",
      "[",
      "]",
      '"',
      "'",
      "|",
      ">",
      "&a",
      "*a",
      "!!x ",
      "# ",
      "%YAML 1.2\n",
      "null",
      "<<: ",
      "spec:\n",
      "env",
      "items",
      "apiVersion: v1\nkind: List\nitems:\n",
      "apiVersion: v1\nkind: Secret\ndata:\n  a: b\n",
      "\u0000",
      "\uD800",
      "\r",
      "__proto__: ",
      "constructor: 1\n",
      "0x1F",
      ".nan",
      HEAD,
      ECHO,
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 40 }), (parts) => {
        const text = parts.join("");
        const lines = text.split(/\r\n|\r|\n/).length + 1;
        for (const { line, column, message } of parseManifests(text, "a.yaml").problems) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(message).not.toBe("");
        }
      }),
      { numRuns: 300 },
    );
  });
});
