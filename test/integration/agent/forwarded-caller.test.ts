/** What a tool is told of the person who chats, from the connection through the model to the tool. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, it, onTestFinished } from "vitest";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";

async function anIssuer() {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const key = { ...(await exportJWK(publicKey)), kid: "one", alg: "ES256" };
  const server = createServer((_, response) => response.end(JSON.stringify({ keys: [key] })));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const jwt = { issuer, jwksUri: issuer, audiences: ["omnia"], requiredClaims: {} };
  const sign = (sub: string) =>
    new SignJWT({ sub })
      .setProtectedHeader({ alg: "ES256", kid: "one" })
      .setIssuer(issuer)
      .setAudience("omnia")
      .setExpirationTime("5m")
      .sign(privateKey);
  return { jwt, sign };
}

async function anAgentWithATool(auth?: object) {
  const received: IncomingHttpHeaders[] = [];
  const tool = await startHttpServer((request, response) => {
    received.push(request.headers);
    response.end("{}");
  });
  onTestFinished(() => tool.close());
  const model = await startModelServer();
  onTestFinished(() => model.close());
  model.mock.on(
    { hasToolResult: false },
    { toolCalls: [{ id: "call_1", name: "get-weather", arguments: '{"city":"Oslo"}' }] },
  );
  model.mock.on({ hasToolResult: true }, { content: "Fine." });
  const config = aRuntimeConfig({
    provider: { baseURL: `${model.url}/v1`, apiKeyFile: "secrets/provider/api-key" },
    tools: [
      aTool({ url: tool.url, authFile: "secrets/tools/weather/token", forward: ["subject"] }),
    ],
  });
  const agent = await TestAgent.start({
    config: {
      ...config,
      facade: { port: 0, ...(auth === undefined ? {} : { auth }) },
    },
    files: {
      "secrets/provider/api-key": "sk-test",
      "secrets/tools/weather/token": "s3cret",
      "secrets/keys/mobile-app": "key-of-the-app",
    },
  });
  return { agent, received };
}

async function askThrough(agent: TestAgent, token?: string): Promise<string> {
  const options =
    token === undefined ? undefined : { headers: { authorization: `Bearer ${token}` } };
  const client = await agent.connect("/", options);
  const { session_id } = await client.nextOf("connected");
  client.send({ type: "message", content: "How is the weather?" });
  await client.nextOf("done");
  return session_id;
}

describe("a tool that is told of the caller", () => {
  it("gets the subject of the token, and never the token", async () => {
    const { jwt, sign } = await anIssuer();
    const { agent, received } = await anAgentWithATool({ jwt });
    const token = await sign("alice@example.com");
    const sessionId = await askThrough(agent, token);
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      authorization: "Bearer s3cret",
      "x-omnia-subject": "alice@example.com",
      "x-omnia-session": sessionId,
    });
    expect(JSON.stringify(received)).not.toContain(token);
  });

  it("gets the name of the API key, and never the key", async () => {
    const { agent, received } = await anAgentWithATool({ apiKeysFolder: "secrets/keys" });
    await askThrough(agent, "key-of-the-app");
    expect(received[0]?.["x-omnia-subject"]).toBe("mobile-app");
    expect(JSON.stringify(received)).not.toContain("key-of-the-app");
  });

  it("gets the session alone when nobody is authenticated", async () => {
    const { agent, received } = await anAgentWithATool();
    const sessionId = await askThrough(agent);
    expect(received[0]).toMatchObject({ "x-omnia-session": sessionId });
    expect(received[0]).not.toHaveProperty("x-omnia-subject");
  });
});
