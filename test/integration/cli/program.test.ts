/** The command line as users run it: exit codes, what goes to which output, and what must not be shown. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import packageJSON from "../../../package.json" with { type: "json" };
import { startHttpServer } from "../../support/processes/http-server.ts";
import {
  omnia,
  printedJSON,
  startOmnia,
  type OmniaOptions,
  type OmniaResult,
} from "../../support/processes/omnia-process.ts";
import { folderForAllTests } from "../../support/builders/fixtures.ts";

const home = folderForAllTests();

/** On a machine without an instance and without a cluster, unless `env` says otherwise. */
function run(args: readonly string[], options: OmniaOptions = {}): Promise<OmniaResult> {
  const alone = { HOME: home(), XDG_STATE_HOME: join(home(), "state") };
  return omnia(args, { ...options, env: { ...alone, ...options.env } });
}

describe("omnia", () => {
  it("prints its version and its help", async () => {
    const [version, versionAsked, help, chatHelp] = await Promise.all([
      run(["--version"]),
      run(["version"]),
      run(["--help"]),
      run(["help", "chat"]),
    ]);
    expect(version).toEqual({ code: 0, out: `${packageJSON.version}\n`, err: "" });
    expect(versionAsked).toEqual(version);
    expect(help).toMatchObject({ code: 0, err: "" });
    for (const command of [
      "init",
      "up",
      "chat",
      "validate",
      "eval",
      "migrate",
      "status",
      "explain",
      "packs",
      "crds",
      "agent",
    ]) {
      expect(help.out).toMatch(new RegExp(`^ {2}${command}\\b`, "m"));
    }
    expect(help.out).toContain("Examples:");
    expect(chatHelp).toMatchObject({ code: 0, err: "" });
    expect(chatHelp.out).toContain("Ctrl-C");
  });

  it("ends with 2 when the command line is wrong, and says how it would be right", async () => {
    const results = await Promise.all(
      [
        [],
        ["chta"],
        ["chat"],
        ["chat", "demo", "--nope"],
        ["chat", "demo", "-o", "yaml"],
        ["chat", "demo", "-m", " "],
        ["up", "--port", "http"],
        ["agent", "--port", "http"],
        ["validate"],
        ["migrate"],
        ["packs", "rollback"],
        ["packs", "diff", "a", "--nope"],
      ].map((args) => run(args)),
    );
    expect(results.map(({ code, out }) => ({ code, out }))).toEqual(
      results.map(() => ({ code: 2, out: "" })),
    );
    const errors = results.map(({ err }) => err);
    expect(errors[0]).toContain("Usage: omnia");
    expect(errors.slice(1).join("")).toMatchInlineSnapshot(`
    "omnia: unknown command 'chta'
    (Did you mean chat?)
    omnia: missing required argument 'name'
    Try: omnia chat --help
    omnia: unknown option '--nope'
    Try: omnia chat --help
    omnia: option '-o, --output <format>' argument 'yaml' is invalid. Allowed choices are text, json.
    Try: omnia chat --help
    omnia: -m: the message is empty.
    omnia: option '--port <port>' argument 'http' is invalid. A port is a number from 0 to 65535.
    Try: omnia up --help
    omnia: option '--port <port>' argument 'http' is invalid. A port is a number from 0 to 65535.
    Try: omnia agent --help
    omnia: required option '-f, --filename <path...>' not specified
    Try: omnia validate --help
    omnia: required option '-f, --filename <path...>' not specified
    Try: omnia migrate --help
    omnia: missing required argument 'name'
    Try: omnia packs rollback --help
    omnia: unknown option '--nope'
    Try: omnia packs diff --help
    "
  `);
  });

  it("prints the CRDs, also to a reader that leaves early", async () => {
    const { code, out, err } = await run(["crds"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out.match(/^kind: CustomResourceDefinition$/gm)).toHaveLength(3);

    await using early = startOmnia(["crds"]);
    early.closeOutput();
    expect(await early.ended).toMatchObject({ code: 0, err: "" });
  });
});

describe("validate", () => {
  it("ends with 1 and every problem, or with 0", async () => {
    const input = `apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata: {name: a}
spec: {facade: {handler: echoo, port: 8081}}`;
    expect(await run(["validate", "-f", "-"], { input })).toEqual({
      code: 1,
      err: "",
      out: `<stdin>:4:26: spec.facade.handler: must be one of runtime, demo, echo, not "echoo"; did you mean "echo"?
<stdin>:4:39: spec.facade.port: 8081 is the management port; choose another
1 resource, 2 problems
`,
    });
    const right = input.replace("echoo, port: 8081", "echo");
    expect(await run(["validate", "-f", "-"], { input: right })).toEqual({
      code: 0,
      err: "",
      out: "1 resource, 0 problems\n",
    });
  });

  it("ends with 1 when a path is not there", async () => {
    const { code, out, err } = await run(["validate", "-f", "absent.yaml"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("There is no such file or folder: absent.yaml");
  });
});

describe("status", () => {
  it("is told which one to ask, and not two", async () => {
    const { code, out, err } = await run(["status", "--local", "--context", "there"]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/--context.* cannot be used with .*--local/);
    expect((await run(["explain", "bot", "--local"])).err).toMatch(
      /^omnia: No omnia up runs on this machine.\nStart one with: /,
    );
    const env = { KUBECONFIG: await kubeconfig("http://127.0.0.1:1") };
    expect((await run(["status", "--context", "elsewhere"], { env })).err).toContain(
      'The kubeconfig has no context "elsewhere" (it has: there).',
    );
  });

  it("fails in words where there is neither an instance nor a cluster", async () => {
    const { code, out, err } = await run(["status"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(
      "omnia: No omnia up runs on this machine, and no cluster is configured.\n",
    );
    expect(err).toMatch(/^Start agents on this machine with `.*omnia up`, or point KUBECONFIG/m);
  });

  it("shows the resources of the current cluster, page by page", async () => {
    const asked: string[] = [];
    await using cluster = await startHttpServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://cluster");
      asked.push(url.pathname);
      const { items, next } = pageOf(url);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ metadata: { continue: next }, items }));
    });
    const env = { KUBECONFIG: await kubeconfig(cluster.url) };
    const [text, json] = await Promise.all([
      run(["status"], { env }),
      run(["status", "-n", "agents", "-o", "json"], { env }),
    ]);
    expect(text).toMatchObject({ code: 0, err: "" });
    expect(text.out.replace(cluster.url, "URL")).toMatchInlineSnapshot(`
      "cluster there at URL

      AGENT           PHASE    READY  HANDLER  MODEL  PACK  ENDPOINT
      agents/support  -        -      -        -      -     -
      default/demo    Running  1/1    demo     -      -     -
        Available  True  ReplicasAvailable

      PROMPT PACK     PHASE  VERSION  CONTENT
      agents/prompts  -      -        -
      "
    `);
    expect(new Set(asked).size).toBe(3);
    const { items } = printedJSON(json) as { items: { metadata: { name: string } }[] };
    expect(items.map(({ metadata }) => metadata.name)).toEqual(["support", "prompts"]);
  });

  it("says when a cluster does not answer, does not know the kinds, or refuses", async () => {
    const unreachable = await run(["status"], {
      env: { KUBECONFIG: await kubeconfig("http://127.0.0.1:1") },
    });
    expect(unreachable.code).toBe(1);
    expect(unreachable.err).toContain("the cluster at http://127.0.0.1:1 cannot be reached");

    let status = 404;
    await using cluster = await startHttpServer((_request, response) => {
      response.writeHead(status).end(JSON.stringify({ message: "not for you" }));
    });
    const env = { KUBECONFIG: await kubeconfig(cluster.url) };
    expect((await run(["status"], { env })).err).toContain("omnia crds | kubectl apply");
    status = 403;
    const refused = await run(["status"], { env });
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("refuses: not for you");
  });
});

function pageOf(url: URL): { items: object[]; next?: string } {
  const kind = url.pathname.split("/").at(-1);
  if (kind === "agentruntimes" && !url.searchParams.has("continue")) {
    const status = {
      phase: "Running",
      ready: "1/1",
      conditions: [{ type: "Available", status: "True", reason: "ReplicasAvailable", message: "" }],
    };
    const spec = { facade: { handler: "demo" } };
    return {
      items: [{ metadata: { name: "demo", namespace: "default" }, spec, status }],
      next: "x",
    };
  }
  const name = kind === "agentruntimes" ? "support" : "prompts";
  return kind === "toolregistries"
    ? { items: [] }
    : { items: [{ metadata: { name, namespace: "agents" } }] };
}

async function kubeconfig(server: string): Promise<string> {
  const path = join(home(), `kubeconfig-${new URL(server).port}`);
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: {} }],
    contexts: [{ name: "there", context: { cluster: "c", user: "u" } }],
    "current-context": "there",
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}
