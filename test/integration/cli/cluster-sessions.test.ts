/** `omnia sessions` and `omnia console` in a cluster: what they ask of an API server, and of the gateway through its proxy. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { aSessionView } from "../../support/builders/a-session-timeline.ts";
import { folderForEachTest } from "../../support/builders/fixtures.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import { omnia } from "../../support/processes/omnia-process.ts";

const AT = { name: "omnia-gateway", namespace: "omnia-system" };
const SERVICES = [
  {
    metadata: { ...AT, name: "omnia-gateway-metrics" },
    spec: { ports: [{ name: "metrics", port: 8081 }] },
  },
  { metadata: AT, spec: { ports: [{ name: "http", port: 8080 }] } },
];

const home = folderForEachTest();

interface Answer {
  readonly status: number;
  readonly body: object;
}

/** Something that answers as an API server, and leads to what answers as a gateway. */
async function aCluster({
  services = { status: 200, body: { items: SERVICES } },
  gateway = { status: 200, body: { items: [aSessionView()] } },
}: { services?: Answer; gateway?: Answer } = {}) {
  const asked: { line: string; headers: NodeJS.Dict<string | string[]> }[] = [];
  const server = await startHttpServer(({ method, url = "", headers }, response) => {
    asked.push({ line: `${method} ${url}`, headers });
    const { status, body } = url.includes("/proxy/") ? gateway : services;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  });
  onTestFinished(() => server.close());
  const run = async (args: readonly string[], user: object = { token: "token-of-anna" }) => {
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
    return await omnia(args, { env: { HOME: home(), KUBECONFIG: kubeconfig }, cwd: home() });
  };
  return { asked, run };
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

  it("has a console that is led to by a forwarded port", async () => {
    const { run } = await aCluster();
    const { code, out } = await run(["console"]);
    expect(code).toBe(0);
    expect(out).toContain("kubectl port-forward -n omnia-system service/omnia-gateway 8080:8080");
    expect(out).toContain("http://localhost:8080");
    const { out: json } = await run(["console", "-o", "json"]);
    expect(JSON.parse(json)).toMatchObject({ url: "http://localhost:8080" });
  });
});
