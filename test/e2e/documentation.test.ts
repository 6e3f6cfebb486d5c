/** Every command of README and CONTRIBUTING, run as it stands there. */
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  KUBE_API_SERVER_TIMEOUT_MS,
  startKubeAPIServer,
} from "../support/kubernetes/kube-api-server.ts";
import { KubeCluster } from "../support/kubernetes/kube-cluster.ts";
import { startModelServer } from "../support/agent/model-server.ts";
import { OperatorProcess } from "../support/operator/operator-process.ts";
import { startHttpServer } from "../support/processes/http-server.ts";
import { startRedis } from "../support/redis/redis.ts";
import { snippets } from "../support/documents/snippets.ts";
import { eventually } from "./eventually.ts";
import { ROOT } from "./omnia-up.ts";
import { Shell, type ShellResult } from "./shell.ts";
import { folderForAllTests, forAllTests } from "../support/builders/fixtures.ts";

const documented = snippets(ROOT);
const ran = new Set<string>();

const home = folderForAllTests();
/** A folder that looks like a checkout, with examples that a test may change, and a home of its own. */
const checkout = (): string => join(home(), "omnia");
const env = (): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  HOME: home(),
  // What is cached stays cached.
  XDG_CACHE_HOME: process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
  OMNIA_DEMO_PAUSES: "off",
});

beforeAll(async () => {
  // Else `make up` would begin with installing anew, under the feet of the tests that run now.
  const { code } = await new Shell("make --question node_modules/.installed", {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "" },
  }).ended;
  if (code !== 0) throw new Error("node_modules is not of this package-lock.json: run make setup");
  await cp(join(ROOT, "examples"), join(checkout(), "examples"), { recursive: true });
  const own = new Set(["examples", ".git", ".omnia"]);
  for (const name of await readdir(ROOT))
    if (!own.has(name)) await symlink(join(ROOT, name), join(checkout(), name));
});

/** The text of the block, with other values where the test needs them. */
function commands(name: string, values: Readonly<Record<string, string>> = {}): string {
  const snippet = documented.find((one) => one.name === name);
  if (snippet === undefined) throw new Error(`no block is tested as ${name}`);
  ran.add(name);
  // The port that people use may be taken where tests run.
  return Object.entries({ "./omnia up": "./omnia up --port 0", ...values }).reduce(
    (text, [from, to]) => {
      if (from !== "./omnia up" && !text.includes(from))
        throw new Error(`the block ${name} holds no ${from}`);
      return text.replaceAll(from, to);
    },
    snippet.text,
  );
}

function run(
  text: string,
  more: { input?: string; env?: Record<string, string> } = {},
): Promise<ShellResult> {
  return new Shell(text, { cwd: checkout(), ...more, env: { ...env(), ...more.env } }).ended;
}

function start(text: string, more: Record<string, string> = {}): Shell {
  return new Shell(text, { cwd: checkout(), env: { ...env(), ...more } });
}

describe("the first steps", () => {
  it("end in an agent that one can talk to, and Ctrl-C ends it without a complaint", async () => {
    // Of make: variables of the environment are its own.
    await using up = start(commands("up"), { ARGS: "--port 0 --no-open" });
    await up.shows(/Talk to it: \S*omnia chat quickstart/);

    const chat = await run(commands("chat"), { input: "hello\n" });
    expect(chat).toMatchObject({
      code: 0,
      output: expect.stringMatching(/what I can do/) as unknown,
    });

    const look = await run(commands("look"));
    expect(look.code).toBe(0);
    expect(look.output).toMatch(/default\/quickstart +Running/);
    expect(look.output).toMatch(/"type":"done"/);

    expect(await run(commands("console"))).toMatchObject({
      code: 0,
      output: expect.stringMatching(/http:\/\/localhost:\d+/) as unknown,
    });

    const { output } = await up.interrupt();
    expect(output).not.toMatch(/error|\*\*\*/i);
  });

  it("write down what the bundle is made of", async () => {
    expect(await run(commands("sbom"))).toMatchObject({ code: 0 });
    const bill = await readFile(join(checkout(), "omnia-sbom.json"), "utf8");
    expect(bill).toBe(await readFile(join(ROOT, "dist/sbom.cdx.json"), "utf8"));
  });

  it.each(["test", "check", "image", "audit"])(
    "name targets of make that are there (%s)",
    async (name) => {
      // Not run for real: this is within one of them.
      const dry = await run(commands(name).replaceAll(/^make /gm, "make --dry-run "));
      expect(dry.code).toBe(0);
      expect(dry.output).toMatch(/vitest run|build-image|audit\.ts/);
    },
  );
});

