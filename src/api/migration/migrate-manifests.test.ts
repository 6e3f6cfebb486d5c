import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import { manifestCase } from "../../../test/support/builders/manifest-case.ts";
import { API_VERSION } from "../group.ts";
import { parseManifests } from "../manifest/manifest.ts";
import { UPSTREAM_FIELDS } from "../upstream/recognise-form.ts";
import { migrateManifests } from "./migrate-manifests.ts";

function migrated(...texts: string[]) {
  const sources = texts.map((text, index) => ({ name: `${index}.yaml`, text }));
  const { files, ...rest } = migrateManifests(sources);
  return { text: files.map(({ text }) => text).join("---\n"), files, ...rest };
}

function resource(kind: string, name: string, spec: object): string {
  return stringify({ apiVersion: API_VERSION, kind, metadata: { name }, spec });
}

/** What becomes of the spec of one resource. */
function specOf(kind: string, spec: object, ...others: string[]): unknown {
  const { files } = migrated(resource(kind, "a", spec), ...others);
  const [first = ""] = files.map(({ text }) => text);
  return (parse(first.split(/^---$/m)[0] ?? "") as { spec: unknown }).spec;
}

const pack = { promptPackRef: { name: "p" } };
const demo = { ...pack, facade: { handler: "demo", extraEnv: [] } };
const provider = (name: string, spec: object): string => resource("Provider", name, spec);
const secret = (name: string, ...keys: string[]): string =>
  stringify({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name },
    stringData: Object.fromEntries(keys.map((key) => [key, "v"])),
  });

const CASES = [
  "15-upstream-2026-07",
  "16-upstream-2025-12",
  "upstream-all-fields",
  "upstream-providers",
];

describe("a manifest in the form of AltairaLabs' Omnia", () => {
  it.each(CASES)("becomes one that is valid, and stays so: %s", (name) => {
    const once = migrated(manifestCase(name));
    expect(once.problems).toEqual([]);
    expect(parseManifests(once.text, "a.yaml").problems).toEqual([]);
    const twice = migrated(once.text);
    expect(twice.text).toBe(once.text);
    expect(twice).toMatchObject({ translated: 0, remarks: [], files: [{ isChanged: false }] });
  });

  it("is written so: 2026-07", () => {
    expect(migrated(manifestCase("15-upstream-2026-07")).text).toMatchInlineSnapshot(`
      "# Provider "p" stands in spec.provider of AgentRuntime "a" now.
      # It was:
      # apiVersion: omnia.altairalabs.ai/v1alpha1
      # kind: Provider
      # metadata: {name: p}
      # spec: {type: openai, model: gpt-4o, credential: {secretRef: {name: k}}}
      ---
      apiVersion: omnia.altairalabs.ai/v1alpha1
      kind: AgentRuntime
      metadata: {name: a}
      spec:
        promptPackRef: {name: pp}
        facade: {type: websocket, port: 8080}
        replicas: 2
        provider:
          name: openai
          model: gpt-4o
          apiKeySecretRef:
            name: k
            key: OPENAI_API_KEY
      ---
      apiVersion: omnia.altairalabs.ai/v1alpha1
      kind: PromptPack
      metadata: {name: pp}
      spec:
        # spec.version: "1.0.0" — the version is that of the pack's content
        source:
          configMapRef: {name: c, key: pack.json}
      ---
      apiVersion: omnia.altairalabs.ai/v1alpha1
      kind: ToolRegistry
      metadata: {name: t}
      spec:
        tools:
          - {name: h, type: http, url: "http://127.0.0.1:1"}
      "
    `);
  });

  it("is written so: 2025-12", () => {
    expect(migrated(manifestCase("16-upstream-2025-12")).text).toMatchInlineSnapshot(`
      "apiVersion: omnia.altairalabs.ai/v1alpha1
      kind: AgentRuntime
      metadata: {name: a}
      spec:
        # spec.provider.name: the provider is a guess: openai, anthropic or google
        # spec.provider.model: write the name of the model
        promptPackRef: {name: pp}
        session:
          type: redis
          storeRef: {name: r, key: url}
          ttl: "24h"
        replicas: 2
        provider:
          apiKeySecretRef:
            name: k
            key: api-key
          name: openai
          model: choose-a-model
      ---
      apiVersion: omnia.altairalabs.ai/v1alpha1
      kind: ToolRegistry
      metadata: {name: t}
      spec:
        tools:
          - {name: orders, type: http, url: "http://127.0.0.1:1/x"}
      "
    `);
  });

  it("keeps the comments of the user, and tells in comments what has no counterpart", () => {
    const { text } = migrated(manifestCase("upstream-all-fields"));
    for (const comment of [
      "# Two facades, of which one speaks WebSocket",
      "# the port of the Service",
      "name: support-1-10-0 # the pack by its packName",
      "replicas: 2 # enough",
      "model: claude-sonnet-4 # the model",
      "# # The large model",
      '# spec.rollout: {"steps":[{"setWeight":10}',
      '# spec.mode: "function" — every agent is one to talk to',
      '# Workspace "team" is of a kind that is not there here.',
      '# Provider "large" stands in spec.provider of AgentRuntime "support" now.',
      '# Provider "small" is of a kind that is not there here.',
    ]) {
      expect(text).toContain(comment);
    }
  });

  it("loses no value: each is in the text or in a comment, but for those that say what is so anyway", () => {
    const text = manifestCase("upstream-all-fields");
    const result = migrated(text).text;
    const values = parseAllDocuments(text).flatMap((document) =>
      scalarsOf((document.toJS() as { spec: unknown }).spec),
    );
    expect([...new Set(values.filter((value) => !result.includes(value)))]).toEqual([
      "configmap",
      "orders-handler",
      "look_up_order",
      "application/json",
      "streamable-http",
      "camera",
      "take_photo",
    ]);
  });
});

