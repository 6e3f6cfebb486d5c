import { execFile } from "node:child_process";
import { open, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { capturedStreams } from "../../../test/support/processes/captured-streams.ts";
import { validate } from "./validate.ts";
import { folderForEachTest } from "../../../test/support/builders/fixtures.ts";

const folder = folderForEachTest();

/** Runs the command over the standard input and gives what it printed, without the file's name. */
async function check(...documents: string[]): Promise<{ code: number; lines: string[] }> {
  const { streams, out } = capturedStreams({ input: documents.join("\n---\n") });
  const code = await validate({ filename: ["-"], output: "text" }, streams);
  const lines = out().trimEnd().split("\n");
  return { code, lines: lines.map((line) => line.replace("<stdin>:", "")) };
}

const agent = (spec: string): string => `apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata:
  name: support
spec:
${spec.replaceAll(/^/gm, "  ")}`;
const runtime = `provider:
  name: openai
  model: some-model
  apiKeySecretRef: {name: keys, key: api-key}
promptPackRef: {name: prompts}`;
const pack = `apiVersion: omnia.altairalabs.ai/v1alpha1
kind: PromptPack
metadata:
  name: prompts
spec:
  source:
    configMapRef: {name: prompts}`;
const content = (template: string, key = "promptpack.json"): string => `apiVersion: v1
kind: ConfigMap
metadata:
  name: prompts
data:
  ${key}: |
    {
      "id": "support", "name": "Support", "version": "1.0.0",
      "template_engine": {"version": "v1", "syntax": "{{variable}}"},
      "prompts": {
        "support": {"id": "support", "name": "Support", "version": "1.0.0",
          "system_template": "${template}"}
      }
    }`;
const secret = (values: string): string => `apiVersion: v1
kind: Secret
metadata:
  name: keys
stringData: ${values}`;

describe("validate", () => {
  it("says nothing but the sum of what is well", async () => {
    expect(
      await check(agent(runtime), pack, content("You help."), secret('{api-key: "k"}')),
    ).toEqual({ code: 0, lines: ["4 resources, 0 problems"] });
  });

  it("checks the descriptors of a grpc tool, and notes where they are not among the files", async () => {
    const registry = `apiVersion: omnia.altairalabs.ai/v1alpha1
kind: ToolRegistry
metadata:
  name: tools
spec:
  tools:
    - name: shop
      type: grpc
      url: shop:50051
      grpc:
        descriptorSetRef: {name: protos}`;
    const place = "11:34: note: spec.tools[0].grpc.descriptorSetRef.name: ";
    expect(await check(registry)).toEqual({
      code: 0,
      lines: [
        `${place}ConfigMap "protos" of namespace "default" is not among the files, so it was not checked`,
        "1 resource, 0 problems, 1 note",
      ],
    });
    const configMap = `apiVersion: v1
kind: ConfigMap
metadata: {name: protos}
binaryData: {descriptors.pb: AAAA}`;
    const { code, lines } = await check(registry, configMap);
    expect(code).toBe(1);
    expect(lines[0]).toContain('the key "descriptors.pb" of ConfigMap "protos" is no set of');
  });

  it("notes what is not among the files, without failing", async () => {
    expect(await check(agent(runtime))).toMatchInlineSnapshot(`
    {
      "code": 0,
      "lines": [
        "9:29: note: spec.provider.apiKeySecretRef.name: Secret "keys" of namespace "default" is not among the files, so it was not checked",
        "10:25: note: spec.promptPackRef.name: PromptPack "prompts" of namespace "default" is not among the files, so it was not checked",
        "1 resource, 0 problems, 2 notes",
      ],
    }
  `);
  });

  it.for([
    ["hpa", "HorizontalPodAutoscaler"],
    ["keda", "ScaledObject"],
  ])("warns of a number of replicas beside type %s, whose %s sets it", async ([type, kind]) => {
    const echo = "facade: {handler: echo}";
    const scaled = `autoscaling: {enabled: true, type: ${type}, maxReplicas: 8}`;
    const why = `the ${kind} sets it, and each time that this manifest is applied it is 3 again; leave it out`;
    expect(await check(agent(`${echo}\nreplicas: 3\n${scaled}`))).toEqual({
      code: 0,
      lines: [`7:13: warning: spec.replicas: ${why}`, "1 resource, 0 problems, 1 warning"],
    });
    const { lines } = await check(agent(`<<: {replicas: 3}\n${echo}\n${scaled}`));
    expect(lines[0]).toContain(`warning: spec.replicas: ${why}`);
    for (const spec of [
      `${echo}\n${scaled}`,
      `${echo}\nreplicas:\n${scaled}`,
      `${echo}\nreplicas: 3\nautoscaling: {type: ${type}, maxReplicas: 8}`,
    ]) {
      expect(await check(agent(spec))).toEqual({ code: 0, lines: ["1 resource, 0 problems"] });
    }
  });

  it.for([
    ["OMNIA_RUNTIME_COMMAND", "python 'app.py", "a quote (') is not closed"],
    ["OMNIA_RUNTIME_URL", "runtime:8000", "it must be a URL that begins with http:// or https://"],
  ])("says what is wrong with the variable %s that names a runtime", async ([name, value, why]) => {
    const spec = `promptPackRef: {name: prompts}
env:
  - name: ${name}
    value: "${value}"`;
    const { code, lines } = await check(agent(spec), pack, content("You help."));
    expect({ code, lines }).toEqual({
      code: 1,
      lines: [`9:14: spec.env[0].value: ${name}: ${why}`, "3 resources, 1 problem"],
    });
  });

  it("takes an agent without provider whose runtime is a command", async () => {
    const spec = `promptPackRef: {name: prompts}
env:
  - {name: OMNIA_RUNTIME_COMMAND, value: $(PYTHON) app.py}
  - {name: OMNIA_RUNTIME_PROTOCOL, value: omnia.runtime.v1}`;
    expect(await check(agent(spec), pack, content("You help."))).toEqual({
      code: 0,
      lines: ["3 resources, 0 problems"],
    });
  });

  it("says which keys a Secret or ConfigMap has when it lacks the one that is named", async () => {
    const { code, lines } = await check(
      agent(runtime),
      pack,
      content("You help.", "pack.json"),
      secret("{token: k, api-key: ''}"),
    );
    expect(code).toBe(1);
    expect(lines).toMatchInlineSnapshot(`
    [
      "9:40: spec.provider.apiKeySecretRef.key: the key "api-key" of Secret "keys" is empty",
      "18:5: spec.source.configMapRef.key: ConfigMap "prompts" has no key "promptpack.json"; it has "pack.json"",
      "4 resources, 2 problems",
    ]
  `);
  });

  it("places a problem of a pack in the ConfigMap's file", async () => {
    const broken = content("You help.").replace('"Support",', '"Support"');
    expect((await check(pack, broken)).lines).toMatchInlineSnapshot(`
    [
      "16:42: data["promptpack.json"]: expected "," or "}"",
      "2 resources, 1 problem",
    ]
  `);
    expect((await check(pack, content("{{#if x}}"))).lines).toMatchInlineSnapshot(`
    [
      "20:30: data["promptpack.json"]: prompts.support.system_template: "{{#if x}}": conditions, loops, filters and the like are not supported; only {{variable}} and {{fragment}}",
      "2 resources, 1 problem",
    ]
  `);
  });

  it("checks the prompt and its variables against the pack", async () => {
    const references = [pack, content("You help {{company}}."), secret("{api-key: k}")];
    const withRef = (ref: string): string => agent(runtime.replace("{name: prompts}", ref));
    const cases = [
      "{name: prompts, prompt: sales}",
      "{name: prompts}",
      "{name: prompts, variables: {company: Acme, city: Rome}}",
    ];
    const lines: string[] = [];
    for (const ref of cases) lines.push(...(await check(withRef(ref), ...references)).lines);
    expect(lines).toMatchInlineSnapshot(`
    [
      "10:42: spec.promptPackRef.prompt: the pack "support" has no prompt "sales"; it has "support"",
      "4 resources, 1 problem",
      "10:3: spec.promptPackRef.variables: prompt "support" needs promptPackRef.variables: "company" is missing",
      "4 resources, 1 problem",
      "10:67: warning: spec.promptPackRef.variables.city: prompt "support" uses no such variable",
      "4 resources, 0 problems, 1 warning",
    ]
  `);
  });

  it("warns of parameters that the model is not asked with, of the agent and of its prompt", async () => {
    const given = runtime
      .replace("name: openai", "name: anthropic")
      .replace("some-model", "claude-opus-4-5")
      .replace(
        "promptPackRef",
        "  parameters:\n    temperature: 1.5\n    seed: 3\n    maxTokens: 100\npromptPackRef",
      );
    const parameters = '"parameters": {"top_p": 0.5, "temperature": 0.1, "presence_penalty": 1}';
    const withParameters = content("You help.").replace('You help."', `You help.", ${parameters}`);
    expect(await check(agent(given), pack, withParameters, secret('{api-key: "k"}'))).toEqual({
      code: 0,
      lines: [
        "11:20: warning: spec.provider.parameters.temperature: it is sent as 1, since Anthropic takes no more",
        "12:13: warning: spec.provider.parameters.seed: it is not sent, since Anthropic's protocol has none",
        '14:3: warning: spec.promptPackRef: presence_penalty of prompt "support" is not sent, since Anthropic\'s protocol has none',
        '14:3: warning: spec.promptPackRef: top_p of prompt "support" is not sent, since Anthropic takes either temperature or topP',
        "4 resources, 0 problems, 4 warnings",
      ],
    });
  });

  it("warns of them where the pack is not among the files, and not where another handler reads none", async () => {
    const given = runtime.replace("promptPackRef", "  parameters: {topK: 5}\npromptPackRef");
    expect((await check(agent(given))).lines).toContain(
      "10:24: warning: spec.provider.parameters.topK: it is not sent, since OpenAI's protocol has none",
    );
    const demo = await check(agent(`${given}\nfacade: {handler: demo}`));
    expect(demo.lines).toEqual(["1 resource, 0 problems"]);
  });

  it("checks the URL of a session store, without repeating it", async () => {
    const { code, lines } = await check(
      agent(`facade: {handler: echo}
session: {type: redis, storeRef: {name: keys, key: url}}`),
      secret('{url: "http://:hush@redis"}'),
    );
    expect(code).toBe(1);
    expect(lines.join()).not.toContain("hush");
    expect(lines[0]).toContain("must begin with redis:// or rediss://");
  });

  it("checks what the environment and the clients' keys are taken from", async () => {
    const { lines } = await check(
      agent(`facade: {handler: echo, auth: {apiKeysSecretRef: {name: keys}}}
env:
  - {name: A, valueFrom: {secretKeyRef: {name: keys, key: a}}}
  - {name: B, valueFrom: {secretKeyRef: {name: keys, key: b, optional: true}}}
  - {name: C, valueFrom: {configMapKeyRef: {name: settings, key: c}}}`),
      secret("{}"),
    );
    expect(lines).toMatchInlineSnapshot(`
    [
      "6:59: spec.facade.auth.apiKeysSecretRef.name: Secret "keys" holds no key: nobody could connect",
      "8:61: spec.env[0].valueFrom.secretKeyRef.key: Secret "keys" has no key "a"; it has none",
      "10:53: note: spec.env[2].valueFrom.configMapKeyRef.name: ConfigMap "settings" of namespace "default" is not among the files, so it was not checked",
      "2 resources, 2 problems, 1 note",
    ]
  `);
  });

  it("leaves provider, pack and tools of handlers that ignore them unchecked", async () => {
    const { lines } = await check(agent(`${runtime}\nfacade: {handler: demo}`));
    expect(lines).toEqual(["1 resource, 0 problems"]);
  });

  it("refuses two resources of one kind, namespace and name", async () => {
    const echo = agent("facade: {handler: echo}");
    const { code, lines } = await check(echo, echo);
    expect(code).toBe(1);
    expect(lines).toMatchInlineSnapshot(`
    [
      "11:9: metadata.name: namespace "default" has another AgentRuntime "support" at <stdin>:4; rename or remove one",
      "2 resources, 1 problem",
    ]
  `);
  });

  it("counts what cannot be used among the resources, and lists problems by file and place", async () => {
    await writeFile(join(folder(), "b.yaml"), agent("facade: {handler: echoo}\nreplicas: -1"));
    await writeFile(join(folder(), "a.yml"), `${agent("facade: {handler: echo}")}\n---\n\tx: 1`);
    const { streams, out } = capturedStreams();
    const code = await validate({ filename: [folder()], output: "json" }, streams);
    const { resources, problems } = JSON.parse(out()) as {
      resources: number;
      problems: { file: string; line: number; severity: string }[];
    };
    expect(code).toBe(1);
    expect(resources).toBe(3);
    expect(problems.map(({ file, line }) => `${file.slice(folder().length + 1)}:${line}`)).toEqual([
      "a.yml:8",
      "b.yaml:6",
      "b.yaml:7",
    ]);
  });

  it("fails in words where there is nothing to check", async () => {
    const { streams } = capturedStreams({ input: " \n" });
    const run = (...filename: string[]): Promise<number> =>
      validate({ filename, output: "text" }, streams);
    await expect(run(join(folder(), "absent.yaml"))).rejects.toThrow(
      "There is no such file or folder",
    );
    await expect(run(folder())).rejects.toThrow("There are no manifests in");
    await expect(run("-")).rejects.toThrow("the input is empty");
  });

  const registry = (...entries: string[]): string => `apiVersion: omnia.altairalabs.ai/v1alpha1
kind: ToolRegistry
metadata: {name: tools}
spec:
  tools:
${entries.map((entry) => `    - ${entry}`).join("\n")}`;
  const service = (name: string, annotations = "{}"): string => `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  labels: {omnia.altairalabs.ai/tool: "true", team: support}
  annotations: ${annotations}
spec: {ports: [{name: http, port: 80}, {name: admin, port: 81}]}`;

  it("checks what a registry selects against the Services among the files", async () => {
    const { code, lines } = await check(
      registry(
        "{name: one, url: 'http://one'}",
        "{name: orders, selector: {matchLabels: {team: support}}, port: http}",
        "{name: admin, selector: {matchLabels: {team: support}}}",
        "{name: sales, selector: {matchLabels: {team: sales}}, port: 80}",
      ),
      service("orders"),
      service("one"),
      service(
        "odd",
        "{omnia.altairalabs.ai/tool-type: soap, omnia.altairalabs.ai/local-url: nowhere}",
      ),
    );
    expect(code).toBe(1);
    expect(lines).toMatchInlineSnapshot(`
    [
      "7:7: spec.tools[1]: Service "odd" has an annotation omnia.altairalabs.ai/tool-type of "soap", which is none of http, grpc, mcp, openapi",
      "7:7: spec.tools[1]: another tool before it is called "one" too; give this one another name",
      "8:7: spec.tools[2]: another tool before it is called "odd" too; give this one another name",
      "8:7: spec.tools[2]: another tool before it is called "one" too; give this one another name",
      "8:7: spec.tools[2]: another tool before it is called "orders" too; give this one another name",
      "9:21: note: spec.tools[3].selector: among the files, no Service has the labels omnia.altairalabs.ai/tool=true, team=sales; label the Service, with "true" in quotes, or correct selector.matchLabels",
      "4 resources, 5 problems, 1 note",
    ]
  `);
  });

  it("looks for the secrets of tools in the namespace of the agent", async () => {
    const { lines } = await check(
      agent("facade: {handler: echo}\ntoolRegistryRef: {name: tools}"),
      registry("{name: one, url: 'http://one', authSecretRef: {name: keys, key: token}}"),
      secret("{api-key: k}"),
    );
    expect(lines).toMatchInlineSnapshot(`
    [
      "14:71: spec.tools[0].authSecretRef.key: Secret "keys" has no key "token"; it has "api-key"",
      "3 resources, 1 problem",
    ]
  `);
  });

  it("refuses the secrets of a registry of another namespace, and takes the agent's own", async () => {
    const elsewhere = registry(
      "{name: one, url: 'http://one', authSecretRef: {name: keys, key: api-key}}",
    ).replace("{name: tools}", "{name: tools, namespace: shared}");
    const reference = "facade: {handler: echo}\ntoolRegistryRef: {name: tools, namespace: shared";
    const refused = await check(agent(`${reference}}`), elsewhere, secret("{api-key: k}"));
    expect(refused.lines).toMatchInlineSnapshot(`
    [
      "7:3: spec.toolRegistryRef.credentials: tool "one": its authSecretRef names a Secret for agents of namespace "shared" only; give its credential in toolRegistryRef.credentials, from a Secret of namespace "default"",
      "3 resources, 1 problem",
    ]
  `);
    const given = `${reference}, credentials: [{tool: one, secretRef: {name: keys, key: token}}]}`;
    const own = await check(agent(given), elsewhere, secret("{api-key: k}"));
    expect(own.lines).toMatchInlineSnapshot(`
    [
      "7:108: spec.toolRegistryRef.credentials[0].secretRef.key: Secret "keys" has no key "token"; it has "api-key"",
      "3 resources, 1 problem",
    ]
  `);
  });

  it("refuses a reference that the object's allowedNamespaces does not allow", async () => {
    const elsewhere = registry("{name: one, url: 'http://one'}")
      .replace("{name: tools}", "{name: tools, namespace: shared}")
      .replace("spec:", "spec:\n  allowedNamespaces: {from: Same}");
    const { lines } = await check(
      agent("facade: {handler: echo}\ntoolRegistryRef: {name: tools, namespace: shared}"),
      elsewhere,
    );
    expect(lines).toMatchInlineSnapshot(`
    [
      "7:27: spec.toolRegistryRef.name: ToolRegistry "tools" does not allow namespace "default" in its allowedNamespaces",
      "2 resources, 1 problem",
    ]
  `);
  });

  it("notes a placeholder where a secret will be", async () => {
    expect(
      (await check(agent(runtime), pack, content("Hi"), secret('{api-key: "<your key>"}'))).lines,
    ).toMatchInlineSnapshot(`
    [
      "9:40: note: spec.provider.apiKeySecretRef.key: the key "api-key" of Secret "keys" holds a placeholder, which counts as missing",
      "4 resources, 0 problems, 1 note",
    ]
  `);
  });

  it.each([
    ["two lines", String.raw`"k-1\nk-2"`, "a line break (2 lines)"],
    ["a blank", '"k-1 k-2"', "a blank"],
    ["a letter outside of ASCII", '"k-ключ"', "a character that is not of ASCII"],
  ])(
    "refuses a key of %s, which no header can take, without quoting it",
    async (_what, value, says) => {
      const { code, lines } = await check(
        agent(runtime),
        pack,
        content("Hi"),
        secret(`{api-key: ${value}}`),
      );
      expect(code).toBe(1);
      expect(lines).toEqual([
        `9:40: spec.provider.apiKeySecretRef.key: the key "api-key" of Secret "keys" cannot be sent: it holds ${says}; write the key alone into the Secret, on one line, without blanks`,
        "4 resources, 1 problem",
      ]);
    },
  );

  it("takes a key with a line break at its end", async () => {
    const key = secret(String.raw`{api-key: "k-1\n"}`);
    expect((await check(agent(runtime), pack, content("Hi"), key)).code).toBe(0);
  });

  it("refuses the token of a tool that no header can take", async () => {
    const { lines } = await check(
      agent("facade: {handler: echo}\ntoolRegistryRef: {name: tools}"),
      registry("{name: one, url: 'http://one', authSecretRef: {name: keys, key: token}}"),
      secret(String.raw`{token: "t-1\nt-2"}`),
    );
    expect(lines[0]).toContain(
      '14:71: spec.tools[0].authSecretRef.key: the key "token" of Secret "keys" cannot be sent: it holds a line break',
    );
  });

  describe("of tools that a prompt wants", () => {
    const wants = content("Hi").replace(
      '"system_template"',
      '"tools": ["one", "refund"], "system_template"',
    );
    const withRegistry = agent(`${runtime}\ntoolRegistryRef: {name: tools}`);
    const rest = [pack, wants, secret("{api-key: k}")];

    it("notes those that the registry does not offer", async () => {
      const offers = registry("{name: one, url: 'http://one'}");
      const { code, lines } = await check(withRegistry, offers, ...rest);
      expect(code).toBe(0);
      expect(lines).toMatchInlineSnapshot(`
        [
          "11:27: note: spec.toolRegistryRef.name: prompt "support" wants the tool "refund", which ToolRegistry "tools" does not offer",
          "5 resources, 0 problems, 1 note",
        ]
      `);
    });

    it("notes them where the agent names no registry", async () => {
      expect((await check(agent(runtime), ...rest)).lines).toMatchInlineSnapshot(`
        [
          "10:25: note: spec.promptPackRef.name: prompt "support" wants the tools "one", "refund", and the agent names no ToolRegistry in toolRegistryRef",
          "4 resources, 0 problems, 1 note",
        ]
      `);
    });

    it("says nothing where the registry, or a Service of it, is not among the files", async () => {
      const selects = registry("{name: one, selector: {matchLabels: {team: support}}, port: http}");
      for (const files of [[], [selects]]) {
        const { lines } = await check(withRegistry, ...files, ...rest);
        expect(lines.join("\n")).not.toContain("wants");
      }
      const { lines } = await check(withRegistry, selects, service("one"), ...rest);
      expect(lines.join("\n")).toContain('wants the tool "refund"');
    });
  });

  it("checks the other files when one is not there", async () => {
    const there = join(folder(), "there.yaml");
    await writeFile(there, agent("facade: {handler: dmo}"));
    const { streams, out } = capturedStreams();
    const absent = join(folder(), "absent.yaml");
    expect(await validate({ filename: [absent, there], output: "text" }, streams)).toBe(1);
    expect(out()).toContain(`${absent}:1:1: there is no such file or folder`);
    expect(out()).toContain(`${there}:6:21: spec.facade.handler:`);
  });

  it("names what it cannot read, and checks the rest", async () => {
    await promisify(execFile)("mkfifo", [join(folder(), "pipe.yaml")]);
    await symlink(join(folder(), "gone"), join(folder(), "link.yaml"));
    await symlink(join(folder(), "gone"), join(folder(), "minor"));
    await writeFile(join(folder(), "there.yaml"), agent("facade: {handler: demo}"));
    const { streams, out } = capturedStreams();
    expect(await validate({ filename: [folder()], output: "text" }, streams)).toBe(1);
    expect(out().replaceAll(`${folder()}/`, "")).toMatchInlineSnapshot(`
      "link.yaml:1:1: this link leads nowhere; correct or remove it
      minor:1:1: warning: this link leads nowhere; correct or remove it
      pipe.yaml:1:1: this is a pipe, a socket or a device, and no file; write what it gives into a file
      1 resource, 2 problems, 1 warning
      "
    `);
  });

  it("reads what a shell hands over, and names what it does not", async () => {
    await writeFile(join(folder(), "a.yaml"), agent("facade: {handler: demo}"));
    const handle = await open(join(folder(), "a.yaml"));
    onTestFinished(() => handle.close());
    const { streams, out } = capturedStreams();
    const filename = [`/dev/fd/${handle.fd}`, "/dev/fd/9999"];
    expect(await validate({ filename, output: "text" }, streams)).toBe(1);
    expect(out()).toMatch(/^\/dev\/fd\/9999:1:1: .*ENOENT.*\n1 resource, 1 problem\n$/);
  });
});
