import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text as readText } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { anApi, CALLER, callersWho } from "../../../../test/support/builders/an-api.ts";
import { aResourceSource } from "../../../../test/support/builders/a-resource-source.ts";
import { anAgentRuntime } from "../../../../test/support/builders/resources.ts";
import type { SessionView } from "../../../http-api/session-views.ts";
import type { Action } from "../../caller.ts";
import type { Endpoint, Route } from "../../choose-replica.ts";

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly body: string;
}

type Answer = (asked: Asked) => { status: number; body?: unknown } | "hang up" | "wait";

const NO_SESSION = {
  status: 404,
  body: { error: { code: "NotFound", message: "there is no session s-1" } },
} as const;
const AGENT = "/agents/agents/support";
const PREFIX = "/api/v1alpha1";

/** A replica that answers as the function says, and what it was asked. */
async function aReplica(answer: Answer): Promise<{ endpoint: Endpoint; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    void readText(request).then((body) => {
      const { method, url, headers } = request;
      const one = { method, url, token: headers["x-omnia-gateway-token"] as string, body };
      asked.push(one);
      const given = answer(one);
      if (given === "hang up") response.destroy();
      else if (given !== "wait") {
        response.writeHead(given.status, { "content-type": "application/json" });
        response.end(given.body === undefined ? "" : JSON.stringify(given.body));
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { endpoint: { id: String(port), host: "127.0.0.1", port }, asked };
}

async function anAgent(
  store: "memory" | "redis",
  answers: readonly Answer[],
  may: (action: Action) => boolean = () => true,
) {
  const replicas = await Promise.all(answers.map(aReplica));
  const session = store === "redis" ? { type: "redis", storeRef: { name: "s", key: "k" } } : {};
  const api = anApi({
    source: aResourceSource([anAgentRuntime({ spec: { session } })]),
    callers: callersWho(may),
    signRequest: ({ agent, subject, verbs }) => [agent, subject, ...verbs].join(" "),
    route: {
      status: "ready",
      endpoints: replicas.map(({ endpoint }) => endpoint),
      affinity: "none",
      allowedOrigins: [],
    },
  });
  return { ...api, asked: replicas.map(({ asked }) => asked) };
}

function aSession(id: string, lastActiveAt: string): SessionView {
  return {
    id,
    title: "Hello",
    createdAt: "2026-03-01T12:00:00.000Z",
    lastActiveAt,
    expiresAt: "2026-03-01T14:00:00.000Z",
    turns: 1,
    toolCalls: 0,
    inputTokens: 0,
    outputTokens: 0,
    state: "idle",
  };
}

function aTimeline(id: string) {
  const session = aSession(id, "2026-03-01T12:00:00.000Z");
  return { session, messages: [], turns: [], lastSeq: 0, keptAfter: 0 };
}

const pageOf = (...minutes: number[]) => ({
  status: 200,
  body: {
    items: minutes.map((minute) => aSession(`s-${minute}`, `2026-03-01T12:0${minute}:00.000Z`)),
  },
});

describe("the sessions of an agent", () => {
  it("that keeps them in memory are those of all its replicas, newest first", async () => {
    const { json, asked } = await anAgent("memory", [() => pageOf(5, 2), () => pageOf(4, 1)]);
    const { status, body } = await json(`${AGENT}/sessions?state=idle&version=abc&limit=3`, CALLER);
    const { items, next } = body as { items: SessionView[]; next: string };
    expect([status, items.map(({ id }) => id)]).toEqual([200, ["s-5", "s-4", "s-2"]]);
    expect(next).toBe(`${Date.parse("2026-03-01T12:02:00Z")}-s-2`);
    for (const [one] of asked) {
      expect(one).toMatchObject({
        url: `${PREFIX}/sessions?limit=3&state=idle&version=abc`,
        token: "agents/support jane sessions:get",
      });
    }
  });

  it("says when a replica did not answer, which alone knows its sessions", async () => {
    const { json } = await anAgent("memory", [() => pageOf(5), () => "hang up"]);
    const { status, body } = await json(`${AGENT}/sessions`, CALLER);
    expect([status, body]).toEqual([200, { ...pageOf(5).body, incomplete: true }]);
  });

  it("that keeps them in Redis are asked of one replica, and of another when that is away", async () => {
    const { json, asked } = await anAgent("redis", [
      () => "hang up",
      () => pageOf(5),
      () => pageOf(4),
    ]);
    const { body } = await json(`${AGENT}/sessions`, CALLER);
    expect(body).toEqual(pageOf(5).body);
    expect(asked.map(({ length }) => length)).toEqual([1, 1, 0]);
  });

  it("cannot be told while no replica answers", async () => {
    const { json } = await anAgent("memory", [() => "hang up"]);
    expect(await json(`${AGENT}/sessions`, CALLER)).toEqual({
      status: 503,
      body: {
        error: {
          code: "Unavailable",
          message: "no replica of agent agents/support answered: it could not be asked",
        },
      },
    });
  });

  it("cannot be told while the agent has no replica, for the reason that it gives", async () => {
    const route: Route = { status: "unavailable", reason: "SecretNotFound: x", allowedOrigins: [] };
    const source = aResourceSource([anAgentRuntime()]);
    const { json } = anApi({ source, route, signRequest: () => "" });
    const { status, body } = await json(`${AGENT}/sessions`);
    expect([status, JSON.stringify(body)]).toEqual([
      503,
      expect.stringContaining("SecretNotFound: x"),
    ]);
  });

  it.each([
    ["text", () => ({ status: 200, body: "hello" })],
    ["something else", () => ({ status: 200, body: { items: [{ id: 1 }] } })],
    ["an error of another form", () => ({ status: 500, body: { message: "secret" } })],
  ] as [string, Answer][])("are not told where the replica answers with %s", async (_, answer) => {
    const { json } = await anAgent("redis", [answer]);
    const { status, body } = await json(`${AGENT}/sessions`, CALLER);
    expect(status).toBe(503);
    expect(JSON.stringify(body)).not.toContain("secret");
  });
});

describe("a session", () => {
  const PATH = `${AGENT}/sessions/s-1`;

  it("in the memory of a replica is found on the one that has it", async () => {
    const timeline = aTimeline("s-1");
    const { json, asked } = await anAgent("memory", [
      () => NO_SESSION,
      () => ({ status: 200, body: timeline }),
    ]);
    expect(await json(PATH, CALLER)).toEqual({ status: 200, body: timeline });
    expect(asked[1]).toMatchObject([{ method: "GET", url: `${PREFIX}/sessions/s-1` }]);
  });

  it("is asked for from a turn on", async () => {
    const { json, asked } = await anAgent("memory", [
      () => ({ status: 200, body: aTimeline("s-1") }),
    ]);
    expect((await json(`${PATH}?since=a%26b`, CALLER)).status).toBe(200);
    expect((await json(`${PATH}?since=`, CALLER)).status).toBe(200);
    expect((await json(`${PATH}?since=${"a".repeat(257)}`, CALLER)).status).toBe(400);
    expect(asked[0]?.map(({ url }) => url)).toEqual([
      `${PREFIX}/sessions/s-1?since=a%26b`,
      `${PREFIX}/sessions/s-1`,
    ]);
  });

  it("that no replica has is not there, unless one that may have it did not answer", async () => {
    const gone = await anAgent("memory", [() => NO_SESSION, () => NO_SESSION]);
    expect(await gone.json(PATH, CALLER)).toEqual(NO_SESSION);
    const unsure = await anAgent("memory", [() => NO_SESSION, () => "hang up"]);
    expect((await unsure.json(PATH, CALLER)).status).toBe(503);
  });

  it("is deleted where it is", async () => {
    const { write, asked } = await anAgent("memory", [() => ({ status: 204 }), () => NO_SESSION]);
    expect(await write("DELETE", PATH, undefined, CALLER)).toEqual({
      status: 204,
      body: undefined,
    });
    expect(asked[0]).toMatchObject([
      { method: "DELETE", token: "agents/support jane sessions:delete" },
    ]);
  });

  it("is forked with what was asked for", async () => {
    const { write, asked } = await anAgent("redis", [() => ({ status: 200, body: { id: "s-2" } })]);
    const answer = await write("POST", `${PATH}/fork`, { afterTurn: "t-1" }, CALLER);
    expect(answer).toEqual({ status: 200, body: { id: "s-2" } });
    expect(asked[0]).toMatchObject([
      { url: `${PREFIX}/sessions/s-1/fork`, body: '{"afterTurn":"t-1"}' },
    ]);
  });

  it("is not forked twice where the replica ended without an answer", async () => {
    const { write, asked } = await anAgent("redis", [
      () => "hang up",
      () => ({ status: 200, body: { id: "s-2" } }),
    ]);
    expect((await write("POST", `${PATH}/fork`, {}, CALLER)).status).toBe(503);
    expect(asked.map(({ length }) => length)).toEqual([1, 0]);
  });

  it("is told in the words of the agent why it cannot be", async () => {
    const error = { code: "Conflict", message: "a turn runs in it", cure: "wait" };
    const { write } = await anAgent("redis", [() => ({ status: 409, body: { error } })]);
    expect(await write("POST", `${PATH}/fork`, {}, CALLER)).toEqual({
      status: 409,
      body: { error },
    });
  });

  it.each([
    ["DELETE", PATH, undefined, "delete", "sessions"],
    ["POST", `${PATH}/fork`, {}, "create", "sessions"],
    ["GET", PATH, undefined, "get", "sessions"],
    ["GET", `${AGENT}/sessions`, undefined, "get", "sessions"],
    ["POST", `${AGENT}/tools/t/call`, { arguments: {} }, "create", "toolcalls"],
  ])(
    "%s %s is refused with the right that the caller lacks, and no agent is asked",
    async (method, path, body, verb, subresource) => {
      const { write, asked } = await anAgent(
        "memory",
        [() => NO_SESSION],
        (action) => action.subresource === undefined,
      );
      expect(await write(method, path, body, CALLER)).toEqual({
        status: 403,
        body: {
          error: {
            code: "Forbidden",
            message: `you may not ${verb} agentruntimes/${subresource} in namespace agents`,
            cure: `kubectl auth can-i ${verb} agentruntimes.omnia.altairalabs.ai --subresource=${subresource} -n agents`,
          },
        },
      });
      expect(asked).toEqual([[]]);
    },
  );

  it("of an agent that the caller may not see is as that of an agent that is not there", async () => {
    const { json } = await anAgent(
      "memory",
      [() => NO_SESSION],
      (action) => action.subresource !== undefined,
    );
    const there = await json(PATH, CALLER);
    const nowhere = await json("/agents/agents/nobody/sessions/s-1", CALLER);
    expect(there.status).toBe(404);
    expect(JSON.stringify(there).replace("support", "nobody")).toBe(JSON.stringify(nowhere));
  });

  it.each(["..%2F..%2Fetc", "a%00b", "%FF", "a b", "x".repeat(257), "%2e%2e%2f"])(
    "of the id %s is not asked for",
    async (id) => {
      const { json, asked } = await anAgent("memory", [() => NO_SESSION]);
      expect((await json(`${AGENT}/sessions/${id}`, CALLER)).status).toBe(400);
      expect(asked).toEqual([[]]);
    },
  );
});

describe("a call of a tool by hand", () => {
  const PATH = `${AGENT}/tools/${encodeURIComponent("files/read it?")}/call`;
  const RESULT = { result: { ok: true }, ms: 12, replica: "replica-1" };

  it("is made by one replica, under the name of the caller", async () => {
    const { write, asked } = await anAgent("memory", [() => ({ status: 200, body: RESULT })]);
    const body = { arguments: { city: "Berlin" }, reason: "to try it" };
    expect(await write("POST", PATH, body, CALLER)).toEqual({ status: 200, body: RESULT });
    expect(asked[0]).toEqual([
      {
        method: "POST",
        url: `${PREFIX}/tools/files%2Fread%20it%3F/call`,
        token: "agents/support jane toolcalls:create",
        body: JSON.stringify(body),
      },
    ]);
  });

  it.each([
    ["no arguments", "{}"],
    ["arguments that are no object", '{"arguments":[]}'],
    ["a field that is unknown", '{"arguments":{},"force":true}'],
    ["no JSON", "{"],
    ["nothing", ""],
  ])("with %s is refused", async (_, body) => {
    const { request, asked } = await anAgent("memory", [() => ({ status: 200, body: RESULT })]);
    const headers = { ...CALLER, "x-omnia-request": "1", "content-type": "application/json" };
    const response = await request(PATH, { method: "POST", headers, body });
    expect([response.status, asked[0]]).toEqual([400, []]);
  });

  it.each([
    ["of another type", "text/plain", "{}", 415],
    ["larger than 1 MiB", "application/json", `{"a":"${"x".repeat(1024 * 1024)}"}`, 413],
    ["that is no UTF-8", "application/json", new Uint8Array([0x7b, 0xff, 0x7d]), 400],
  ])("with a body %s is refused", async (_, type, body, status) => {
    const { request } = await anAgent("memory", [() => ({ status: 200, body: RESULT })]);
    const headers = { ...CALLER, "x-omnia-request": "1", "content-type": type };
    const response = await request(PATH, { method: "POST", headers, body });
    expect(response.status).toBe(status);
  });

  it("ends at the replica when the caller leaves", async () => {
    const { request, asked } = await anAgent("memory", [() => "wait"]);
    const left = new AbortController();
    const answer = request(PATH, {
      method: "POST",
      headers: { ...CALLER, "x-omnia-request": "1", "content-type": "application/json" },
      body: '{"arguments":{}}',
      signal: left.signal,
    });
    await expect.poll(() => asked[0]?.length).toBe(1);
    left.abort();
    expect((await answer).status).toBeGreaterThanOrEqual(400);
  });
});
