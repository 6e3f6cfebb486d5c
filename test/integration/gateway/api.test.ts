/** The HTTP API of `omnia gateway` on a real API server: what callers see and may do, by tokens and rights of the cluster. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import { gatewayPublicKey } from "../../../src/agent-config/gateway-token.ts";
import { WRITE_HEADER } from "../../../src/http-api/paths.ts";
import { USER_RULES } from "../../../src/operator/permissions.ts";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";
import {
  HASH,
  PACK,
  SECRET,
  startApiWorld,
  type ApiAccount,
} from "../../support/gateway/api-world.ts";
import { GatewayProcess } from "../../support/gateway/gateway-process.ts";
import {
  agentRuntimeOf,
  bind,
  GATEWAY_USER,
  machineAddress,
  sliceOf,
} from "../../support/gateway/routed-agents.ts";
import {
  createAccount,
  deleteAccount,
  tokenOf,
  userOf,
} from "../../support/gateway/service-accounts.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { omnia } from "../../support/processes/omnia-process.ts";

const WITHIN = { timeout: 60_000, interval: 20 };
const folder = folderForAllTests();
const world = forAllTests(
  () => startApiWorld(folder()),
  async ({ atTheEnd }) => {
    for (const end of atTheEnd.toReversed()) await end();
  },
  KUBE_API_SERVER_TIMEOUT_MS,
);

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask(
  account: ApiAccount | undefined,
  path: string,
  { method = "GET", body }: { method?: string; body?: object } = {},
): Promise<Answer> {
  const { gateway, tokens } = world();
  const headers: Record<string, string> = { [WRITE_HEADER]: "test" };
  if (account !== undefined) headers["authorization"] = `Bearer ${tokens[account]}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(`http://127.0.0.1:${gateway.port}/api/v1alpha1${path}`, {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into many shapes
async function read(account: ApiAccount, path: string): Promise<any> {
  const { status, text } = await ask(account, path);
  expect([path, status]).toEqual([path, 200]);
  return JSON.parse(text);
}

/** The text of a stream until it has one event. */
async function firstEvent(account: ApiAccount, path = "/watch"): Promise<string> {
  const { gateway, tokens } = world();
  const left = new AbortController();
  const response = await fetch(`http://127.0.0.1:${gateway.port}/api/v1alpha1${path}`, {
    headers: { authorization: `Bearer ${tokens[account]}` },
    signal: left.signal,
  });
  let text = "";
  const decoder = new TextDecoder();
  for await (const part of response.body ?? []) {
    text += decoder.decode(part, { stream: true });
    if (text.includes("data: ") && text.endsWith("\n\n")) break;
  }
  left.abort();
  return text;
}

type Route = readonly [path: string, options?: { method: string; body?: object }];
const ROUTES: readonly (readonly [Route, viewer: number, admin: number])[] = [
  [["/agents/team/bot"], 200, 200],
  [["/agents/team/bot/sessions"], 403, 200],
  [["/agents/team/bot/sessions/no-such-session"], 403, 404],
  [["/agents/team/bot/sessions/no-such-session", { method: "DELETE" }], 403, 404],
  [
    [
      "/agents/team/bot/sessions/no-such-session/fork",
      { method: "POST", body: { afterTurn: "1" } },
    ],
    403,
    404,
  ],
  [["/agents/team/bot/tools/look/call", { method: "POST", body: { arguments: {} } }], 403, 404],
  [["/packs/team/help"], 200, 200],
  [[`/packs/team/help/versions/${HASH}`], 200, 200],
  [["/toolregistries/team/tools"], 200, 200],
];
const LISTS = ["/agents", "/packs", "/toolregistries", "/resources"];

