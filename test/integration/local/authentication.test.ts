/** Who may talk to the agents of `omnia up`: the same rules as in a cluster, through the gateway. */
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { ChatClient, type ChatClientOptions } from "../../support/agent/chat-client.ts";
import { omnia, startOmnia } from "../../support/processes/omnia-process.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";

const folder = folderForAllTests();
const keys = forAllTests(() => generateKeyPair("RS256"));
const issuerServer = forAllTests(
  async () => {
    const jwk = { ...(await exportJWK(keys().publicKey)), kid: "one", alg: "RS256" };
    const server = createServer((_request, response) =>
      response.end(JSON.stringify({ keys: [jwk] })),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return server;
  },
  (server) => server.close(),
);
const issuer = forAllTests(
  () => `http://127.0.0.1:${(issuerServer().address() as AddressInfo).port}`,
);
const up = forAllTests(
  async () => {
    const file = join(folder(), "agents.yaml");
    await writeFile(file, manifests(issuer()));
    return startOmnia(["up", "--port", "0", "--state", join(folder(), "state"), "-f", file], {
      env: { HOME: folder() },
    });
  },
  (up) => up[Symbol.asyncDispose](),
);
const url = forAllTests(async () => (await up().shows(/Serving at (\S+)/))[1] ?? "");
beforeAll(async () => {
  await vi.waitFor(
    async () => {
      const response = await fetch(`${url()}/api/v1alpha1/resources`);
      const { items } = (await response.json()) as { items: { status: { phase?: string } }[] };
      expect(items.map(({ status }) => status.phase)).toEqual(["Running", "Running", "Running"]);
    },
    { timeout: 60_000, interval: 50 },
  );
});

function manifests(issuer: string): string {
  const agent = (name: string, facade: object): string =>
    JSON.stringify({
      apiVersion: "omnia.altairalabs.ai/v1alpha1",
      kind: "AgentRuntime",
      metadata: { name },
      spec: { facade: { handler: "echo", ...facade } },
    });
  return [
    agent("open", {}),
    agent("tokens", {
      allowedOrigins: ["https://console.example"],
      auth: { jwt: { issuer, jwksUri: `${issuer}/keys`, audiences: ["omnia"] } },
    }),
    agent("keys", { auth: { apiKeysSecretRef: { name: "clients" } } }),
    JSON.stringify({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "clients" },
      stringData: { web: "key-of-the-web-client" },
    }),
  ].join("\n---\n");
}

function connect(agent: string, options: ChatClientOptions = {}, more = ""): Promise<ChatClient> {
  return ChatClient.connect(`${url().replace("http", "ws")}/ws?agent=${agent}${more}`, options);
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

function sign(claims: { aud?: string; sub?: string; exp?: string; kid?: string } = {}) {
  return new SignJWT({})
    .setProtectedHeader({ alg: "RS256", kid: claims.kid ?? "one" })
    .setIssuer(issuer())
    .setAudience(claims.aud ?? "omnia")
    .setSubject(claims.sub ?? "alice")
    .setExpirationTime(claims.exp ?? "5m")
    .sign(keys().privateKey);
}

describe("the agents of omnia up", () => {
  it("let the bearer of a good token in, in a header or as a browser sends it", async () => {
    const client = await connect("tokens", bearer(await sign()));
    expect(await client.ask("hello")).toMatchObject({ content: "hello" });
    const browser = { protocols: ["omnia", `bearer.${await sign()}`] };
    const origin = "https://console.example";
    expect((await connect("tokens", { ...browser, origin })).socket.protocol).toBe("omnia");
  });

  it("refuse any other token with 401, before there is a connection", async () => {
    const [, body = ""] = (await sign()).split(".");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    for (const options of [
      {},
      bearer("key-of-the-web-client"),
      bearer(await sign({ exp: "-5m" })),
      bearer(await sign({ aud: "another-service" })),
      bearer(await sign({ kid: "unknown" })),
      bearer(`${none}.${body}.`),
    ]) {
      await expect(connect("tokens", options)).rejects.toThrow("401");
    }
  });

  it("refuse a page of a foreign origin with 403, whatever its token", async () => {
    const options = { ...bearer(await sign()), origin: "https://elsewhere.example" };
    await expect(connect("tokens", options)).rejects.toThrow("403");
  });

  it("keep a session for its subject, also from others who know its id", async () => {
    const alice = await connect("tokens", bearer(await sign()));
    const { session_id } = await alice.ask("secret");
    const bob = await connect(
      "tokens",
      bearer(await sign({ sub: "bob" })),
      `&session_id=${session_id}`,
    );
    expect(await bob.next()).toMatchObject({ error: { code: "SESSION_NOT_FOUND" } });
    bob.send({ type: "resume", session_id, after: 0 });
    await bob.nextOf("connected");
    expect(await bob.nextOf("error")).toMatchObject({ error: { code: "SESSION_NOT_FOUND" } });
  });

  it("let the client with a key of the Secret in, and no other", async () => {
    const client = await connect("keys", bearer("key-of-the-web-client"));
    expect(await client.ask("hello")).toMatchObject({ content: "hello" });
    await expect(connect("keys", bearer("another-key"))).rejects.toThrow("401");
    const chat = ["chat", "keys", "--url", url(), "-m", "hello"];
    const env = { OMNIA_TOKEN: "key-of-the-web-client" };
    expect(await omnia(chat, { env })).toMatchObject({ code: 0, out: "hello\n" });
    expect(await omnia(chat)).toMatchObject({ code: 1 });
  });

  it("are told of by explain where authentication is off, and not where it is on", async () => {
    const explain = async (name: string) =>
      (
        await omnia(["explain", name, "--state", join(folder(), "state")], {
          env: { HOME: folder() },
        })
      ).out;
    expect(await explain("open")).toContain("Authentication is off");
    expect(await explain("tokens")).not.toContain("Authentication is off");
  });
});
