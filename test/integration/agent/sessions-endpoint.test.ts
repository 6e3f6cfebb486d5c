/** What an agent serves to gateways: its sessions, and what one replica does; and that there is nothing for anybody else. */
import { describe, expect, it } from "vitest";
import { GATEWAY_VERBS, type GatewayRequest } from "../../../src/agent-config/gateway-token.ts";
import type { AgentConfig } from "../../../src/agent-config/agent-config.ts";
import { replicaFactsSchema } from "../../../src/http-api/replica-facts.ts";
import { sessionTimelineSchema, sessionViewSchema } from "../../../src/http-api/session-views.ts";
import { GatewayClient } from "../../support/agent/gateway-client.ts";
import { TestAgent, type TestAgentOptions } from "../../support/agent/test-agent.ts";
import { aGatewaySigner } from "../../support/builders/a-gateway-signer.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { startRedis } from "../../support/redis/redis.ts";

const redis = forAllTests(
  () => startRedis(),
  (redis) => redis[Symbol.asyncDispose](),
);

const OVER_REDIS = { type: "redis", ttlMs: 3_600_000, storeURLFile: "secrets/url" } as const;
const OVER_MEMORY = { type: "memory", ttlMs: 3_600_000 } as const;

async function anAgent({ config, files, ...options }: TestAgentOptions = {}) {
  const signer = aGatewaySigner();
  const believing: Partial<AgentConfig> = {
    gateway: { publicKeys: [signer.publicKey] },
    ...config,
  };
  const agent = await TestAgent.start({
    config: believing,
    files: { "secrets/url": redis().url, ...files },
    ...options,
  });
  return { agent, signer, config: believing, gateway: new GatewayClient(agent.url, signer) };
}

/** Has one turn in a session of its own, and answers the session's id. */
async function aSession(agent: TestAgent, content: string, headers: Record<string, string> = {}) {
  const client = await agent.connect("/", { headers });
  const { session_id: id } = await client.nextOf("connected");
  client.say(content);
  const { turn_id: turnId } = await client.nextOf("done");
  client.socket.close();
  return { id, turnId };
}

const NOTHING = {
  status: 404,
  body: { error: { code: "NotFound", message: "WebSocket connections are taken at / and /ws" } },
};

describe("an agent to somebody who is no gateway", () => {
  const PATHS = [
    "sessions",
    "sessions/x",
    "replica",
    "tools/x/call",
    "sessions/x/fork",
    "else",
    "",
  ];

  it("has no HTTP API, and does not tell whether there is one", async () => {
    const { agent } = await anAgent();
    const plain = await TestAgent.start();
    for (const { url } of [agent, plain]) {
      for (const path of PATHS) {
        for (const method of ["GET", "POST", "DELETE", "PUT"]) {
          const target = `${url.replace("ws:", "http:")}/api/v1alpha1/${path}`;
          const response = await fetch(target, { method });
          expect([response.status, await response.json()]).toEqual([NOTHING.status, NOTHING.body]);
        }
      }
    }
  });

  it.each<[string, Partial<GatewayRequest>]>([
    ["for another agent", { agent: "team/other" }],
    ["that allows something else", { verbs: ["chat:create"] }],
  ])("is the same to a token %s", async (_says, asks) => {
    const { gateway } = await anAgent();
    for (const path of PATHS) expect(await gateway.as(asks).get(path)).toMatchObject(NOTHING);
  });

  it("is the same to the token of a gateway that it does not believe", async () => {
    const { agent, config, gateway } = await anAgent();
    expect(await gateway.get("sessions")).toMatchObject({ status: 200 });
    expect(await new GatewayClient(agent.url, aGatewaySigner()).get("sessions")).toMatchObject(
      NOTHING,
    );
    await agent.writeConfig({ ...config, gateway: undefined });
    await expect.poll(() => gateway.get("sessions")).toMatchObject(NOTHING);
  });

  it("answers each operation only with the verb that it wants", async () => {
    const { agent, gateway } = await anAgent();
    const { id } = await aSession(agent, "hello");
    const wanted = [
      ["GET", "sessions", "sessions:get", 200],
      ["GET", `sessions/${id}`, "sessions:get", 200],
      ["POST", `sessions/${id}/fork`, "sessions:create", 201],
      // Without arguments.
      ["POST", "tools/weather/call", "toolcalls:create", 400],
      ["GET", "replica", "replica:get", 200],
      ["DELETE", `sessions/${id}`, "sessions:delete", 204],
    ] as const;
    for (const [method, path, verb] of wanted) {
      const others = GATEWAY_VERBS.filter((each) => each !== verb);
      expect(await gateway.as({ verbs: others }).request(method, path)).toMatchObject(NOTHING);
    }
    for (const [method, path, verb, status] of wanted) {
      expect(await gateway.as({ verbs: [verb] }).request(method, path)).toMatchObject({ status });
    }
  });
});