describe("manifests of AltairaLabs' Omnia", () => {
  it("are translated into what validate takes", async () => {
    expect(await run(commands("migrate"))).toMatchObject({
      code: 0,
      output: expect.stringMatching(/resources translated[^]*resources, 0 problems/) as unknown,
    });
  });
});

describe("the evals of a pack", () => {
  it("pass with the recordings of the example", async () => {
    expect(await run(commands("evals-replay"))).toMatchObject({
      code: 0,
      output: expect.stringMatching(/2 conversations, 12 passed, 0 failed/) as unknown,
    });
  });
});

async function edit(file: string, from: string | RegExp, to: string): Promise<void> {
  const text = await readFile(join(checkout(), file), "utf8");
  expect(text).toMatch(from);
  await writeFile(join(checkout(), file), text.replace(from, to));
}

/** Writes the manifest of the page that declares this agent. */
async function save(file: string, agent: string, change = (text: string) => text): Promise<void> {
  const found = documented.find(
    ({ language, text }) => language === "yaml" && new RegExp(`name: ${agent}\\b`).test(text),
  );
  if (found === undefined) throw new Error(`no page declares ${agent}`);
  await writeFile(join(checkout(), file), change(found.text));
}

describe("an agent of one's own", () => {
  it("is written, checked and run, and answers", async () => {
    expect(await run(commands("first-init"))).toMatchObject({
      code: 0,
      output: expect.stringMatching(/, 0 problems/) as unknown,
    });
    await using up = start(commands("first-up"));
    await up.shows(/Talk to it: \S*omnia chat my-agent/);
    expect(await run(commands("first-chat"))).toMatchObject({
      code: 0,
      output: expect.stringMatching(/\w/) as unknown,
    });
    await up.interrupt();
    // The pages about Ollama begin with an agent of this name, too.
    await rm(join(checkout(), "my-agent"), { recursive: true });
  });
});

describe("a first tool", () => {
  it("is called, and its result is part of the answer", async () => {
    await using model = await startModelServer();
    model.mock.on(
      { hasToolResult: false },
      { toolCalls: [{ id: "call_1", name: "order-status", arguments: '{"order":"A-1042"}' }] },
    );
    model.mock.on({ hasToolResult: true }, { content: "It arrives tomorrow." });
    await using orders = start(commands("orders", { "service.mjs": "service.mjs 0" }));
    const [, toolURL = ""] = await orders.shows(/answers at (http:\S+)/);
    await save("shop.yaml", "shop-tools", (text) =>
      text
        .replace("http://127.0.0.1:8090", toolURL)
        .replace(/model: .*/, `$&\n    baseURL: ${model.url}`),
    );
    await using up = start(commands("shop-up"));
    await up.shows(/Talk to it: \S*omnia chat shop/);
    const answer = await run(commands("shop-ask"));
    expect(answer).toMatchObject({
      code: 0,
      output: expect.stringMatching(/It arrives tomorrow\./) as unknown,
    });
    expect(JSON.stringify(model.requests.at(-1)?.body)).toMatch(/A-1042/);
    await up.interrupt();
    await orders.interrupt();
  });
});

describe("a canary on one machine", () => {
  it("is shown, compared with what was before, and taken back", async () => {
    await save("canary.yaml", "greeter");
    await using up = start(commands("canary-up"));
    await up.shows(/Talk to it: \S*omnia chat greeter/);
    await edit(
      "canary.yaml",
      'version: 1.0.0, system_template: "Greet people."',
      'version: 1.1.0, system_template: "Greet people warmly."',
    );
    await eventually("the canary", async () => {
      const { output } = await run("./omnia packs");
      return /canary/i.test(output) ? output : undefined;
    });
    const look = await run(commands("canary-look"));
    expect(look).toMatchObject({ code: 0 });
    expect(look.output).toMatch(/Greet people warmly\./);
    expect(look.output).toMatch(/10 %/);
    expect(await run(commands("canary-rollback"))).toMatchObject({ code: 0 });
    await up.interrupt();
  });
});