describe("the HTTP API in a cluster", () => {
  it("answers nobody without a token, and says how to come by one", async () => {
    for (const path of ["/me", ...LISTS, "/watch", "/openapi.json", "/agents/team/bot"]) {
      const { status, text } = await ask(undefined, path);
      expect([path, status]).toEqual([path, 401]);
      const { error } = JSON.parse(text);
      expect(error).toMatchObject({ code: "Unauthorized" });
      expect(error.cure).toMatch(/kubectl create token .*omnia console/);
    }
  });

  it.each(ROUTES)("answers by the rights of the caller: %j", async ([path, options], ...wanted) => {
    const [viewer, admin] = wanted;
    const statuses = await Promise.all(
      (["viewer", "admin"] as const).map(async (one) => (await ask(one, path, options)).status),
    );
    expect(statuses).toEqual([viewer, admin]);
    // Who has no rights is told the same of what there is and of what there is not.
    const [there, away, elsewhere] = await Promise.all([
      ask("none", path, options),
      ask("none", path.replace("/team/", "/nowhere/"), options),
      ask("admin", path.replace("/team/", "/other/"), options),
    ]);
    expect(there.status).toBe(404);
    expect({ ...there, text: there.text.replaceAll("team/", "nowhere/") }).toEqual(away);
    expect(elsewhere).toEqual({ ...there, text: there.text.replaceAll("team/", "other/") });
  });

  it("lists what the caller may see, and nothing to one who may see nothing", async () => {
    for (const path of LISTS) {
      expect([path, await read("none", path)]).toEqual([path, { items: [] }]);
      const { items } = await read("viewer", path);
      expect(items.length).toBeGreaterThan(0);
      expect(JSON.stringify(items)).not.toContain("other");
      expect(JSON.stringify(items)).not.toContain(SECRET);
      const { items: none } = await read("viewer", `${path}?namespace=other`);
      expect(none).toEqual([]);
    }
    expect(await firstEvent("none")).toContain('data: {"type":"snapshot","items":[]}');
    const snapshot = await firstEvent("viewer");
    expect(snapshot).toMatch(/"kind":"AgentRuntime".*"kind":"PromptPack".*"kind":"ToolRegistry"/);
    expect(snapshot).not.toContain("other");
  });

  it("tells who one is, what one may see, and until when", async () => {
    const me = await read("viewer", "/me");
    expect(me).toMatchObject({
      subject: "kubernetes:system:serviceaccount:team:viewer",
      mode: "cluster",
      namespaces: ["team"],
    });
    expect(Date.parse(me.expiresAt)).toBeGreaterThan(Date.now());
    expect(await read("none", "/me")).toMatchObject({ namespaces: [] });
    const { can } = await read("viewer", "/agents/team/bot");
    expect(can).toEqual({ chat: false, sessions: false, deleteSession: false, callTool: false });
    const { can: all } = await read("admin", "/agents/team/bot");
    expect(all).toEqual({ chat: true, sessions: true, deleteSession: true, callTool: true });
  });

  it("shows an agent with its replicas and events, and no value that may be secret", async () => {
    const agent = await vi.waitFor(async () => {
      const found = await read("viewer", "/agents/team/bot");
      expect(found.replicas).toHaveLength(1);
      expect(found.events).toHaveLength(1);
      return found;
    }, WITHIN);
    expect(agent.replicas[0]).toMatchObject({ name: "bot-1", restarts: 0 });
    expect(agent.events[0]).toMatchObject({
      at: "2026-03-01T12:00:00.000Z",
      type: "Warning",
      reason: "PodsFailing",
      message: "a replica has failed",
    });
    expect(JSON.stringify(agent)).not.toContain(SECRET);
    const registry = await read("viewer", "/toolregistries/team/tools");
    expect(JSON.stringify(registry)).not.toContain(SECRET);
  });

  it("shows the versions of a pack that are kept, and their documents", async () => {
    const { versions } = await read("viewer", "/packs/team/help");
    expect(versions).toMatchObject([{ hash: HASH, version: "1.4.2", state: "kept" }]);
    const { document } = await read("viewer", `/packs/team/help/versions/${HASH}`);
    expect(document).toEqual(JSON.parse(PACK));
    const { status } = await ask("viewer", "/packs/team/help/versions/000000000000");
    expect(status).toBe(404);
  });

  it("tells what changes while one listens", async () => {
    const { cluster, gateway, tokens } = world();
    const left = new AbortController();
    const response = await fetch(`http://127.0.0.1:${gateway.port}/api/v1alpha1/watch`, {
      headers: { authorization: `Bearer ${tokens.viewer}` },
      signal: left.signal,
    });
    const late = { name: "late", namespace: "team" };
    let text = "";
    const decoder = new TextDecoder();
    let isMade = false;
    for await (const part of response.body ?? []) {
      text += decoder.decode(part, { stream: true });
      if (text.includes("snapshot") && !isMade) {
        isMade = true;
        await cluster.create(agentRuntimeOf({ ...late, namespace: "other" }), agentRuntimeOf(late));
        await cluster.delete(agentRuntimeOf({ ...late, namespace: "other" }));
        await cluster.delete(agentRuntimeOf(late));
      }
      if (text.includes('"type":"removed"')) break;
    }
    left.abort();
    expect(text).toContain('"removed":{"kind":"AgentRuntime","namespace":"team","name":"late"}');
    expect(text).not.toContain("other");
  });

  it("keeps the API and the page to itself where it was not told to have them", async () => {
    const gateway = await GatewayProcess.ready(await world().cluster.kubeconfigOf(GATEWAY_USER));
    await using _ = gateway;
    const url = `http://127.0.0.1:${gateway.port}`;
    for (const path of ["/", "/api/v1alpha1/me", "/api/v1alpha1/agents", "/agents/team/bot"]) {
      const headers = { accept: "text/html", authorization: `Bearer ${world().tokens.admin}` };
      expect((await fetch(url + path, { headers })).status).toBe(404);
    }
  });
});

