/** The commands that talk to an `omnia up` of this machine. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  omnia,
  printedJSON,
  startOmnia,
  type OmniaResult,
} from "../../support/processes/omnia-process.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";

const MANIFESTS = `
apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata: {name: demo}
spec: {facade: {handler: demo}}
---
apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata: {name: support, namespace: agents}
spec:
  provider:
    name: openai
    model: some-model
    apiKeySecretRef: {name: openai-credentials, key: api-key}
  promptPackRef: {name: prompts}
---
apiVersion: omnia.altairalabs.ai/v1alpha1
kind: PromptPack
metadata: {name: prompts, namespace: agents}
spec: {source: {configMapRef: {name: prompts}}}
`;

const home = folderForAllTests();
beforeAll(async () => {
  await writeFile(join(home(), "agents.yaml"), MANIFESTS);
});
const up = forAllTests(
  () => startOmnia(["up", "-f", "agents.yaml", "--port", "0", "--no-open"], options()),
  (up) => up[Symbol.asyncDispose](),
);
const url = forAllTests(async () => (await up().shows(/Serving at (http:\S+)/))[1] ?? "");
beforeAll(async () => {
  await up().shows(/default\/demo: Running/);
});

function options() {
  const env = { HOME: home(), XDG_STATE_HOME: join(home(), "state"), OMNIA_DEMO_PAUSES: "off" };
  return { env, cwd: home() };
}

function run(...args: string[]): Promise<OmniaResult> {
  return omnia(args, options());
}

describe("the commands that talk to an omnia up of this machine", () => {
  it("find the instance, as chat does, and name the agents that there are when there is no such one", async () => {
    const [answered, nobody, notReady] = await Promise.all([
      run("chat", "demo", "-m", "hello"),
      run("chat", "sales", "-m", "hello"),
      run("chat", "agents/support", "-m", "hello"),
    ]);
    expect(answered).toMatchObject({ code: 0, err: "" });
    expect(answered.out).toMatch(/^Hello!/);
    expect(nobody).toEqual({
      code: 1,
      out: "",
      err: "omnia: There is no agent sales in namespace default; there are: agents/support, default/demo.\n",
    });
    expect(notReady).toMatchObject({ code: 1, out: "" });
    expect(notReady.err).toMatch(/prompts/);
  });

  it("show every resource with its conditions, as status does", async () => {
    const [text, json] = await Promise.all([
      run("status"),
      run("status", "-n", "agents", "-o", "json"),
    ]);
    expect(text).toMatchObject({ code: 0, err: "" });
    expect(text.out).toContain(`omnia up at ${url()}\n`);
    expect(text.out).toMatch(/^default\/demo +Running +1\/1 +demo/m);
    expect(text.out).toMatch(/^agents\/support +Pending +0\/1 +runtime +some-model +prompts/m);
    expect(text.out).toMatch(/^ {2}SourceValid +False +ConfigMapNotFound: /m);
    const { source, items } = printedJSON(json) as {
      source: object;
      items: { kind: string; metadata: { name: string } }[];
    };
    expect(source).toEqual({ kind: "local", url: url() });
    expect(items.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      "AgentRuntime support",
      "PromptPack prompts",
    ]);
  });
});

describe("status where KUBECONFIG names a cluster", () => {
  it("asks the cluster, and says how to ask the omnia up that runs here", async () => {
    const server = "http://127.0.0.1:1";
    const file = join(home(), "kubeconfig");
    await writeFile(
      file,
      JSON.stringify({
        clusters: [{ name: "there", cluster: { server } }],
        contexts: [{ name: "there", context: { cluster: "there", user: "me" } }],
        users: [{ name: "me", user: {} }],
        "current-context": "there",
      }),
    );
    const { env, cwd } = options();
    const asked = { env: { ...env, KUBECONFIG: file }, cwd };
    const [cluster, local] = await Promise.all([
      omnia(["status"], asked),
      omnia(["status", "--local"], asked),
    ]);
    expect(cluster).toMatchObject({ code: 1, out: "" });
    expect(cluster.err).toMatch(
      `An omnia up runs at ${url()} and was not asked, and the cluster at ${server} cannot be reached`,
    );
    expect(cluster.err).toContain("with --local");
    expect(local).toMatchObject({ code: 0, err: "" });
    expect(local.out).toContain(`omnia up at ${url()}\n`);
  });
});

describe("explain", () => {
  it("says why an agent is not ready and what to do, by any name of its kind", async () => {
    const [agent, pack, json] = await Promise.all([
      run("explain", "AgentRuntimes/support"),
      run("explain", "pp/prompts"),
      run("explain", "support", "-o", "json"),
    ]);
    expect(agent).toMatchObject({ code: 0, err: "" });
    expect(agent.out).toMatch(
      /^omnia up at http:.*\n\nAgentRuntime "support" is Pending: PromptPackReady is False/,
    );
    expect(agent.out).toMatch(/^To do: \S/m);
    expect(agent.out).toContain("Authentication is off");
    expect(pack.out).toMatch(/^To do: Make the ConfigMap "prompts"/m);
    expect(printedJSON(json)).toMatchObject({ kind: "AgentRuntime", authenticated: false });
  });

  it("says where an agent is that is ready", async () => {
    const { code, out } = await run("explain", "demo");
    expect(code).toBe(0);
    expect(out).toContain('AgentRuntime "demo" is Running, and all is well.');
    expect(out).toContain(`Endpoint: ${url().replace("http", "ws")}/ws?agent=demo`);
    expect(out).toMatch(/Talk to it: \S*omnia chat demo$/m);
  });

  it("fails and names what is near when there is no such one", async () => {
    const { code, out, err } = await run("explain", "ar/suport");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("Did you mean support?");
  });
});

describe("omnia up", () => {
  it("says so when it is a second instance on the same port, and ends well at SIGINT", async () => {
    const second = await run("up", "-f", "agents.yaml", "--port", new URL(url()).port, "--no-open");
    expect(second).toMatchObject({ code: 1 });
    expect(second.err).toContain("is in use by another omnia up");
    up().kill("SIGINT");
    expect(await up().ended).toMatchObject({ code: 0, err: "" });
    expect((await run("status")).err).toContain("No omnia up runs on this machine");
  });
});