function scalarsOf(value: unknown): string[] {
  return typeof value === "object" && value !== null
    ? Object.values(value).flatMap(scalarsOf)
    : [String(value)];
}

describe("a Provider", () => {
  const refers = { ...pack, providers: [{ name: "default", providerRef: { name: "m" } }] };

  it.each([
    ["claude", "anthropic", "ANTHROPIC_API_KEY"],
    ["openai", "openai", "OPENAI_API_KEY"],
    ["gemini", "google", "GEMINI_API_KEY"],
  ])("of type %s goes into the agents that use it, from another file", (type, name, key) => {
    const spec = { type, model: "some-model", credential: { secretRef: { name: "k" } } };
    expect(specOf("AgentRuntime", refers, provider("m", spec))).toEqual({
      ...pack,
      provider: { name, model: "some-model", apiKeySecretRef: { name: "k", key } },
    });
  });

  it("is named in either form, alone and in a list", () => {
    const other = provider("m", { type: "openai", model: "b", secretRef: { name: "k", key: "x" } });
    const wanted = { name: "openai", model: "b", apiKeySecretRef: { name: "k", key: "x" } };
    for (const ref of [
      { providerRef: { name: "m" } },
      {
        providers: [
          { name: "voice", role: "tts", providerRef: { name: "v" } },
          { name: "chat", providerRef: { name: "m" } },
        ],
      },
      {
        providers: [
          { name: "judge", providerRef: { name: "v" } },
          { name: "default", providerRef: { name: "m" } },
        ],
      },
    ]) {
      expect(specOf("AgentRuntime", { ...pack, ...ref }, other)).toMatchObject({
        provider: wanted,
      });
    }
  });

  it("goes into every agent that uses it", () => {
    const spec = { type: "openai", model: "b", credential: { secretRef: { name: "k" } } };
    const { text } = migrated(
      resource("AgentRuntime", "a", refers),
      provider("m", spec),
      resource("AgentRuntime", "b", refers),
    );
    expect(text).toContain('Provider "m" stands in spec.provider of AgentRuntime "a", "b" now.');
    expect(text.match(/^ {4}model: b$/gm)).toHaveLength(2);
  });

  it("is asked for its key by what the Secret has, if that is among the files", () => {
    const spec = { type: "openai", model: "b", credential: { secretRef: { name: "k" } } };
    const keyFor = (...keys: string[]): unknown =>
      specOf("AgentRuntime", refers, provider("m", spec), secret("k", ...keys));
    const withKey = (key: string) => ({ provider: { apiKeySecretRef: { name: "k", key } } });
    expect(keyFor("OPENAI_API_KEY", "other")).toMatchObject(withKey("OPENAI_API_KEY"));
    expect(keyFor("api-key", "other")).toMatchObject(withKey("api-key"));
    expect(keyFor("token")).toMatchObject(withKey("token"));
    expect(keyFor("a", "b")).toMatchObject(withKey("OPENAI_API_KEY"));
  });

  it("that is a server of one's own gets a Secret, because a key has to be named", () => {
    const spec = { type: "vllm", model: "b", baseURL: "http://vllm:8000/v1" };
    const { text, remarks } = migrated(resource("AgentRuntime", "a", refers), provider("m", spec));
    expect(text).toContain("kind: Secret\nmetadata:\n  name: a-api-key\n");
    expect(text).toContain("baseURL: http://vllm:8000/v1\n");
    expect(remarks.filter(({ isNeeded }) => isNeeded)).toEqual([]);
  });

  it("that is not among the files is something to fill in", () => {
    const { text, remarks } = migrated(resource("AgentRuntime", "a", refers));
    expect(parseManifests(text, "a.yaml").problems).toEqual([]);
    expect(remarks.map(({ isNeeded, field }) => isNeeded && field)).toEqual([
      "spec.providers",
      "spec.provider.name",
      "spec.provider.model",
      "spec.provider.apiKeySecretRef",
    ]);
  });
});

