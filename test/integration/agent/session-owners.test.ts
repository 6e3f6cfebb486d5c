/** Whose session it is, where many agents and many issuers share one Redis. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from "jose";
import { describe, expect, it, onTestFinished } from "vitest";
import type { AgentConfig } from "../../../src/agent-config/agent-config.ts";
import type { ChatClient } from "../../support/agent/chat-client.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { RedisProbe } from "../../support/redis/redis-sessions.ts";
import { startRedis } from "../../support/redis/redis.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

const redis = forAllTests(
  () => startRedis(),
  (redis) => redis[Symbol.asyncDispose](),
);
const probe = forAllTests(
  () => new RedisProbe(redis().url),
  (probe) => probe.close(),
);

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const ALICE = bearer("key-of-alice");

function anAgent(
  config: Partial<AgentConfig> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<TestAgent> {
  const session = {
    type: "redis",
    ttlMs: 3_600_000,
    storeURLFile: "secrets/session-store/url",
  } as const;
  return TestAgent.start({
    config: { session, ...config },
    files: { "secrets/session-store/url": redis().url, ...files },
  });
}

/** An agent with API keys, of which `alice` has one. */
function anAgentWithKeys(name: string): Promise<TestAgent> {
  const agent = { namespace: "team", name };
  const facade = { port: 0, auth: { apiKeysFolder: "secrets/keys" } };
  return anAgent({ agent, facade }, { "secrets/keys/alice": "key-of-alice" });
}

/** What an issuer with its own keys lets in, and a way to get a token. */
async function anIssuer() {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const key = { ...(await exportJWK(publicKey)), kid: "one", alg: "ES256" };
  const server = createServer((_, response) => response.end(JSON.stringify({ keys: [key] })));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const jwt = { issuer, jwksUri: issuer, audiences: ["omnia"], requiredClaims: {} };
  const sign = (sub: unknown) =>
    new SignJWT({ sub } as JWTPayload)
      .setProtectedHeader({ alg: "ES256", kid: "one" })
      .setIssuer(issuer)
      .setAudience("omnia")
      .setExpirationTime("5m")
      .sign(privateKey);
  return { auth: { jwt }, sign };
}

/** The shape of all that a client is answered: what is new with each session or turn is left out. */
async function answersTo(
  client: ChatClient,
  frames: readonly object[],
  count: number,
): Promise<unknown[]> {
  for (const frame of frames) client.send(frame);
  const answers: unknown[] = [];
  for (let at = 0; at < count; at++) {
    const { timestamp: _, session_id: id, ...rest } = await client.next();
    answers.push({ ...rest, turn_id: undefined, session_id: id.length });
  }
  return answers;
}

/** Whether the client gets what it gets for a session that never was, and no more. */
async function expectUnknown(agent: TestAgent, session_id: string, options = {}): Promise<void> {
  const never = `${"x".repeat(session_id.length - 1)}${session_id.at(-1) === "x" ? "y" : "x"}`;
  const asked = await Promise.all(
    [session_id, never].map(async (id) => {
      const opened = await agent.connect(`/?session_id=${id}`, options);
      const atOnce = [await opened.next(), await opened.next()].map(({ type }) => type);
      const client = await agent.connect("/", options);
      const frames = [
        { type: "resume", session_id: id, after: 0 },
        { type: "cancel", session_id: id },
        { type: "message", session_id: id, content: "what was said here?" },
        { type: "message", session_id: id, content: "again", id: "message-1" },
      ];
      return { atOnce, answers: await answersTo(client, frames, 6) };
    }),
  );
  expect(asked[0]).toEqual(asked[1]);
  expect(asked[0]?.answers).toMatchObject([
    { type: "connected" },
    { type: "error", error: { code: "SESSION_NOT_FOUND" } },
    { type: "connected", resumed: false, seq: 0 },
    { type: "done", content: "what was said here?" },
    { type: "connected", resumed: false, seq: 0 },
    { type: "done", content: "again" },
  ]);
}

describe("a session on a Redis that agents share", () => {
  it("is unknown to another agent, of the same name or in the same namespace", async () => {
    const agent = await anAgent();
    const client = await agent.connect();
    const { session_id } = await client.ask("secret");
    await expectUnknown(
      await anAgent({ agent: { namespace: "other", name: "helper" } }),
      session_id,
    );
    await expectUnknown(await anAgent({ agent: { namespace: "team", name: "other" } }), session_id);

    const replica = await anAgent();
    const again = await replica.connect(`/?session_id=${session_id}`);
    expect(await again.next()).toMatchObject({ type: "connected", resumed: true, seq: 1 });
  });

  it("is unknown to the client of the same name of another agent's keys", async () => {
    const first = await anAgentWithKeys("first");
    const { session_id } = await (await first.connect("/", ALICE)).ask("secret");
    await expectUnknown(await anAgentWithKeys("second"), session_id, ALICE);
    const again = await first.connect(`/?session_id=${session_id}`, ALICE);
    expect(await again.next()).toMatchObject({ type: "connected", resumed: true });
  });

  it("is unknown to the same subject of another issuer, and to a key of that name", async () => {
    const [one, two] = [await anIssuer(), await anIssuer()];
    const first = await anAgent({ facade: { port: 0, auth: one.auth } });
    const alice = bearer(await one.sign("alice"));
    const { session_id } = await (await first.connect("/", alice)).ask("secret");

    const second = await anAgent({ facade: { port: 0, auth: two.auth } });
    await expectUnknown(second, session_id, bearer(await two.sign("alice")));
    await expectUnknown(await anAgentWithKeys("helper"), session_id, ALICE);
    await expectUnknown(await anAgent(), session_id);

    const again = await first.connect(`/?session_id=${session_id}`, alice);
    expect(await again.next()).toMatchObject({ type: "connected", resumed: true });
  });

  it("that a version before left is unknown, whoever asks", async () => {
    const session_id = "a-session-of-a-version-before";
    const fields = "turn,,owner,,claim,,seq,1,fence,1,lease,0,before,0,bytes,0,kept,0,cursor,0";
    const hash = [...fields.split(","), "messages", "2", "cancel", "0"];
    await probe().command("HSET", `omnia:{${session_id}}:session`, ...hash);
    await expectUnknown(await anAgent(), session_id);
    await probe().command("HSET", `omnia:{${session_id}}:session`, "subject", "api-key:alice");
    await expectUnknown(await anAgentWithKeys("helper"), session_id, ALICE);
  });
});

describe("a token", () => {
  it.each(["", 7, null, ["alice"], {}, undefined])(
    "whose subject is %j lets nobody in",
    async (sub) => {
      const { auth, sign } = await anIssuer();
      const agent = await anAgent({ facade: { port: 0, auth } });
      await expect(agent.connect("/", bearer(await sign(sub)))).rejects.toThrow("401");
    },
  );
});