describe.each([
  ["in memory", OVER_MEMORY],
  ["on Redis", OVER_REDIS],
])("the sessions of an agent %s", (_says, session) => {
  it("are listed, told in full, forked and deleted", async () => {
    const { agent, gateway } = await anAgent({ config: { session }, replica: "helper-1" });
    const { id, turnId } = await aSession(agent, "hello there");
    const { status, body } = await gateway.get("sessions");
    expect(status).toBe(200);
    expect(body.next).toBeUndefined();
    const listed = body.items.find((each: { id: string }) => each.id === id);
    expect(sessionViewSchema.strict().parse(listed)).toMatchObject({
      title: "hello there",
      turns: 1,
      state: "idle",
      own: true,
    });

    const told = await gateway.get(`sessions/${id}`);
    expect(sessionTimelineSchema.strict().parse(told.body)).toMatchObject({
      session: { id, turns: 1 },
      messages: [
        { role: "user", turnId, content: "hello there" },
        { role: "assistant", turnId, content: "hello there" },
      ],
      turns: [{ turnId, finishReason: "stop", replicas: ["helper-1"] }],
      lastSeq: 1,
    });

    const forked = await gateway.request("POST", `sessions/${id}/fork`, {
      body: { afterTurn: turnId },
    });
    expect(forked.status).toBe(201);
    const copy = await agent.connect(`/?session_id=${forked.body.id}`);
    expect(await copy.nextOf("connected")).toMatchObject({ resumed: true });

    expect(await gateway.request("DELETE", `sessions/${id}`)).toMatchObject({ status: 204 });
    expect(await gateway.get(`sessions/${id}`)).toMatchObject({
      status: 404,
      body: { error: { code: "NotFound", message: `the agent has no session ${id}` } },
    });
    expect(await gateway.request("DELETE", `sessions/${id}`)).toMatchObject({ status: 404 });
    expect((await gateway.get(`sessions/${forked.body.id}`)).body.messages).toHaveLength(2);
  });

  it("are given page by page", async () => {
    const { agent, gateway } = await anAgent({
      config: { session, agent: { namespace: "team", name: "paged" } },
    });
    const asked = gateway.as({ agent: "team/paged" });
    const ids: string[] = [];
    for (const content of ["one", "two", "three"]) ids.push((await aSession(agent, content)).id);
    const seen: string[] = [];
    let after = "";
    do {
      const { body } = await asked.get(`sessions?limit=1&after=${encodeURIComponent(after)}`);
      seen.push(...body.items.map((each: { id: string }) => each.id));
      after = body.next ?? "";
    } while (after !== "");
    expect(seen).toEqual(ids.toReversed());
  });
});

describe("the owner of a session", () => {
  it("is the caller that the gateway names, in chats and in forks", async () => {
    const { agent, gateway } = await anAgent();
    const ann = gateway.as({ subject: "ann" });
    const bob = gateway.as({ subject: "bob" });
    const { id } = await aSession(agent, "of ann", ann.headers);
    const anyones = await aSession(agent, "of anyone");

    const owns = async (caller: GatewayClient, session: string) =>
      (await caller.get(`sessions/${session}`)).body.session;
    expect(await owns(ann, id)).toMatchObject({ own: true, subject: "ann" });
    expect(await owns(bob, id)).toMatchObject({ own: false });
    expect(await owns(bob, id)).not.toHaveProperty("subject");
    expect(await owns(gateway, anyones.id)).toMatchObject({ own: true });
    expect(await owns(ann, anyones.id)).toMatchObject({ own: false });

    const resumes = async (session: string, caller?: GatewayClient) => {
      const headers = caller?.headers ?? {};
      const client = await agent.connect(`/?session_id=${session}`, { headers });
      return await client.next();
    };
    expect(await resumes(id, ann)).toMatchObject({ type: "connected", resumed: true });
    const unknown = { type: "error", error: { code: "SESSION_NOT_FOUND" } };
    expect(await resumes(id, bob)).toMatchObject(unknown);
    expect(await resumes(id)).toMatchObject(unknown);
    expect(await resumes(anyones.id)).toMatchObject({ resumed: true });

    const { body } = await bob.request("POST", `sessions/${id}/fork`);
    expect(await owns(bob, body.id)).toMatchObject({ own: true, subject: "bob" });
    expect(await resumes(body.id, bob)).toMatchObject({ resumed: true });
    expect(await resumes(body.id, ann)).toMatchObject(unknown);
  });

  it("is never nobody: a caller without a name forks no session of an agent whose clients have names", async () => {
    const facade = { port: 0, auth: { apiKeysFolder: "secrets/keys" } };
    const { agent, gateway } = await anAgent({
      config: { facade },
      files: { "secrets/keys/own": "key" },
    });
    const { id } = await aSession(agent, "hello", { "x-api-key": "key" });
    expect((await gateway.get("sessions")).body.items).toMatchObject([{ id, own: false }]);
    expect(await gateway.request("POST", `sessions/${id}/fork`)).toMatchObject({ status: 409 });
    const { status } = await gateway.as({ subject: "ann" }).request("POST", `sessions/${id}/fork`);
    expect(status).toBe(201);
  });
});

