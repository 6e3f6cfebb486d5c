/** The HTTP API of a real `omnia up`, with real agents behind it. */
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";
import { DescribedAnswers, openAPISchema } from "../../support/documents/openapi-answers.ts";
import { startOmnia } from "../../support/processes/omnia-process.ts";

const SECRET = "p1anted-5ecret-value";
const PACK = {
  id: "prompts",
  name: "Prompts",
  version: "1.2.3",
  template_engine: { version: "v1", syntax: "{{variable}}" },
  metadata: { conversation_starters: ["Where is my order?"] },
  prompts: { main: { id: "main", name: "Main", version: "1.0.0", system_template: "You help." } },
};
const MANIFESTS = `
apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata:
  name: echo
  annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"value":"${SECRET}"}', note: "${SECRET}"}
spec:
  replicas: 2
  facade: {handler: echo}
  env: [{name: API_PASSWORD, value: ${SECRET}}, {name: FROM_SECRET, valueFrom: {secretKeyRef: {name: keys, key: one}}}]
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {one: ${SECRET}}
---
apiVersion: omnia.altairalabs.ai/v1alpha1
kind: PromptPack
metadata: {name: prompts, namespace: agents}
spec: {source: {configMapRef: {name: prompts}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: prompts, namespace: agents}
data:
  promptpack.json: '${JSON.stringify(PACK)}'
---
apiVersion: omnia.altairalabs.ai/v1alpha1
kind: ToolRegistry
metadata: {name: tools, namespace: agents}
spec:
  tools:
    - name: orders
      url: http://127.0.0.1:9/orders?key=${SECRET}
      description: Finds orders
      headers: {X-Api-Key: ${SECRET}}
---
apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata: {name: support, namespace: agents}
spec:
  provider:
    name: openai
    model: some-model
    baseURL: http://127.0.0.1:9/v1?key=${SECRET}
    apiKeySecretRef: {name: openai, key: api-key}
  promptPackRef: {name: prompts, variables: {company: ${SECRET}}}
  toolRegistryRef: {name: tools}
`;
const CURE = `
---
apiVersion: v1
kind: Secret
metadata: {name: openai, namespace: agents}
stringData: {api-key: ${SECRET}}
`;

const home = folderForAllTests();
beforeAll(async () => {
  await writeFile(join(home(), "agents.yaml"), MANIFESTS);
});
const up = forAllTests(
  () =>
    startOmnia(["up", "-f", "agents.yaml", "--port", "0", "--no-open"], {
      env: { HOME: home(), XDG_STATE_HOME: join(home(), "state"), OMNIA_DEMO_PAUSES: "off" },
      cwd: home(),
    }),
  (up) => up[Symbol.asyncDispose](),
);
const origin = forAllTests(async () => {
  const [, url = ""] = await up().shows(/Serving at (http:\S+)/);
  await up().shows(/default\/echo: Running, 2\/2 ready/);
  await up().shows(/agents\/support: Pending/);
  return url;
});

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly text: string;
}