describe("an agent with keys", () => {
  it("answers whoever has one, and nobody else", async () => {
    await save("keys.yaml", "guarded-clients");
    await using up = start(commands("keys-up"));
    await up.shows(/Talk to it: \S*omnia chat guarded/);
    expect(await run(commands("keys-chat"))).toMatchObject({ code: 0, output: "hello\n" });
    const stranger = await run('OMNIA_TOKEN=stranger ./omnia chat guarded -m "hello"');
    expect(stranger.code).toBe(1);
    await up.interrupt();
  });
});

describe("an agent with a model", () => {
  it("is checked, runs, and answers", async () => {
    await using model = await startModelServer();
    model.mock.onMessage("do for me", { content: "I can help you with Omnia." });
    const manifest = documented.find(
      ({ language, text }) => language === "yaml" && text.includes("name: support"),
    );
    await writeFile(join(checkout(), "support.yaml"), manifest?.text ?? "");
    expect(await run(commands("validate"))).toMatchObject({ code: 0, signal: null });

    const patched = manifest?.text.replace(/model: .*/, `$&\n    baseURL: ${model.url}`) ?? "";
    await writeFile(join(checkout(), "support.yaml"), patched);
    await using up = start(commands("support"));
    await up.shows(/Talk to it: \S*omnia chat support/);
    expect(await run(commands("ask"))).toMatchObject({
      code: 0,
      output: "I can help you with Omnia.\n",
    });
    expect(model.requests.at(-1)?.headers.authorization).toBe("Bearer sk-...");
    expect(JSON.stringify(model.requests.at(-1)?.body)).toMatch(/with the product Omnia/);
    await up.interrupt();
  });
});

describe("Ollama on this machine", () => {
  it("is found, and an agent with its model runs and answers", async () => {
    const bodies: unknown[] = [];
    await using ollama = await startHttpServer(async (request, response) => {
      if (request.url === "/api/tags") {
        response.end(JSON.stringify({ models: [{ name: "llama3.2:latest" }] }));
        return;
      }
      bodies.push(await json(request));
      const choices = [{ index: 0, delta: { content: "It scatters." }, finish_reason: "stop" }];
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(`data: ${JSON.stringify({ id: "1", choices })}\n\ndata: [DONE]\n\n`);
    });
    const init = await run(commands("ollama-init"), { env: { OLLAMA_HOST: ollama.url } });
    expect(init).toMatchObject({
      code: 0,
      output: expect.stringMatching(/my-agent answers with llama3\.2:latest by Ollama/) as unknown,
    });
    await using up = start(commands("ollama-up"));
    await up.shows(/Talk to it: \S*omnia chat my-agent/);
    expect(await run(commands("ollama-chat"))).toMatchObject({
      code: 0,
      output: "It scatters.\n",
    });
    expect(JSON.stringify(bodies)).toContain("Explains things to a child of eight.");
    await up.interrupt();
  });
});

describe("the production example", () => {
  it("runs with a key, a Redis and its tool", async () => {
    await using model = await startModelServer();
    model.mock.on(
      { hasToolResult: false },
      { toolCalls: [{ id: "call_1", name: "order-status", arguments: '{"order":"A-1042"}' }] },
    );
    model.mock.on({ hasToolResult: true }, { content: "It arrives tomorrow." });
    await using redis = await startRedis();
    await using orders = start(commands("orders", { "service.mjs": "service.mjs 0" }));
    const [, toolURL = ""] = await orders.shows(/answers at (http:\S+)/);
    await edit("examples/production/tools.yaml", "http://127.0.0.1:8090", toolURL);
    await edit("examples/production/agent.yaml", /model: .*/, `$&\n    baseURL: ${model.url}`);

    await using up = start(commands("production", { "redis://localhost:6379": redis.url }));
    await up.shows(/Running, 3\/3 ready/);
    const answer = await run(commands("order"));
    expect(answer).toMatchObject({
      code: 0,
      output: expect.stringMatching(/It arrives tomorrow\./) as unknown,
    });
    await up.interrupt();
    await orders.interrupt();
  });
});

