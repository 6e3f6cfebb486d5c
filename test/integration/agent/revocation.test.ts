import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AgentConfig } from "../../../src/agent-config/agent-config.ts";
import { ManualClock } from "../../support/builders/manual-clock.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { TestIssuer } from "../../support/agent/test-issuer.ts";

type Auth = AgentConfig["facade"]["auth"];

const REVOKED = { code: 4401, reason: "the credential is no longer accepted" };
const withAuth = (auth: Auth): Partial<AgentConfig> => ({ facade: { port: 0, auth } });
const byKeys = withAuth({ apiKeysFolder: "secrets/api-keys" });
const key = (value: string) => ({ headers: { "x-api-key": value } });
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

function anAgentWithKeys(more: Partial<AgentConfig> = {}): Promise<TestAgent> {
  return TestAgent.start({
    config: { ...byKeys, ...more },
    files: {
      "secrets/api-keys/web": "key-of-the-web-client",
      "secrets/api-keys/batch": "key-of-the-batch-client",
    },
  });
}

describe("an API key that is taken away", () => {
  it("ends the connections of its client, and no others", async () => {
    const agent = await anAgentWithKeys();
    const web = await agent.connect("/", key("key-of-the-web-client"));
    const batch = await agent.connect("/", key("key-of-the-batch-client"));
    await web.ask("hello");
    await rm(join(dirname(agent.configPath), "secrets/api-keys/web"));
    expect(await web.closed).toEqual(REVOKED);
    expect(await batch.ask("hello")).toMatchObject({ content: "hello" });
    await expect(agent.connect("/", key("key-of-the-web-client"))).rejects.toThrow("401");
  });

  it("ends them too when it is changed for another", async () => {
    const agent = await anAgentWithKeys();
    const web = await agent.connect("/", key("key-of-the-web-client"));
    await web.next();
    await agent.writeFile("secrets/api-keys/web", "another-key");
    expect(await web.closed).toEqual(REVOKED);
  });

  it("ends them too when it is another client's from now on", async () => {
    const agent = await anAgentWithKeys();
    const web = await agent.connect("/", key("key-of-the-web-client"));
    await web.next();
    await agent.writeFile("secrets/api-keys/other", "key-of-the-web-client");
    await rm(join(dirname(agent.configPath), "secrets/api-keys/web"));
    expect(await web.closed).toEqual(REVOKED);
  });

  it("ends them too when it is in another Secret from now on, whose clients are others", async () => {
    const agent = await anAgentWithKeys();
    const web = await agent.connect("/", key("key-of-the-web-client"));
    const { session_id } = await web.ask("hello");
    await agent.writeConfig(
      withAuth({ apiKeysFolder: "secrets/api-keys", apiKeysSecret: "others" }),
    );
    expect(await web.closed).toEqual(REVOKED);
    const other = await agent.connect(`/?session_id=${session_id}`, key("key-of-the-web-client"));
    expect(await other.next()).toMatchObject({ error: { code: "SESSION_NOT_FOUND" } });
  });

  it("ends them too when all keys are gone with their folder", async () => {
    const agent = await anAgentWithKeys();
    const web = await agent.connect("/", key("key-of-the-web-client"));
    await web.next();
    await rm(join(dirname(agent.configPath), "secrets/api-keys"), { recursive: true });
    expect(await web.closed).toEqual(REVOKED);
  });

  it("does not end the turn that runs, whose frames its client is not sent any more", async () => {
    const agent = await TestAgent.start({
      config: { ...byKeys, handler: "demo" },
      files: { "secrets/api-keys/web": "one" },
      // The demo pauses between its frames.
      env: {},
    });
    const client = await agent.connect("/", key("one"));
    client.say("What is the weather in Paris?");
    const { session_id, turn_id, seq } = await client.nextOf("tool_call");
    await agent.writeFile("secrets/api-keys/web", "two");
    expect(await client.closed).toEqual(REVOKED);
    expect(client.frames.some(({ type }) => type === "done")).toBe(false);
    const again = await agent.connect("/", key("two"));
    again.send({ type: "resume", session_id, after: seq });
    expect((await again.nextOf("done")).turn_id).toBe(turn_id);
  });

  it("leaves nothing of the keys in the log", async () => {
    const agent = await anAgentWithKeys();
    const web = await agent.connect("/", key("key-of-the-web-client"));
    await web.next();
    await agent.writeFile("secrets/api-keys/web", "another-key");
    await web.closed;
    const log = JSON.stringify(agent.logged);
    expect(log).toContain("Connections were closed");
    expect(log).not.toMatch(/key-of-the-web-client|another-key/);
  });
});