async function ask(method: string, path: string, body?: unknown, headers = {}): Promise<Answer> {
  const response = await fetch(`${origin()}/api/v1alpha1${path}`, {
    method,
    headers: {
      ...(method === "GET" ? {} : { "x-omnia-request": "1" }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, body: text === "" ? undefined : JSON.parse(text) };
}

/** Follows the stream of changes until the test ends. */
async function follow(headers: Record<string, string> = {}) {
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const { signal } = end;
  const response = await fetch(`${origin()}/api/v1alpha1/watch`, { headers, signal });
  let text = "";
  const reading = (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
  })().catch(() => {});
  return { text: () => text, reading };
}

/** `session`: the one to go on with. */
async function talk(agent: string, message: string, session?: string): Promise<void> {
  const client = await ChatClient.connect(`${origin().replace("http", "ws")}/ws?agent=${agent}`);
  await client.ask(message, session === undefined ? {} : { session_id: session });
}

describe("the HTTP API of omnia up", () => {
  it("answers as its own description says", async () => {
    const described = new DescribedAnswers(
      openAPISchema.parse((await ask("GET", "/openapi.json")).body),
    );
    await talk("echo", "hello");
    const { body } = await ask("GET", "/agents/default/echo/sessions");
    const [{ id = "" } = {}] = (body as { items: { id?: string }[] }).items;
    const hash = /"activeVersion":"(\w+)"/.exec((await ask("GET", "/packs")).text)?.[1] ?? "";
    const asked: [string, string][] = [
      ["/me", "/me"],
      ["/agents", "/agents"],
      ["/agents/{namespace}/{name}", "/agents/default/echo"],
      ["/agents/{namespace}/{name}", "/agents/agents/support"],
      ["/packs", "/packs"],
      ["/packs/{namespace}/{name}", "/packs/agents/prompts"],
      ["/packs/{namespace}/{name}/versions/{version}", `/packs/agents/prompts/versions/${hash}`],
      ["/toolregistries", "/toolregistries"],
      ["/toolregistries/{namespace}/{name}", "/toolregistries/agents/tools"],
      ["/resources", "/resources"],
      ["/agents/{namespace}/{name}/sessions", "/agents/default/echo/sessions"],
      ["/agents/{namespace}/{name}/sessions/{id}", `/agents/default/echo/sessions/${id}`],
      ["/agents/{namespace}/{name}", "/agents/agents/nobody"],
      ["/agents/{namespace}/{name}/sessions/{id}", "/agents/default/echo/sessions/unknown"],
      ["/agents/{namespace}/{name}/sessions", "/agents/agents/support/sessions"],
    ];
    const statuses: number[] = [];
    for (const [path, real] of asked) {
      const { status, body } = await ask("GET", real);
      expect(described.check("get", `/api/v1alpha1${path}`, status, body)).toEqual([]);
      statuses.push(status);
    }
    expect(statuses).toEqual([...Array<number>(12).fill(200), 404, 404, 503]);
  });

  it("explains what is broken, and shows it mended without being asked again", async () => {
    const broken = await ask("GET", "/agents/agents/support");
    expect(broken.body).toMatchObject({
      phase: "Pending",
      explain: {
        cause: expect.stringContaining('Secret "openai"') as string,
        docs: "reference/conditions/agentruntime/providerready/secretnotfound/",
      },
      suggestions: [],
    });
    const changes = await follow();
    await expect.poll(changes.text).toContain("event: snapshot");
    const file = join(home(), "agents.yaml");
    await writeFile(file, `${MANIFESTS}${CURE}`);
    onTestFinished(() => writeFile(file, MANIFESTS));
    await expect
      .poll(changes.text, { timeout: 60_000 })
      .toMatch(
        /event: changed\ndata: \{"type":"changed","change":\{"kind":"AgentRuntime","item":\{"namespace":"agents","name":"support","phase":"Running"/,
      );
    expect(changes.text()).toMatch(/event: event\ndata: .*"reason":"WaitingForPods"/);
    const mended = await ask("GET", "/agents/agents/support");
    expect(mended.body).toMatchObject({
      phase: "Running",
      suggestions: ["Where is my order?"],
      pack: { name: "prompts", version: "1.2.3" },
      registry: "tools",
    });
    expect(mended.text).not.toContain("SecretNotFound:");
  });

  it("goes on after the change that a reader had last", async () => {
    const first = await follow();
    await expect.poll(first.text).toContain("event: snapshot");
    const [, id = ""] = /^id: (.*)$/m.exec(first.text()) ?? [];
    const resumed = await follow({ "last-event-id": id });
    const lost = await follow({ "last-event-id": "another-1" });
    await expect.poll(lost.text).toMatch(/event: reset\n[^]*event: snapshot/);
    expect(resumed.text()).not.toContain("snapshot");
  });

  it("lists, shows, forks and deletes the sessions of all replicas", async () => {
    await Promise.all(["one", "two", "three", "four"].map((message) => talk("echo", message)));
    const list = async () => {
      const { body } = await ask("GET", "/agents/default/echo/sessions");
      return (body as { items: { id: string; title: string }[] }).items;
    };
    const before = await list();
    expect(before.map(({ title }) => title)).toEqual(
      expect.arrayContaining(["one", "two", "three", "four"]),
    );
    const { id = "" } = before.find(({ title }) => title === "two") ?? {};
    const path = `/agents/default/echo/sessions/${id}`;
    expect((await ask("GET", path)).body).toMatchObject({
      session: { id, title: "two" },
      messages: [
        { role: "user", content: "two" },
        { role: "assistant", content: "two" },
      ],
      turns: [{ finishReason: "stop" }],
    });
    await talk("echo", "two again", id);
    const { turns } = (await ask("GET", path)).body as { turns: { turnId: string }[] };
    expect(turns).toHaveLength(2);
    const end = await ask("GET", `${path}?since=${turns[1]?.turnId}`);
    expect(end.body).toMatchObject({
      session: { id, turns: 2 },
      messages: [
        { role: "user", content: "two again" },
        { role: "assistant", content: "two again" },
      ],
      turns: [{ turnId: turns[1]?.turnId }],
    });
    const forked = await ask("POST", `${path}/fork`, {});
    expect(forked).toMatchObject({ status: 200, body: { id: expect.any(String) as string } });
    expect(await list()).toHaveLength(before.length + 1);
    expect((await ask("DELETE", path)).status).toBe(204);
    expect((await ask("GET", path)).status).toBe(404);
    expect((await ask("DELETE", path)).status).toBe(404);
    expect(await list()).toHaveLength(before.length);
  });

  it("shows no secret, wherever somebody looks", async () => {
    const { body } = await ask("GET", "/agents/default/echo/sessions");
    const [{ id = "" } = {}] = (body as { items: { id?: string }[] }).items;
    const changes = await follow();
    await expect.poll(changes.text).toContain("event: snapshot");
    const paths = [
      "/me",
      "/agents",
      "/agents/default/echo",
      "/agents/agents/support",
      "/packs",
      "/packs/agents/prompts",
      "/toolregistries",
      "/toolregistries/agents/tools",
      "/resources",
      "/agents/default/echo/sessions",
      `/agents/default/echo/sessions/${id}`,
      "/agents/agents/support/sessions",
      "/openapi.json",
    ];
    const told = [changes.text()];
    for (const path of paths) told.push((await ask("GET", path)).text);
    told.push(
      (await ask("POST", "/agents/default/echo/tools/orders/call", { arguments: {} })).text,
    );
    expect(told.join("\n")).not.toContain(SECRET);
    expect(told.join("\n")).toContain("API_PASSWORD");
  });

  it.each([
    ["GET /api/v1alpha1/../../etc/passwd HTTP/1.1", "404"],
    ["GET /api/v1alpha1/agents/%2e%2e/%2e%2e HTTP/1.1", "404"],
    ["GET /api/v1alpha1/agents/default/echo%00 HTTP/1.1", "400"],
    ["GET /api/v1alpha1/agents/\xff\xfe/echo HTTP/1.1", "400"],
    ["GET /api/v1alpha1/agents/default/%ff%fe HTTP/1.1", "400"],
    ["GET //api/v1alpha1//agents HTTP/1.1", "404"],
    ["GET /api/v1alpha1/agents?limit=1e309 HTTP/1.1", "400"],
    ["GET /api/v1alpha1/agents?after=eyJ9 HTTP/1.1", "400"],
    ["GET /api/v1alpha1/agents?after=W3siYSI6MX1d HTTP/1.1", "400"],
    [`GET /api/v1alpha1/agents?q=${"x".repeat(14_000)} HTTP/1.1`, "400"],
    [`GET /api/v1alpha1/agents?q=${"x".repeat(20_000)} HTTP/1.1`, "431"],
    ["GET http://evil.example/api/v1alpha1/agents HTTP/1.1", "403"],
    ["TRACE /api/v1alpha1/agents HTTP/1.1", "4"],
    ["PROPFIND /api/v1alpha1/agents HTTP/1.1", "4"],
    ["OPTIONS * HTTP/1.1", "4"],
    ["POST /api/v1alpha1/agents/default/echo/sessions/x/fork HTTP/1.1", "403"],
    ["DELETE /api/v1alpha1/agents/default/echo HTTP/1.1\r\nX-Omnia-Request: 1", "405"],
  ])("takes no harm from %j", async (head, status) => {
    const { hostname, port } = new URL(origin());
    const socket = connect(Number(port), hostname);
    onTestFinished(() => void socket.destroy());
    socket.end(Buffer.from(`${head}\r\nHost: localhost\r\nConnection: close\r\n\r\n`, "latin1"));
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    expect(text.slice(0, `HTTP/1.1 ${status}`.length)).toBe(`HTTP/1.1 ${status}`);
    expect((await ask("GET", "/me")).status).toBe(200);
  });

  it("serves others while many follow the changes and do not read, and takes no more than it can", async () => {
    const { hostname, port } = new URL(origin());
    const sockets: Socket[] = [];
    onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
    const heads = await Promise.all(
      Array.from({ length: 150 }, async () => {
        const socket = connect(Number(port), hostname);
        sockets.push(socket);
        socket.write("GET /api/v1alpha1/watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
        const [chunk] = (await once(socket, "data")) as [Buffer];
        socket.pause();
        return chunk.toString().split("\r\n")[0];
      }),
    );
    expect(heads.filter((head) => head?.includes("200"))).toHaveLength(128);
    expect(heads.filter((head) => head?.includes("503"))).toHaveLength(22);
    expect((await ask("GET", "/agents")).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await expect.poll(async () => (await follow()).text()).not.toContain("no more streams");
  });

  it("ends the streams of changes when omnia up ends", async () => {
    const changes = await follow();
    await expect.poll(changes.text).toContain("event: snapshot");
    up().kill("SIGINT");
    await changes.reading;
    expect((await up().ended).code).toBe(0);
    expect(await readFile(join(home(), "agents.yaml"), "utf8")).toBe(MANIFESTS);
  });
});
