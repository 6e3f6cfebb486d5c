/** `omnia sessions` and `omnia console` in a cluster: what they ask of an API server, and of the gateway through its proxy. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { SIGN_IN_PATH } from "../../../src/http-api/paths.ts";
import { answerPortForwards } from "../../support/kubernetes/port-forward-server.ts";
import { aSessionView } from "../../support/builders/a-session-timeline.ts";
import { folderForEachTest } from "../../support/builders/fixtures.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import { omnia, startOmnia } from "../../support/processes/omnia-process.ts";

const AT = { name: "omnia-gateway", namespace: "omnia-system" };
const SERVICES = [
  {
    metadata: { ...AT, name: "omnia-gateway-metrics" },
    spec: { ports: [{ name: "metrics", port: 8081 }] },
  },
  {
    metadata: AT,
    spec: {
      ports: [{ name: "http", port: 8080, targetPort: "http" }],
      selector: { "app.kubernetes.io/component": "gateway" },
    },
  },
];
const POD = {
  metadata: { name: "omnia-gateway-1", namespace: AT.namespace },
  spec: { containers: [{ ports: [{ name: "http", containerPort: 9090 }] }] },
  status: { conditions: [{ type: "Ready", status: "True" }] },
};

const home = folderForEachTest();

interface Answer {
  readonly status: number;
  readonly body: object;
}

/** Something that answers as an API server, and leads to what answers as a gateway. */
async function aCluster({
  services = { status: 200, body: { items: SERVICES } },
  pods = { status: 200, body: { items: [] } },
  gateway = { status: 200, body: { items: [aSessionView()] } },
  console,
}: {
  services?: Answer;
  pods?: Answer;
  gateway?: Answer;
  /** The port of this machine that forwarded ports lead to. Without it none may be forwarded. */
  console?: number;
} = {}) {
  const asked: { line: string; headers: NodeJS.Dict<string | string[]> }[] = [];
  const server = await startHttpServer(({ method, url = "", headers }, response) => {
    asked.push({ line: `${method} ${url}`, headers });
    const { status, body } = url.includes("/proxy/")
      ? gateway
      : url.includes("/pods")
        ? pods
        : services;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  });
  onTestFinished(() => server.close());
  answerPortForwards(server.server, ({ namespace, pod, port }) =>
    console === undefined
      ? { status: 403, message: "pods/portforward is forbidden" }
      : {
          port: `${namespace}/${pod}:${port}` === "omnia-system/omnia-gateway-1:9090" ? console : 1,
        },
  );
  const optionsFor = async (user: object) => {
    const kubeconfig = join(home(), "kubeconfig");
    await writeFile(
      kubeconfig,
      stringify({
        "current-context": "test",
        contexts: [{ name: "test", context: { cluster: "test", user: "anna" } }],
        clusters: [
          {
            name: "test",
            cluster: { server: new URL(server.url).origin, "insecure-skip-tls-verify": true },
          },
        ],
        users: [{ name: "anna", user }],
      }),
    );
    return { env: { HOME: home(), KUBECONFIG: kubeconfig }, cwd: home() };
  };
  const anna = { token: "token-of-anna" };
  return {
    asked,
    run: async (args: readonly string[], user: object = anna) =>
      await omnia(args, await optionsFor(user)),
    start: async (args: readonly string[], user: object = anna) =>
      startOmnia(args, await optionsFor(user)),
  };
}

const LIST = ["sessions", "ls", "team/bot"];

function refusal(status: number, message: string): Answer {
  return { status, body: { kind: "Status", status: "Failure", code: status, message } };
}