describe("authentication that is turned on", () => {
  it("ends the connections of those who came without it", async () => {
    const agent = await TestAgent.start({ files: { "secrets/api-keys/web": "a-key" } });
    const anybody = await agent.connect();
    await anybody.ask("hello");
    await agent.writeConfig(byKeys);
    expect(await anybody.closed).toEqual({ code: 4401, reason: "a token is needed now" });
    await expect(agent.connect()).rejects.toThrow("401");
  });

  it("and off again leaves the connections of before open", async () => {
    const agent = await anAgentWithKeys();
    const web = await agent.connect("/", key("key-of-the-web-client"));
    await web.ask("hello");
    await agent.writeConfig({});
    await expect
      .poll(() =>
        agent.connect().then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    expect(await web.ask("hello")).toMatchObject({ content: "hello" });
  });

  it("of another kind ends the connections that the kind before let in", async () => {
    const issuer = await TestIssuer.start();
    const agent = await anAgentWithKeys();
    const web = await agent.connect("/", key("key-of-the-web-client"));
    await web.ask("hello");
    const jwt = { issuer: issuer.url, audiences: ["omnia"], requiredClaims: {} };
    await agent.writeConfig(withAuth({ jwt }));
    expect(await web.closed).toEqual(REVOKED);
  });
});

describe("a token", () => {
  async function anAgentWithTokens(clock?: ManualClock) {
    const issuer = await TestIssuer.start();
    const sign = await issuer.newKey("one");
    const jwt = { issuer: issuer.url, audiences: ["omnia"], requiredClaims: {} };
    const agent = await TestAgent.start({
      config: withAuth({ jwt }),
      ...(clock === undefined ? {} : { clock }),
    });
    return { issuer, sign, jwt, agent };
  }

  it("ends its connection when it expires, a minute later as for new connections", async () => {
    const clock = new ManualClock(Date.now());
    const { agent, sign } = await anAgentWithTokens(clock);
    const exp = Math.floor(clock.now() / 1_000) + 30;
    const client = await agent.connect("/", bearer(await sign({ exp })));
    await client.ask("hello");
    await clock.advance((exp + 60) * 1_000 - 1 - clock.now());
    expect(await client.ask("hello")).toMatchObject({ content: "hello" });
    await clock.advance(1);
    expect(await client.closed).toEqual({ code: 4401, reason: "the token has expired" });
    await expect(agent.connect("/", bearer(await sign({ exp })))).rejects.toThrow("401");
  });

  it("that is good for years does not end its connection at once", async () => {
    const { agent, sign } = await anAgentWithTokens();
    const exp = Math.floor(Date.now() / 1_000) + 10 * 365 * 86_400;
    const client = await agent.connect("/", bearer(await sign({ exp })));
    expect(await client.ask("hello")).toMatchObject({ content: "hello" });
    expect(await client.ask("hello")).toMatchObject({ content: "hello" });
  });

  it.each([
    ["audience", { audiences: ["other"] }],
    ["claims", { requiredClaims: { tenant: "acme" } }],
    ["issuer", { issuer: "http://127.0.0.1:1" }],
  ])("ends its connection when another %s is asked for", async (_, change) => {
    const { agent, sign, jwt } = await anAgentWithTokens();
    const client = await agent.connect("/", bearer(await sign()));
    await client.ask("hello");
    await agent.writeConfig(withAuth({ jwt: { ...jwt, ...change } }));
    expect(await client.closed).toEqual(REVOKED);
  });

  it("keeps its connection when it is still what is asked for", async () => {
    const { agent, sign, jwt } = await anAgentWithTokens();
    const token = await sign({ tenant: ["acme", "other"] });
    const client = await agent.connect("/", bearer(token));
    const stranger = await agent.connect("/", bearer(await sign()));
    await client.ask("hello");
    await agent.writeConfig(
      withAuth({
        jwt: { ...jwt, audiences: ["more", "omnia"], requiredClaims: { tenant: "acme" } },
      }),
    );
    expect(await stranger.closed).toEqual(REVOKED);
    expect(await client.ask("hello")).toMatchObject({ content: "hello" });
  });

  it("ends its connection when keys of another are asked for", async () => {
    const { agent, sign, jwt } = await anAgentWithTokens();
    const other = await TestIssuer.start();
    await other.newKey("one");
    const client = await agent.connect("/", bearer(await sign()));
    await client.ask("hello");
    await agent.writeConfig(withAuth({ jwt: { ...jwt, jwksUri: `${other.url}/keys` } }));
    expect(await client.closed).toEqual(REVOKED);
  });

  it("ends its connection once its key is seen to be published no more", async () => {
    const clock = new ManualClock(Date.now());
    const { agent, issuer, sign } = await anAgentWithTokens(clock);
    const exp = Math.floor(clock.now() / 1_000) + 86_400;
    const client = await agent.connect("/", bearer(await sign({ exp })));
    await client.ask("hello");
    issuer.keys.length = 0;
    const signAnew = await issuer.newKey("two");
    const kept = await agent.connect("/", bearer(await signAnew({ exp })));
    await kept.ask("hello");
    expect(issuer.fetches).toBe(2);
    await clock.advance(10_000);
    expect(await client.closed).toEqual(REVOKED);
    expect(await kept.ask("hello")).toMatchObject({ content: "hello" });
    expect(issuer.fetches).toBe(2);
  });

  it("keeps its connection while the issuer does not answer", async () => {
    const { agent, sign, jwt } = await anAgentWithTokens();
    const client = await agent.connect("/", bearer(await sign()));
    await client.ask("hello");
    await agent.writeConfig(withAuth({ jwt: { ...jwt, jwksUri: "http://127.0.0.1:1/keys" } }));
    await expect
      .poll(() => JSON.stringify(agent.logged))
      .toContain("The keys of open connections could not be checked again");
    expect(await client.ask("hello")).toMatchObject({ content: "hello" });
  });

  it.each([[""], [17], [null], [["alice"]]])(
    "without a name in `sub` is refused: %j",
    async (sub) => {
      const { agent, sign } = await anAgentWithTokens();
      const token = await sign({ sub });
      await expect(agent.connect("/", bearer(token))).rejects.toThrow("401");
    },
  );
});