describe("the sessions of an agent in a cluster", () => {
  it("are had over the API by those who may, and by the command line", async () => {
    const { gateway, tokens } = world();
    const client = await vi.waitFor(
      () =>
        ChatClient.connect(`${gateway.url}/agents/team/bot/ws`, {
          protocols: [`bearer.${tokens.admin}`],
        }),
      WITHIN,
    );
    client.say("hello there");
    const { session_id: id } = await client.nextOf("done");
    client.socket.terminate();
    const { items } = await read("admin", "/agents/team/bot/sessions");
    expect(items).toMatchObject([
      { id, title: "hello there", subject: "kubernetes:system:serviceaccount:team:admin" },
    ]);
    const run = async (account: ApiAccount, ...args: string[]) => {
      const env = { HOME: folder(), OMNIA_TOKEN: tokens[account] };
      const at = ["--url", `http://127.0.0.1:${gateway.port}`];
      return await omnia([...args, ...at], { env, cwd: folder() });
    };
    const listed = await run("admin", "sessions", "ls", "team/bot");
    expect([listed.err, listed.code]).toEqual(["", 0]);
    expect(listed.out).toContain("hello there");
    expect((await run("admin", "sessions", "show", id ?? "")).out).toContain("hello there");
    const refused = await run("viewer", "sessions", "ls", "team/bot");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("auth can-i get agentruntimes.omnia.altairalabs.ai");
    const deleted = await run("admin", "sessions", "delete", id ?? "", "--yes");
    expect([deleted.err, deleted.code]).toEqual(["", 0]);
    expect(await read("admin", "/agents/team/bot/sessions")).toMatchObject({ items: [] });
  });

  it("are forked where they are, and their address leads each client to the fork, whatever replica it had before", async () => {
    const { cluster, gateway, keyFile, tokens, atTheEnd } = world();
    const agent = { namespace: "team", name: "pair" };
    const publicKey = gatewayPublicKey(await readFile(keyFile, "utf8"));
    await cluster.create(agentRuntimeOf(agent));
    for (let replica = 0; replica < 2; replica += 1) {
      const { running } = await TestAgent.start({
        host: machineAddress(),
        config: { agent, gateway: { publicKeys: [publicKey] } },
        atTheEnd: (end) => void atTheEnd.push(end),
      });
      await cluster.create(sliceOf(agent, running.facadePort ?? 0));
    }
    const connect = (address: string, query = "") =>
      ChatClient.connect(`${gateway.url}/agents/team/pair/ws${query}`, {
        protocols: [`bearer.${tokens.admin}`],
        headers: { "x-forwarded-for": address },
      });
    const first = await vi.waitFor(() => connect("192.0.2.0"), WITHIN);
    const { session_id: source } = await first.ask("what is to be remembered");
    const fork = async (): Promise<string> => {
      const path = `/agents/team/pair/sessions/${source}/fork`;
      const { status, text } = await ask("admin", path, { method: "POST", body: {} });
      expect([status, text]).toEqual([200, expect.stringContaining("id")]);
      return (JSON.parse(text) as { id: string }).id;
    };
    // By its address alone, a client is led to the other replica sooner or later, which knows no such session and begins another one.
    let host = 0;
    const address = await vi.waitFor(async () => {
      const tried = `192.0.2.${(host += 1)}`;
      const id = await fork();
      const unled = await connect(tried);
      expect((await unled.ask("and now?", { session_id: id })).session_id).not.toBe(id);
      return tried;
    }, WITHIN);
    const id = await fork();
    const led = await connect(address, `?session_id=${id}`);
    expect(await led.next()).toMatchObject({ session_id: id, resumed: true });
    await led.ask("and now?");
    expect(await read("admin", `/agents/team/pair/sessions/${id}`)).toMatchObject({
      session: { turns: 2 },
    });
  });

  it("end for one whose token was taken back: the stream of changes, and the conversation", async () => {
    const { cluster, gateway } = world();
    const { server } = cluster;
    const account = { namespace: "team", name: "leaver" };
    await createAccount(server, account);
    await bind(server, userOf(account), [...USER_RULES.view, ...USER_RULES.edit], "team");
    const token = await tokenOf(server, account);
    const client = await vi.waitFor(
      () =>
        ChatClient.connect(`${gateway.url}/agents/team/bot/ws`, { protocols: [`bearer.${token}`] }),
      WITHIN,
    );
    const closed = once(client.socket, "close");
    const response = await fetch(`http://127.0.0.1:${gateway.port}/api/v1alpha1/watch`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await deleteAccount(server, account);
    await new Response(response.body).text();
    const [code] = (await closed) as [number];
    expect(code).toBe(4401);
  });
});