describe("the gateway of a cluster", () => {
  it("is asked through the API server, with the token of the kubeconfig in a header of its own", async () => {
    const { asked, run } = await aCluster();
    const { code, out, err } = await run(LIST);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^the gateway of cluster test\n[^]*session-1/);
    expect(asked.map(({ line }) => line)).toEqual([
      expect.stringMatching(/^GET \/api\/v1\/services\?labelSelector=.*gateway/),
      "GET /api/v1/namespaces/omnia-system/services/http:omnia-gateway:8080/proxy/api/v1alpha1/agents/team/bot/sessions?limit=50",
    ]);
    expect(asked[1]?.headers).toMatchObject({
      authorization: "Bearer token-of-anna",
      "x-omnia-access": "token-of-anna",
      "x-omnia-request": "omnia",
    });
    expect(asked[0]?.headers).not.toHaveProperty("x-omnia-access");
  });

  it("is not sent a token where the kubeconfig has none", async () => {
    const { asked, run } = await aCluster();
    expect((await run(LIST, { username: "anna", password: "secret" })).code).toBe(0);
    expect(asked[1]?.headers).not.toHaveProperty("x-omnia-access");
  });

  it.each<[string, Parameters<typeof aCluster>[0], RegExp]>([
    ["there is none", { services: { status: 200, body: { items: [] } } }, /has no gateway/],
    [
      "it may not be looked for",
      { services: refusal(403, "services is forbidden") },
      /refuses: services is forbidden\n.*list Services/,
    ],
    [
      "the API server does not lead to it",
      { gateway: refusal(503, "no endpoints available") },
      /gateway of cluster test cannot be asked: no endpoints available\./,
    ],
    [
      "it refuses in its own words",
      {
        gateway: {
          status: 403,
          body: { error: { code: "Forbidden", message: "no", cure: "kubectl auth can-i x" } },
        },
      },
      /^omnia: No\.\nkubectl auth can-i x\n$/,
    ],
    ["it is something else", { gateway: { status: 404, body: {} } }, /not as a gateway would/],
  ])("is not asked, and it is said why, where %s", async (_says, parts, says) => {
    const { run } = await aCluster(parts);
    const { code, err } = await run(LIST);
    expect(err).toMatch(says);
    expect(code).toBe(1);
  });

  it("has a console, which a port of this machine leads to until the command is ended", async () => {
    const console = await aConsolePod();
    const { start } = await aCluster({ pods: { status: 200, body: { items: [POD] } }, console });
    await using running = await start(["console"]);
    const [address = ""] = await running.shows(/http:\/\/localhost:\d+\/#code=\S+/);
    expect(running.out).not.toContain("token-of-anna");
    const { origin, hash } = new URL(address);
    const signedIn = await fetch(origin + SIGN_IN_PATH, {
      method: "POST",
      headers: { "content-type": "application/json", "x-omnia-request": "console" },
      body: JSON.stringify({ code: hash.slice("#code=".length) }),
    });
    const { token } = (await signedIn.json()) as { token: string };
    const headers = { authorization: `Bearer ${token}` };
    expect(await (await fetch(`${origin}/api/v1alpha1/me`, { headers })).text()).toBe(
      "asked by Bearer token-of-anna",
    );
    running.kill("SIGINT");
    expect((await running.ended).code).toBe(0);
  });

  it("has a console that asks for a token where the kubeconfig has none", async () => {
    const console = await aConsolePod();
    const { start } = await aCluster({ pods: { status: 200, body: { items: [POD] } }, console });
    await using running = await start(["console", "-o", "json"], {
      username: "anna",
      password: "secret",
    });
    const [json = ""] = await running.shows(/\{[^}]*\}/);
    expect(JSON.parse(json)).toEqual({ url: expect.stringMatching(/^http:\/\/localhost:\d+$/) });
  });

  it.each<[string, Parameters<typeof aCluster>[0], RegExp]>([
    [
      "no pod of the gateway is ready",
      {},
      /No pod of the gateway omnia-system\/omnia-gateway is ready/,
    ],
    [
      "pods may not be listed",
      { pods: refusal(403, "pods is forbidden") },
      /pods is forbidden\.\n.*portforward, in namespace omnia-system/,
    ],
    [
      "ports may not be forwarded",
      { pods: { status: 200, body: { items: [POD] } } },
      /portforward is forbidden\.\n.*portforward, in namespace omnia-system/,
    ],
  ])("says why there is no console where %s", async (_says, parts, says) => {
    const { run } = await aCluster(parts);
    const { code, err } = await run(["console"]);
    expect(err).toMatch(says);
    expect(code).toBe(1);
  });

  it("says so where it serves no console", async () => {
    const console = await aConsolePod("text/plain");
    const { run } = await aCluster({ pods: { status: 200, body: { items: [POD] } }, console });
    expect((await run(["console"])).err).toMatch(
      /serves no console\.\n.*gateway\.console\.enabled=true/,
    );
  });
});

/** The port of something that answers as a gateway with a console. */
async function aConsolePod(type = "text/html"): Promise<number> {
  const server = await startHttpServer(({ headers: { authorization } }, response) => {
    response.writeHead(200, { "content-type": type });
    response.end(`asked by ${authorization}`);
  });
  onTestFinished(() => server.close());
  return server.port;
}