describe("a client that a gateway lets in", () => {
  it("is closed with 4401 when what it was let in with ends, and when the gateway is believed no more", async () => {
    const { agent, config, gateway } = await anAgent();
    const soon = gateway.as({ subject: "ann", subjectEndsAt: Date.now() + 200 });
    const short = await agent.connect("/", { headers: soon.headers });
    expect(await short.closed).toMatchObject({ code: 4401 });
    const { headers } = gateway.as({ subject: "ann" });
    const long = await agent.connect("/", { headers });
    const plain = await agent.connect("/");
    await agent.writeConfig({ ...config, gateway: undefined });
    expect(await long.closed).toMatchObject({ code: 4401 });
    expect(plain.socket.readyState).toBe(plain.socket.OPEN);
    await expect(agent.connect("/", { headers })).rejects.toThrow("401");
  });
});

describe("a replica", () => {
  it("says what it does", async () => {
    const { agent, gateway } = await anAgent({ replica: "helper-1", version: "1.2.3" });
    await aSession(agent, "hello");
    const client = await agent.connect("/");
    await client.nextOf("connected");
    const { body } = await gateway.get("replica");
    expect(replicaFactsSchema.strict().parse(body)).toMatchObject({
      name: "helper-1",
      version: "1.2.3",
      turns: 0,
      sessions: 1,
    });
    expect(body.connections).toBeGreaterThan(0);
    expect(Date.parse(body.startedAt)).toBeLessThanOrEqual(Date.now());
  });
});

describe("a request that is not well", () => {
  it.each<[string, string, string, unknown, number, string]>([
    ["a limit that is none", "GET", "sessions?limit=many", undefined, 400, "limit"],
    ["a limit of zero", "GET", "sessions?limit=0", undefined, 400, "limit"],
    ["a state that is none", "GET", "sessions?state=well", undefined, 400, "state"],
    ["a cursor that is none", "GET", "sessions?after=%00", undefined, 400, "after"],
    ["an id that is none", "GET", "sessions/a%2Fb", undefined, 404, "WebSocket"],
    ["a broken escape", "GET", "sessions/%E0%A4%A", undefined, 404, "WebSocket"],
    ["a path above it", "GET", "sessions/..%2f..%2fsecrets", undefined, 404, "WebSocket"],
    ["another method", "PUT", "sessions", undefined, 405, "GET"],
    ["a method of an operation beside it", "POST", "sessions/x", undefined, 405, "GET and DELETE"],
    ["a body that is no JSON", "POST", "sessions/x/fork", "{", 400, "no JSON"],
    ["a body that is a list", "POST", "sessions/x/fork", "[]", 400, "the body"],
    ["a field that is not known", "POST", "sessions/x/fork", { turn: "1" }, 400, "turn"],
    [
      "a body that is nested",
      "POST",
      "sessions/x/fork",
      "[".repeat(500) + "]".repeat(500),
      400,
      "deep",
    ],
    ["a body that is large", "POST", "sessions/x/fork", `"${"x".repeat(2 ** 20)}"`, 413, "bytes"],
    ["a session that is not there", "POST", "sessions/x/fork", {}, 404, "no session x"],
  ])("is refused: %s", async (_says, method, path, body, status, says) => {
    const { gateway } = await anAgent();
    const answer = await gateway.request(method, path, { body });
    expect(answer.status).toBe(status);
    expect(answer.body.error.message).toContain(says);
  });
});
