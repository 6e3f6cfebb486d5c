import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  SignJWT,
  type CryptoKey,
  type JWK,
} from "jose";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { ManualClock } from "../../support/builders/manual-clock.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";

async function get(agent: TestAgent, path: string, init: RequestInit = {}) {
  const response = await fetch(`http://127.0.0.1:${agent.running.facadePort ?? 0}${path}`, init);
  return { status: response.status, body: await response.text(), headers: response.headers };
}

/** What the server sends to these bytes. */
async function exchange(agent: TestAgent, text: string): Promise<string> {
  const socket = connect(agent.running.facadePort ?? 0, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write(text);
  let answer = "";
  for await (const data of socket) {
    answer += String(data);
    if (answer.includes("\r\n\r\n")) break;
  }
  return answer;
}

describe("the facade's port", () => {
  it("answers plain requests as what they are", async () => {
    const agent = await TestAgent.start();
    const plain = await get(agent, "/");
    expect(plain).toMatchObject({ status: 426 });
    expect(plain.headers.get("upgrade")).toBe("websocket");
    expect(JSON.parse(plain.body)).toMatchObject({ error: { code: "UpgradeRequired" } });
    expect(await get(agent, "/ws?agent=helper")).toMatchObject({ status: 426 });
    expect(await get(agent, "/other")).toMatchObject({ status: 404 });
    expect(await get(agent, "/metrics")).toMatchObject({ status: 404 });
    expect(await get(agent, "/", { method: "POST", body: "x" })).toMatchObject({ status: 405 });
    expect(await get(agent, "/", { method: "HEAD" })).toMatchObject({ status: 426, body: "" });
  });

  it("takes an upgrade to something else for the plain request that it also is", async () => {
    const agent = await TestAgent.start();
    const answer = await exchange(
      agent,
      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 426 /);
  });

  it("refuses a handshake that is none", async () => {
    const agent = await TestAgent.start();
    const head =
      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
    expect(await exchange(agent, `${head}\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
    expect(await exchange(agent, `${head}Sec-WebSocket-Key: short\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 400 /,
    );
  });

  it.each([
    "/other",
    "//ws",
    "/ws/",
    "/?agent=other",
    "/ws?agent=helper&namespace=default",
    "/?agent=helper&agent=other",
  ])("refuses a connection to %s with 404", async (path) => {
    const agent = await TestAgent.start();
    await expect(agent.connect(path)).rejects.toThrow("404");
  });

  it("has no config, and so no connections, until there is one", async () => {
    const agent = await TestAgent.start({ withoutConfig: true, facadePort: 0 });
    await expect(agent.connect()).rejects.toThrow("503");
  });
});

describe("a page", () => {
  const named = { allowedOrigins: ["https://console.example"] };

  it.each([
    [undefined, {}],
    ["http://localhost:3000", {}],
    ["https://console.example", named],
    ["https://anywhere.example", { allowedOrigins: ["*"] }],
  ])("of %s may connect under %j", async (origin, facade) => {
    const agent = await TestAgent.start({ config: { facade: { port: 0, ...facade } } });
    const client = await agent.connect("/", origin === undefined ? {} : { origin });
    expect(await client.next()).toMatchObject({ type: "connected" });
  });

  it.each([
    ["https://elsewhere.example", {}],
    ["null", {}],
    ["https://console.example.evil", named],
    ["http://console.example", named],
  ])("of %s may not connect under %j", async (origin, facade) => {
    const agent = await TestAgent.start({ config: { facade: { port: 0, ...facade } } });
    await expect(agent.connect("/", { origin })).rejects.toThrow("403");
  });

  it("of the visitor's own machine may not connect to an agent that listens everywhere", async () => {
    const agent = await TestAgent.start({ host: undefined });
    const headers = { host: "agents.example" };
    const origin = "http://localhost:3000";
    await expect(agent.connect("/", { headers, origin })).rejects.toThrow("403");
    expect(await (await agent.connect("/", { headers })).next()).toMatchObject({
      type: "connected",
    });
  });

  it("cannot reach an agent on this machine under a name of its own", async () => {
    const agent = await TestAgent.start();
    const headers = { host: "rebound.example", origin: "http://rebound.example" };
    await expect(agent.connect("/", { headers })).rejects.toThrow("403");
    // A gateway has judged this one.
    const forwarded = { ...headers, "x-forwarded-host": "rebound.example" };
    expect(await (await agent.connect("/", { headers: forwarded })).next()).toMatchObject({
      type: "connected",
    });
  });
});

describe("API keys", () => {
  const withKeys = {
    config: { facade: { port: 0, auth: { apiKeysFolder: "secrets/api-keys" } } },
    files: {
      "secrets/api-keys/web": "key-of-the-web-client\n",
      "secrets/api-keys/batch": "key-of-the-batch-client",
      "secrets/api-keys/empty": "\n",
      "secrets/api-keys/..hidden": "not-a-key",
    },
  };

  it.each([
    ["Authorization", { headers: { authorization: "Bearer key-of-the-web-client" } }],
    ["X-API-Key", { headers: { "x-api-key": "key-of-the-web-client" } }],
    ["a subprotocol", { protocols: ["bearer.key-of-the-web-client"] }],
  ])("let a client in by %s", async (_, options) => {
    const agent = await TestAgent.start(withKeys);
    const client = await agent.connect("/", options);
    expect(await client.ask("hello")).toMatchObject({ content: "hello" });
  });

  it("select the subprotocol that is no token, when there is one", async () => {
    const agent = await TestAgent.start(withKeys);
    const token = "bearer.key-of-the-web-client";
    expect((await agent.connect("/", { protocols: [token] })).socket.protocol).toBe(token);
    expect((await agent.connect("/", { protocols: [token, "omnia"] })).socket.protocol).toBe(
      "omnia",
    );
  });

  it.each([
    ["nothing", {}],
    ["another key", { headers: { authorization: "Bearer nobody" } }],
    ["part of a key", { headers: { authorization: "Bearer key-of-the-web" } }],
    ["an empty key", { headers: { "x-api-key": "" } }],
    ["what is no key file", { headers: { "x-api-key": "not-a-key" } }],
    ["another scheme", { headers: { authorization: "Basic key-of-the-web-client" } }],
  ])("refuse %s with 401", async (_, options) => {
    const agent = await TestAgent.start(withKeys);
    await expect(agent.connect("/", options)).rejects.toThrow("401");
  });

  it("keep the sessions of one client from the others", async () => {
    const agent = await TestAgent.start(withKeys);
    const web = await agent.connect("/", { headers: { "x-api-key": "key-of-the-web-client" } });
    const { session_id } = await web.ask("secret");
    const batch = await agent.connect("/", { headers: { "x-api-key": "key-of-the-batch-client" } });
    await batch.nextOf("connected");
    batch.send({ type: "resume", session_id, after: 0 });
    expect(await batch.nextOf("error")).toMatchObject({ error: { code: "SESSION_NOT_FOUND" } });
    batch.send({ type: "cancel", session_id });
    batch.say("hello", { session_id });
    expect((await batch.nextOf("done")).session_id).not.toBe(session_id);
    const again = await agent.connect(`/?session_id=${session_id}`, {
      headers: { "x-api-key": "key-of-the-web-client" },
    });
    expect(await again.next()).toMatchObject({ type: "connected", resumed: true });
  });

  it("let nobody in when authentication is asked for and there is nothing to check by", async () => {
    const agent = await TestAgent.start({ config: { facade: { port: 0, auth: {} } } });
    await expect(agent.connect("/", { headers: { "x-api-key": "any" } })).rejects.toThrow("401");
  });

  it("that cannot be read let nobody in, and say to come back", async () => {
    const agent = await TestAgent.start({ config: withKeys.config });
    await expect(agent.connect("/", { headers: { "x-api-key": "any" } })).rejects.toThrow("503");
  });
});

describe("JSON web tokens", () => {
  async function anIssuer() {
    const keys: JWK[] = [];
    let discovered = 0;
    let fetched = 0;
    const server = createServer((request, response) => {
      const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      if (request.url === "/keys") {
        fetched++;
        response.end(JSON.stringify({ keys }));
      } else if (request.url === "/.well-known/openid-configuration") {
        discovered++;
        response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }));
      } else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const newKey = async (kid: string) => {
      const { privateKey, publicKey } = await generateKeyPair("ES256");
      keys.push({ ...(await exportJWK(publicKey)), kid, alg: "ES256" });
      return (claims: Record<string, unknown> = {}, times: { exp?: string; nbf?: string } = {}) => {
        const token = new SignJWT({ tenant: "acme", ...claims }).setProtectedHeader({
          alg: "ES256",
          kid,
        });
        token.setIssuer((claims["iss"] as string | undefined) ?? issuer);
        token.setAudience((claims["aud"] as string | undefined) ?? "omnia");
        token.setSubject((claims["sub"] as string | undefined) ?? "alice");
        if (times.nbf !== undefined) token.setNotBefore(times.nbf);
        return token.setExpirationTime(times.exp ?? "5m").sign(privateKey);
      };
    };
    return {
      issuer,
      newKey,
      /** What the issuer publishes from now on. */
      keys,
      discoveries: () => discovered,
      fetches: () => fetched,
    };
  }

  async function anAgentFor(issuer: string, more: { jwksUri?: string } = {}): Promise<TestAgent> {
    const jwt = {
      issuer,
      audiences: ["omnia", "other"],
      requiredClaims: { tenant: "acme" },
      ...more,
    };
    return TestAgent.start({ config: { facade: { port: 0, auth: { jwt } } } });
  }

  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

  it("of the issuer let a client in, whose keys are found by discovery and once", async () => {
    const { issuer, newKey, discoveries } = await anIssuer();
    const sign = await newKey("one");
    const agent = await anAgentFor(issuer);
    const client = await agent.connect("/", bearer(await sign()));
    expect(await client.ask("hello")).toMatchObject({ content: "hello" });
    await agent.connect("/", { protocols: [`bearer.${await sign()}`] });
    expect(discoveries()).toBe(1);
  });

  it("may be a minute off", async () => {
    const { issuer, newKey } = await anIssuer();
    const sign = await newKey("one");
    const agent = await anAgentFor(issuer);
    await agent.connect("/", bearer(await sign({}, { exp: "-30s" })));
    await agent.connect("/", bearer(await sign({}, { nbf: "30s" })));
    await expect(agent.connect("/", bearer(await sign({}, { exp: "-2m" })))).rejects.toThrow("401");
    await expect(agent.connect("/", bearer(await sign({}, { nbf: "2m" })))).rejects.toThrow("401");
  });

  it("of another issuer, audience or tenant, or signed by nobody, are refused", async () => {
    const { issuer, newKey, keys } = await anIssuer();
    const sign = await newKey("one");
    const agent = await anAgentFor(issuer, { jwksUri: `${issuer}/keys` });
    const good = await sign();
    const [head = "", body = ""] = good.split(".");
    const encoded = (header: object) => Buffer.from(JSON.stringify(header)).toString("base64url");
    /** Signed by a secret: one of its own, or the public key that everybody can fetch. */
    const bySecret = (secret: string) =>
      new SignJWT({ tenant: "acme" })
        .setProtectedHeader({ alg: "HS256", kid: "one" })
        .setIssuer(issuer)
        .setAudience("omnia")
        .setSubject("alice")
        .setExpirationTime("5m")
        .sign(new TextEncoder().encode(secret));
    const publicKey = await importJWK(keys[0] as JWK, "ES256", { extractable: true });
    const [, , signature = ""] = good.split(".");
    for (const token of [
      await sign({ iss: "https://elsewhere.example" }),
      await sign({ aud: "another-service" }),
      await sign({ tenant: "evil" }),
      `${head}.${body}.`,
      `${encoded({ alg: "none" })}.${body}.`,
      `${encoded({ alg: "None", kid: "one" })}.${body}.`,
      `${encoded({ alg: "none", kid: "one" })}.${body}.${signature}`,
      `${encoded({ alg: "HS256", kid: "one" })}.${body}.${signature}`,
      await bySecret("a shared secret that is long enough"),
      await bySecret(JSON.stringify(keys[0])),
      await bySecret(await exportSPKI(publicKey as CryptoKey)),
      `${head}.${body}.${signature.slice(0, -4)}AAAA`,
      "not.a.token",
    ]) {
      await expect(agent.connect("/", bearer(token))).rejects.toThrow("401");
    }
    await agent.connect("/", bearer(good));
  });

  it("of a key that is new are let in at once, and those of a key that is gone are not for long", async () => {
    const { issuer, newKey, keys, fetches } = await anIssuer();
    const sign = await newKey("one");
    const clock = new ManualClock(Date.now());
    const jwt = { issuer, audiences: ["omnia"], requiredClaims: {} };
    const agent = await TestAgent.start({
      clock,
      config: { facade: { port: 0, auth: { jwt } } },
    });
    await agent.connect("/", bearer(await sign()));
    const signAnew = await newKey("two");
    keys.shift();
    await agent.connect("/", bearer(await signAnew()));
    expect(fetches()).toBe(2);
    await expect(agent.connect("/", bearer(await sign()))).rejects.toThrow("401");
  });

  it("of keys that nobody knows are refused, and do not keep the issuer busy", async () => {
    const { issuer, newKey, keys, fetches } = await anIssuer();
    const clock = new ManualClock(Date.now());
    const jwt = { issuer, audiences: ["omnia"], requiredClaims: {} };
    const agent = await TestAgent.start({
      clock,
      config: { facade: { port: 0, auth: { jwt } } },
    });
    const sign = await newKey("one");
    const signUnknown = await newKey("unknown");
    keys.pop();
    for (let count = 0; count < 20; count++) {
      await expect(agent.connect("/", bearer(await signUnknown()))).rejects.toThrow("401");
    }
    expect(fetches()).toBeLessThan(8);
    await agent.connect("/", bearer(await sign()));
    // By and by it is asked again.
    const before = fetches();
    await clock.advance(20_000);
    await expect(agent.connect("/", bearer(await signUnknown()))).rejects.toThrow("401");
    expect(fetches()).toBe(before + 1);
  });

  it("cannot be checked while the issuer is away", async () => {
    const { issuer, newKey } = await anIssuer();
    const sign = await newKey("one");
    const agent = await anAgentFor(issuer, { jwksUri: `${issuer}/gone` });
    await expect(agent.connect("/", bearer(await sign()))).rejects.toThrow("503");
    const nowhere = await anAgentFor("http://127.0.0.1:1");
    await expect(nowhere.connect("/", bearer(await sign()))).rejects.toThrow("503");
  });

  it("own the sessions of their subject", async () => {
    const { issuer, newKey } = await anIssuer();
    const sign = await newKey("one");
    const agent = await anAgentFor(issuer);
    const { session_id } = await (await agent.connect("/", bearer(await sign()))).ask("hello");
    const bob = await agent.connect(
      `/?session_id=${session_id}`,
      bearer(await sign({ sub: "bob" })),
    );
    expect(await bob.next()).toMatchObject({ error: { code: "SESSION_NOT_FOUND" } });
    const alice = await agent.connect(`/?session_id=${session_id}`, bearer(await sign()));
    expect(await alice.next()).toMatchObject({ type: "connected", resumed: true });
  });
});