describe("a field of an agent", () => {
  it.each([
    [
      "a temperature as text",
      { provider: { config: { temperature: "0.7" } } },
      { provider: { parameters: { temperature: 0.7 } } },
    ],
    [
      "a store of sessions",
      { context: { type: "redis", storeRef: { name: "r" } } },
      { session: { type: "redis", storeRef: { name: "r", key: "url" }, ttl: "24h" } },
    ],
    [
      "a time to live",
      { context: { type: "memory", ttl: "2h" } },
      { session: { type: "memory", ttl: "2h" } },
    ],
    [
      "variables of two places",
      {
        env: [{ name: "A", value: "1" }],
        runtime: {
          extraEnv: [
            { name: "A", value: "2" },
            { name: "B", value: "3" },
          ],
        },
      },
      {
        env: [
          { name: "A", value: "1" },
          { name: "B", value: "3" },
        ],
      },
    ],
    [
      "variables of Omnia",
      {
        runtime: {
          extraEnv: [
            { name: "OMNIA_A", value: "1" },
            { name: "B", value: "3" },
          ],
        },
      },
      { env: [{ name: "B", value: "3" }] },
    ],
    [
      "tokens",
      { externalAuth: { oidc: { issuer: "https://i.example", audience: "omnia" } } },
      { facade: { auth: { jwt: { issuer: "https://i.example", audiences: ["omnia"] } } } },
    ],
    [
      "pods",
      { podOverrides: { nodeSelector: { a: "b" }, imagePullSecrets: [{ name: "r" }] } },
      { nodeSelector: { a: "b" }, imagePullSecrets: [{ name: "r" }] },
    ],
    ["two places for one thing", { replicas: 1, runtime: { replicas: 2 } }, { replicas: 1 }],
    [
      "the management port",
      { facades: [{ type: "websocket", port: 8081, handler: "demo" }] },
      { facade: { type: "websocket", handler: "demo" } },
    ],
  ])("finds its place: %s", (_what, spec, wanted) => {
    const given = "facades" in spec ? pack : demo;
    expect(specOf("AgentRuntime", { mode: "agent", ...given, ...spec })).toMatchObject(wanted);
  });

  it("says that everybody may connect where the check of who may has no counterpart", () => {
    const { remarks } = migrated(
      resource("AgentRuntime", "a", { ...demo, externalAuth: { edgeTrust: {} } }),
    );
    expect(remarks).toContainEqual(
      expect.objectContaining({
        isNeeded: true,
        message:
          'AgentRuntime "a": spec.facade.auth: without it everybody who reaches the agent may connect',
      }),
    );
  });

  it("names the object of a pack that is called by its packName", () => {
    const version = (name: string, number: string): string =>
      resource("PromptPack", name, {
        packName: "p",
        version: number,
        source: { configMapRef: { name } },
      });
    const packs = [version("p-1", "1.9.0"), version("p-2", "1.10.0")];
    const nameIn = (ref: object): unknown =>
      specOf("AgentRuntime", { ...demo, promptPackRef: { name: "p", ...ref } }, ...packs);
    expect(nameIn({})).toMatchObject({ promptPackRef: { name: "p-2" } });
    expect(nameIn({ version: "1.9.0" })).toMatchObject({ promptPackRef: { name: "p-1" } });
    expect(nameIn({ name: "other", track: "stable" })).toMatchObject({
      promptPackRef: { name: "other" },
    });
  });
});