describe("an agent in another framework", () => {
  it("is installed, run and asked with what its page says", async () => {
    await using model = await startModelServer();
    model.mock.onMessage(/words/, { content: "It has seven." });
    expect(await run(commands("runtime-install"))).toMatchObject({ code: 0 });
    const baseURL = `$&\n    baseURL: ${model.url}/v1`;
    await edit("examples/pydantic-ai/agent.yaml", /model: .*/, baseURL);
    await using up = start(commands("runtime-up"));
    await up.shows(/Running, 1\/1 ready/);
    expect(await run(commands("runtime-ask"))).toMatchObject({
      code: 0,
      output: expect.stringMatching(/It has seven\./) as unknown,
    });
    await up.interrupt();
  }, 240_000);
});

describe("a cluster", () => {
  const cluster = forAllTests(
    () => KubeCluster.start({ withKinds: false }),
    (cluster) => cluster.stop(),
    KUBE_API_SERVER_TIMEOUT_MS,
  );
  const kube = forAllTests(async () => {
    const assets =
      process.env["KUBEBUILDER_ASSETS"] || join(env()["XDG_CACHE_HOME"] ?? "", "omnia/kube");
    const tools = join(checkout(), "..", "tools");
    await mkdir(tools);
    const helm = await run("test/support/kubernetes/helm-build 2>/dev/null");
    await symlink(helm.output.trim(), join(tools, "helm"));
    return {
      PATH: `${tools}:${assets}:${env()["PATH"]}`,
      KUBECONFIG: cluster().server.kubeconfig,
    };
  });

  const inCluster = async (name: string): Promise<string> => {
    const { code, output } = await run(commands(name), { env: kube() });
    if (code !== 0) throw new Error(`${name} ended with ${code}: ${output}`);
    return output;
  };

  /** The chart's pods hold nothing here: beside them runs a real operator, as the account and with the flags that the chart made. */
  async function startOperator(namespace: string): Promise<OperatorProcess> {
    const account = ["token", "omnia-operator", "-n", namespace];
    const token = await cluster().server.kubectl(["create", ...account]);
    const kubeconfig = join(checkout(), "..", `kubeconfig-${namespace}`);
    const admin = await readFile(cluster().server.kubeconfig, "utf8");
    await writeFile(kubeconfig, admin.replaceAll(cluster().server.token, token.trim()), {
      mode: 0o600,
    });
    const deployment = ["deployment", "omnia-operator", "-n", namespace, "-o"];
    const path = "jsonpath={.spec.template.spec.containers[0].args}";
    const rendered = await cluster().server.kubectl(["get", ...deployment, path]);
    const [, ...flags] = JSON.parse(rendered) as string[];
    return await OperatorProcess.start({ kubeconfig, leaseNamespace: namespace, flags });
  }

  it("gets the operator by its chart, and then an agent", { timeout: 120_000 }, async () => {
    expect(await inCluster("install")).toMatch(/STATUS: deployed/);
    const operator = await startOperator("omnia-system");
    try {
      expect(await inCluster("first-agent")).toMatch(/quickstart +Running +1\/1 +demo/);
      const look = await inCluster("look-cluster");
      expect(look).toMatch(/agentruntime\S*\/quickstart/);
      expect(look).toMatch(/AgentRuntime "quickstart" is Running/);
      expect(await inCluster("upgrade")).toMatch(/STATUS: deployed/);
      expect(await inCluster("let-prometheus-in")).toMatch(/STATUS: deployed/);
      expect(await inCluster("close-facades")).toMatch(/STATUS: deployed/);
      const policies = await cluster().server.kubectl([
        "get",
        "networkpolicies",
        "-A",
        "-o",
        "name",
      ]);
      expect(policies.trim().split("\n")).toEqual([
        "networkpolicy.networking.k8s.io/quickstart",
        "networkpolicy.networking.k8s.io/omnia-operator",
      ]);
      const front = await inCluster("gateway");
      expect(front).toMatch(/STATUS: deployed/);
      expect(front).toContain("service/omnia-gateway 8080:8080");
      expect(await inCluster("gateway-on")).toMatch(/STATUS: deployed/);
      expect(operator.output).not.toMatch(/forbidden/i);
      expect(operator.lines.filter(({ level }) => level === "error")).toEqual([]);
    } finally {
      await operator.stop();
    }
    await inCluster("backup-values");
    const values = await readFile(join(checkout(), "omnia-backup-values.yaml"), "utf8");
    expect(parse(values)).toMatchObject({ watchNamespaces: ["default"] });
    expect(await inCluster("uninstall")).toMatch(/release "omnia" uninstalled/);
    const agents = await cluster().server.kubectl([
      "get",
      "agentruntimes,deployments",
      "-o",
      "name",
    ]);
    expect(agents).toMatch(/agentruntime\S*\/quickstart[^]*deployment\S*\/quickstart/);
  });

  it("has the Secrets that the pages make, and comes back from a backup", async () => {
    expect(await inCluster("redis-secret")).toMatch(/redis-credentials created/);
    expect(await inCluster("provider-secret")).toMatch(/openai-credentials created/);
    const kubectl = (args: string[]) => cluster().server.kubectl(args);
    const manifest = join(checkout(), "backed-up.yaml");
    await save("backed-up.yaml", "greeter");
    await kubectl(["apply", "-f", manifest]);
    // One that came with a chart of somebody's own is kept as well.
    const byHelm = ["configmap/greeter-prompts", "app.kubernetes.io/managed-by=Helm"];
    await kubectl(["label", ...byHelm]);
    await inCluster("backup");
    expect(await readFile(join(checkout(), "omnia-backup-packs.yaml"), "utf8")).not.toContain(
      "kube-root-ca",
    );
    await kubectl(["delete", "-f", manifest]);
    for (const file of ["omnia-backup.yaml", "omnia-backup-packs.yaml"]) {
      await kubectl(["apply", "-f", join(checkout(), file)]);
    }
    const back = await kubectl(["get", "-f", manifest, "-o", "name"]);
    expect(back.trim().split("\n")).toHaveLength(3);
    await kubectl(["delete", "-f", manifest]);
  });

  it("takes two releases, each for a namespace", async () => {
    // The definitions of the release before stayed when it was uninstalled.
    const first = "--set 'watchNamespaces={blue}'";
    const { code, output } = await run(
      commands("two-releases", { [first]: `${first} --take-ownership` }),
      { env: kube() },
    );
    expect({ code, output }).toMatchObject({ code: 0 });
    const releases = await run("helm list --all-namespaces", { env: kube() });
    expect(releases.output).toMatch(/omnia\s+blue[^]*omnia\s+green/);
    for (const namespace of ["blue", "green"]) {
      await run(`helm uninstall omnia --namespace ${namespace}`, { env: kube() });
    }
  });

  it("can be bound to a namespace", async () => {
    expect(commands("install-namespaced")).toContain("helm install omnia charts/omnia");
    const { code, output } = await run(
      `${commands("install-namespaced").trimEnd()} --set crds.install=false`,
      { env: kube() },
    );
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toMatch(/looks after team\./);
  });

  it("takes the CRDs by hand, and then the examples", async () => {
    const other = await startKubeAPIServer();
    try {
      const applied = await run(commands("crds"), {
        env: { ...kube(), KUBECONFIG: other.kubeconfig },
      });
      expect(applied.code).toBe(0);
      expect(applied.output.match(/serverside-applied/g)).toHaveLength(3);

      const names = ["agentruntimes", "promptpacks", "toolregistries"].map(
        (name) => `crd/${name}.omnia.altairalabs.ai`,
      );
      await other.kubectl(["wait", "--for=condition=Established", "--timeout=30s", ...names]);
      await other.kubectl(["create", "namespace", "agents"]);
      const created = await other.kubectl(["apply", "--recursive", "-f", join(ROOT, "examples")]);
      expect(created.match(/ created/g)?.length).toBeGreaterThan(10);
    } finally {
      await other.stop();
    }
  });
});

describe("contributing", () => {
  it("runs a part of the tests, and the sources without a bundle", async () => {
    const unit = await run(commands("unit"));
    expect(unit).toMatchObject({
      code: 0,
      output: expect.stringMatching(/\n\d+ passed, 0 failed\n$/) as unknown,
    });
    const sources = await run(commands("sources"));
    expect(sources).toMatchObject({
      code: 0,
      output: expect.stringMatching(/Usage: omnia/) as unknown,
    });
  });
});

describe("the suite", () => {
  it("leaves out no command that the documentation shows", () => {
    // test/node runs these, where they mean something.
    for (const name of ["node", "node-image", "helm-test"]) ran.add(name);
    const left = documented.filter(
      ({ language, name }) => language === "sh" && !ran.has(name ?? ""),
    );
    expect(left.map(({ file, line }) => `${file}:${line}`)).toEqual([]);
  });
});
