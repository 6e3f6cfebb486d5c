import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { connect, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { SIGN_IN_PATH, WRITE_HEADER } from "../../../http-api/paths.ts";
import { startForwardedConsole } from "./forwarded-console.ts";
import { SignIns } from "./sign-ins.ts";

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** Something in the place of a gateway, and the console that leads to it. */
async function aConsole({ isAway = false } = {}) {
  const seen: Seen[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url, headers } = request;
    seen.push({ method, url, headers });
    if (url === "/stream") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n");
      return;
    }
    response.setHeader("x-own", ["a", "b"]);
    response.end(`${method} ${await text(request)}`);
  };
  const gateway = createServer((request, response) => void answer(request, response));
  const sockets = new WebSocketServer({ server: gateway, handleProtocols: () => "omnia" });
  sockets.on("connection", (socket, { url, headers, method }) => {
    seen.push({ method, url, headers });
    socket.send("hello");
    socket.on("message", (data: Buffer) => socket.send(`echo ${data.toString()}`));
  });
  gateway.listen(0, "127.0.0.1");
  await once(gateway, "listening");
  const { port } = gateway.address() as AddressInfo;
  const tokens = { current: "token-1" };
  let secrets = 0;
  let connections = 0;
  let refusedCodes = 0;
  const signIns = new SignIns({ nowMs: () => 0, newSecret: () => `secret-${(secrets += 1)}` });
  const made = await startForwardedConsole({
    port: 0,
    connect: async () => {
      if (isAway) throw new Error("no pod is ready");
      connections += 1;
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      return socket;
    },
    token: async () => tokens.current,
    signIns,
    onRefusedCode: () => (refusedCodes += 1),
  });
  onTestFinished(async () => {
    await made[Symbol.asyncDispose]();
    sockets.close();
    gateway.closeAllConnections();
    gateway.close();
  });
  const signIn = async (code: string, headers: Record<string, string> = {}) =>
    await fetch(made.url + SIGN_IN_PATH, {
      method: "POST",
      headers: { [WRITE_HEADER]: "console", "content-type": "application/json", ...headers },
      body: JSON.stringify({ code }),
    });
  const signedIn = async (): Promise<string> =>
    ((await (await signIn(signIns.newCode())).json()) as { token: string }).token;
  return {
    url: made.url,
    seen,
    tokens,
    signIns,
    signIn,
    signedIn,
    /** The gateway ends what waits for the next request. */
    endIdle: () => gateway.closeIdleConnections(),
    counts: () => ({ connections, refusedCodes }),
  };
}

describe("the console of a cluster at a port of this machine", () => {
  it("puts the token of the cluster into what a page asks that signed in, and never gives it the token", async () => {
    const { url, seen, signedIn, tokens } = await aConsole();
    const key = await signedIn();
    expect(key).not.toContain("token");
    const ask = async () =>
      await fetch(`${url}/x?y=1`, { headers: { authorization: `Bearer ${key}` } });
    expect(await (await ask()).text()).toBe("GET ");
    tokens.current = "token-2";
    await ask();
    expect(seen.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ["/x?y=1", "Bearer token-1"],
      ["/x?y=1", "Bearer token-2"],
    ]);
  });

  it("leaves what others bring as it is", async () => {
    const { url, seen } = await aConsole();
    await fetch(url);
    await fetch(url, { headers: { authorization: "Bearer pasted" } });
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([undefined, "Bearer pasted"]);
  });

  it("takes a code once, and tells of one that does not count", async () => {
    const { signIns, signIn, counts } = await aConsole();
    const code = signIns.newCode();
    expect((await signIn(code)).status).toBe(200);
    const again = await signIn(code);
    expect(again.status).toBe(401);
    expect(await again.json()).toMatchObject({ error: { code: "Unauthorized" } });
    expect(counts().refusedCodes).toBe(1);
  });

  it.each<[string, Record<string, string>]>([
    ["of another site", { "sec-fetch-site": "cross-site" }],
    ["of another origin", { origin: "http://localhost:1" }],
    ["that is no JSON", { "content-type": "text/plain" }],
  ])("takes no code from a request %s", async (_says, headers) => {
    const { signIns, signIn, counts } = await aConsole();
    const code = signIns.newCode();
    expect((await signIn(code, headers)).status).toBeGreaterThanOrEqual(400);
    expect((await signIn(code)).status).toBe(200);
    expect(counts().refusedCodes).toBe(0);
  });

  it("passes bodies, statuses and repeated headers on", async () => {
    const { url } = await aConsole();
    const answer = await fetch(url, { method: "POST", body: "body" });
    expect(answer.headers.get("x-own")).toBe("a, b");
    expect(await answer.text()).toBe("POST body");
  });

  it("passes a stream on as it comes, and ends it with the page", async () => {
    const { url } = await aConsole();
    const ending = new AbortController();
    const { body } = await fetch(`${url}/stream`, { signal: ending.signal });
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe("data: 1\n\n");
    ending.abort();
  });

  it("keeps connections for reads", async () => {
    const { url, counts, endIdle } = await aConsole();
    for (let count = 0; count < 5; count += 1) await (await fetch(url)).text();
    expect(counts().connections).toBe(1);
    endIdle();
    expect(await (await fetch(url)).text()).toBe("GET ");
    expect(counts().connections).toBe(2);
  });

  it("carries chats, whose token comes as a subprotocol", async () => {
    const { url, seen, signedIn } = await aConsole();
    const address = `${url.replace("http", "ws")}/ws?agent=a`;
    const socket = new WebSocket(address, ["omnia", `bearer.${await signedIn()}`]);
    const hello = once(socket, "message");
    await once(socket, "open");
    expect(String((await hello)[0])).toBe("hello");
    socket.send("x".repeat(100_000));
    expect(String((await once(socket, "message"))[0])).toHaveLength(100_005);
    expect(socket.protocol).toBe("omnia");
    expect(seen[0]).toMatchObject({
      url: "/ws?agent=a",
      headers: { authorization: "Bearer token-1", "sec-websocket-protocol": "omnia" },
    });
    socket.close();
    await once(socket, "close");
  });

  it("is reached under a name of this machine alone", async () => {
    const { url, seen } = await aConsole();
    const request = httpRequest(url, { headers: { host: "evil.example.com" } });
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(response.statusCode).toBe(403);
    expect(seen).toEqual([]);
    request.destroy();
  });

  it("says why it does not reach the gateway", async () => {
    const { url } = await aConsole({ isAway: true });
    for (const method of ["GET", "DELETE"]) {
      const answer = await fetch(url, { method });
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({
        error: { code: "Unavailable", message: expect.stringContaining("no pod is ready") },
      });
    }
  });
});