describe("a pack", () => {
  it("is read from the key that its ConfigMap has, and else from pack.json", () => {
    const spec = { source: { type: "configmap", configMapRef: { name: "c" } } };
    const configMap = (...keys: string[]): string =>
      secret("c", ...keys)
        .replace("kind: Secret", "kind: ConfigMap")
        .replace("stringData", "data");
    const keyOf = (...others: string[]): unknown => specOf("PromptPack", spec, ...others);
    const withKey = (key: object) => ({ source: { configMapRef: { name: "c", ...key } } });
    expect(keyOf()).toEqual(withKey({ key: "pack.json" }));
    expect(keyOf(configMap("pack.json", "a"))).toEqual(withKey({ key: "pack.json" }));
    expect(keyOf(configMap("promptpack.json", "a"))).toEqual(withKey({}));
    expect(keyOf(configMap("one.yaml"))).toEqual(withKey({ key: "one.yaml" }));
  });
});

describe("other documents", () => {
  const own = `# A comment
apiVersion: ${API_VERSION}
kind: AgentRuntime
metadata:   {name: mine}   # as I like it
spec: {facade: {handler: echo}}
`;

  it.each([
    ["ours", own],
    ["ours with a mistake", own.replace("echo", "ekko")],
    ["with line ends of Windows", own.replaceAll("\n", "\r\n")],
    ["of other groups", "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {}}\n"],
    ["of nothing but comments", "# a\n---\n# b\n"],
    ["without a line break at the end", own.trimEnd()],
    ["of JSON", JSON.stringify({ apiVersion: API_VERSION, kind: "AgentRuntime", spec: {} })],
    ["that are empty", ""],
  ])("stay as they are, to the byte: %s", (_what, text) => {
    expect(migrated(text)).toMatchObject({ text, translated: 0, files: [{ isChanged: false }] });
  });

  it("stay as they are beside one that is translated", () => {
    const { text } = migrated(
      `${own}---\n${resource("ToolRegistry", "t", { probe: {}, tools: [] })}---\n${own}`,
    );
    expect(text.split(own)).toHaveLength(3);
  });

  it("are translated inside of a List, and Providers leave it", () => {
    const items = [
      resource("Provider", "m", {
        type: "openai",
        model: "b",
        credential: { secretRef: { name: "k" } },
      }),
      resource("AgentRuntime", "a", { ...pack, providerRef: { name: "m" } }),
    ].map((text) => parse(text) as unknown);
    const { text } = migrated(JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    expect(parseManifests(text, "a.yaml")).toMatchObject({
      problems: [],
      resources: [{ name: "a" }],
    });
    expect(text).toContain('# Provider "m" stands in spec.provider of AgentRuntime "a" now.');
    expect(text).not.toContain('"kind"');
  });

  it("of JSON, one after the other, become documents of YAML where one is translated", () => {
    const json = (kind: string, spec: object): string =>
      JSON.stringify(parse(resource(kind, kind.toLowerCase(), spec)));
    const mine = json("AgentRuntime", { facade: { handler: "echo" } });
    expect(migrated(`${mine}\n${mine} ${mine}`)).toMatchObject({ translated: 0, problems: [] });
    const { text } = migrated(`${mine}${json("ToolRegistry", { probe: {}, tools: [] })}\n${mine}`);
    expect(text.split(/^---$/m)).toHaveLength(3);
    expect(migrated(text).text).toBe(text);
    expect(parseManifests(text, "a.yaml").resources.map(({ kind }) => kind)).toEqual([
      "AgentRuntime",
      "ToolRegistry",
      "AgentRuntime",
    ]);
  });

  it("keep numbers and texts, in quotes where YAML might read something else", () => {
    const { text } = migrated(`apiVersion: ${API_VERSION}
kind: AgentRuntime
metadata: {name: a, labels: {commit: 123e456, on: "yes", day: 2026-01-01}}
spec: {mode: agent, facade: {handler: echo}, runtime: {replicas: 0x2}}
`);
    expect(text).toContain('labels: {commit: "123e456", "on": "yes", day: 2026-01-01}');
    expect(text).toContain("replicas: 0x2");
  });

  it("that cannot be read are a problem, with their line", () => {
    const { problems } = migrated(`${own}---\na: [\n`, "a: 1\na: 2\n");
    expect(problems).toMatchObject([
      { file: "0.yaml", message: expect.stringContaining("cannot be read") },
      { file: "1.yaml", line: 2 },
    ]);
  });

  it("with a name that no resource may have are a problem, and no value of theirs is quoted", () => {
    const spec = { ...demo, mode: "agent", inputSchema: { secret: "hunter2" } };
    const { problems, remarks } = migrated(resource("AgentRuntime", "Not A Name", spec));
    expect(problems).toMatchObject([{ field: "metadata.name" }]);
    expect(JSON.stringify({ problems, remarks })).not.toContain("hunter2");
  });
});

describe("aliases", () => {
  it("are written out, since what they stand for may move", () => {
    const { text } = migrated(`apiVersion: ${API_VERSION}
kind: AgentRuntime
metadata: {name: a}
spec:
  promptPackRef: {name: p}
  facades: [{type: websocket, handler: demo}]
  runtime: {resources: &r {requests: {cpu: 100m}}, nodeSelector: {<<: &n {a: b}, c: d}}
  resources: *r
`);
    expect(parseManifests(text, "a.yaml").problems).toEqual([]);
    expect(text).not.toMatch(/[&*][rn]\b|<</);
  });
});

describe("whatever the fields hold", () => {
  const value = fc.oneof(
    fc.constantFrom("x", "10", "0.5", "redis", "http://a/b", "1h", "a\u2028b", "# c", "", "yes"),
    fc.integer({ min: -1, max: 9000 }),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.constantFrom("a", { name: "n", value: "v" }, { name: "m" }), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom("name", "key", "a", "type"), fc.string({ maxLength: 3 }), {
      maxKeys: 2,
    }),
  );
  const base: Record<string, object> = {
    AgentRuntime: pack,
    PromptPack: { source: { configMapRef: { name: "c" } } },
    ToolRegistry: { tools: undefined },
  };
  const given = fc.constantFrom(...Object.keys(UPSTREAM_FIELDS)).chain((kind) =>
    fc.record({
      kind: fc.constant(kind),
      fields: fc.array(
        fc.tuple(fc.constantFrom(...(UPSTREAM_FIELDS[kind] ?? []).map(({ from }) => from)), value),
        { minLength: 1, maxLength: 6 },
      ),
    }),
  );

  it("the result is valid, and is left alone when it is translated again", () => {
    fc.assert(
      fc.property(given, ({ kind, fields }) => {
        const spec = structuredClone(base[kind]) as Record<string, unknown>;
        for (const [path, written] of fields) put(spec, path.split("."), written);
        const once = migrated(resource(kind, "a", spec));
        expect(once.problems).toEqual([]);
        const { problems } = parseManifests(once.text, "a.yaml");
        expect(once.translated > 0 ? problems : []).toEqual([]);
        expect(migrated(once.text).text).toBe(once.text);
      }),
      { numRuns: 300 },
    );
  });
});

/** Puts a value at a path like `facades[].port`, and leaves alone what is in its way. */
function put(into: Record<string, unknown>, [step = "", ...rest]: string[], value: unknown): void {
  const name = step.replace(/\[\]$/, "");
  if (rest.length === 0) {
    into[name] ??= value;
    return;
  }
  into[name] ??= name === step ? {} : [{}];
  const inner: unknown = name === step ? into[name] : (into[name] as unknown[])[0];
  if (typeof inner === "object" && inner !== null && !Array.isArray(inner)) {
    put(inner as Record<string, unknown>, rest, value);
  }
}
