/** What a gateway gives to strangers: under which names it answers, to which pages, and what it tells without its token. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { createLog } from "../observability/log.ts";
import { createGateway } from "./gateway.ts";
import type { Endpoint, Route } from "./choose-replica.ts";

const TOKEN = "3vJ0Xq-token-of-this-gateway";
const RESOURCES = "/api/v1alpha1/resources";

interface Answer {
  status: number;
  head: string;
  body: string;
}

/** Sends the bytes of one request as they stand, and reads until the other end closes. */
async function exchange(port: number, request: readonly string[]): Promise<Answer> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write(`${request.join("\r\n")}\r\n\r\n`);
  const answer = await text(socket);
  const end = answer.indexOf("\r\n\r\n");
  const head = answer.slice(0, end);
  return { status: Number(head.split(" ")[1]), head, body: answer.slice(end + 4) };
}

const get = (target: string, ...headers: string[]): string[] => [
  `GET ${target} HTTP/1.1`,
  "Connection: close",
  ...headers,
];
const upgrade = (target: string, ...headers: string[]): string[] => [
  `GET ${target} HTTP/1.1`,
  "Connection: Upgrade",
  "Upgrade: websocket",
  ...headers,
];

/** A replica that accepts every handshake, closes, and keeps the heads that it was sent. */
async function startReplica(): Promise<{ endpoint: Endpoint; heads: string[] }> {
  const heads: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (data) => {
      heads.push(data.toString());
      socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { endpoint: { id: "one", host: "127.0.0.1", port }, heads };
}

async function startGateway(
  host: string,
  {
    allowedHosts,
    allowedOrigins = [],
  }: { allowedHosts?: string[] | undefined; allowedOrigins?: string[] } = {},
) {
  const replica = await startReplica();
  const routes: Record<string, Route> = {
    bot: { status: "ready", endpoints: [replica.endpoint], affinity: "none", allowedOrigins },
    broken: {
      status: "unavailable",
      reason: "SecretNotFound: there is no Secret internal",
      allowedOrigins,
    },
  };
  const gateway = createGateway({
    log: createLog({ level: "silent" }),
    token: TOKEN,
    allowedHosts,
    api: () => () => Response.json({ items: [] }),
    source: {
      agents: () => [{ name: "bot", namespace: "default" }],
      resources: () => [],
      resolve: ({ name, namespace }) =>
        (namespace === "default" ? routes[name] : undefined) ?? { status: "unknown" },
    },
  });
  const { port, wantsToken } = await gateway.listen({ host, port: 0 });
  onTestFinished(() => gateway.close(AbortSignal.abort()));
  const statusOf = async (...request: string[]): Promise<number> =>
    (await exchange(port, request)).status;
  return { port, wantsToken, statusOf, heads: replica.heads };
}

describe.each([
  [
    "on loopback",
    "127.0.0.1",
    [
      "Host: localhost",
      "Host: LOCALHOST.:1",
      "Host: x.localhost",
      "Host: 127.9.9.9",
      "Host: [::1]:80",
    ],
  ],
  [
    "on all addresses",
    "0.0.0.0",
    ["Host: localhost", "Host: 127.0.0.1:80", "Host: [::1]", "Host: 0.0.0.0"],
  ],
])("the Host of a request to a gateway %s", (_, host, own) => {
  it.each(own)("may be its own: %s", async (header) => {
    const { statusOf } = await startGateway(host);
    expect(await statusOf(...get("/healthz", header))).toBe(200);
    expect(await statusOf(...upgrade("/ws?agent=bot", header))).toBe(101);
  });

  it.each([
    ["Host: rebound.example"],
    ["Host: rebound.example:8080"],
    ["Host: 127.0.0.1.rebound.example"],
    ["Host: localhost@rebound.example"],
    ["Host: rebound.example#localhost"],
    ["Host: 198.51.100.7"],
    ["Host: [2001:db8::7]"],
    ["Host:"],
    ["Host: localhost", "Host: localhost"],
    ["Host: localhost", "Host: rebound.example"],
    ["Host: rebound.example", "Host: localhost"],
    ["Host: localhost, rebound.example"],
    ["Host: rebound.example", "X-Forwarded-Host: localhost"],
    ["X-Forwarded-Host: localhost"],
  ])("may not be %j %j", async (...headers) => {
    const { statusOf, heads } = await startGateway(host);
    const authorization = `Authorization: Bearer ${TOKEN}`;
    for (const target of ["/healthz", "/", `/?token=${TOKEN}`, RESOURCES]) {
      expect([400, 403]).toContain(await statusOf(...get(target, authorization, ...headers)));
    }
    expect(await statusOf(...upgrade("/ws?agent=bot", ...headers))).toBe(403);
    expect(heads).toEqual([]);
  });

  it("is judged in the target too, where one is named there", async () => {
    const { statusOf, heads } = await startGateway(host);
    const header = "Host: localhost";
    expect(await statusOf(...get("http://localhost/healthz", header))).toBe(200);
    expect(await statusOf(...get("http://rebound.example/healthz", header))).toBe(403);
    expect(await statusOf(...get("http://localhost/healthz", "Host: rebound.example"))).toBe(403);
    expect(await statusOf(...upgrade("HTTP://rebound.example/ws?agent=bot", header))).toBe(403);
    expect(heads).toEqual([]);
    expect(await statusOf(...upgrade("http://localhost:80/ws?agent=bot", header))).toBe(101);
    expect(await statusOf(...upgrade("http://localhost?agent=bot", header))).toBe(101);
    expect(heads.map((head) => head.split("\r\n")[0])).toEqual([
      "GET /ws?agent=bot HTTP/1.1",
      "GET /?agent=bot HTTP/1.1",
    ]);
  });

  it("is needed in every version of HTTP", async () => {
    const { statusOf } = await startGateway(host);
    expect(await statusOf("GET /healthz HTTP/1.0")).toBe(400);
    expect(await statusOf("GET /healthz HTTP/1.0", "Host: rebound.example")).toBe(403);
    expect(await statusOf("GET /healthz HTTP/1.0", "Host: localhost")).toBe(200);
  });

  it("may be one that was allowed, and the refusal names the flag", async () => {
    const { port, statusOf } = await startGateway(host, { allowedHosts: ["Agents.Example"] });
    expect(await statusOf(...get("/healthz", "Host: agents.example:443"))).toBe(200);
    expect(await statusOf(...upgrade("/ws?agent=bot", "Host: agents.example."))).toBe(101);
    const { status, body } = await exchange(port, get("/healthz", "Host: other.example"));
    expect([status, body]).toEqual([403, expect.stringContaining("--allowed-host")]);
  });
});

describe("the Origin of a request", () => {
  const handshake = (origin: string, host = "localhost:8080", agent = "bot"): string[] =>
    upgrade(`/ws?agent=${agent}`, `Host: ${host}`, `Origin: ${origin}`);

  it("on loopback may be any page of this machine, and no other", async () => {
    const { statusOf } = await startGateway("127.0.0.1");
    for (const origin of ["http://localhost:5173", "http://app.localhost", "http://[::1]:1"]) {
      expect(await statusOf(...handshake(origin))).toBe(101);
    }
    for (const origin of ["http://rebound.example", "null", "http://localhost.rebound.example"]) {
      expect(await statusOf(...handshake(origin))).toBe(403);
      expect(await statusOf(...get(RESOURCES, "Host: localhost", `Origin: ${origin}`))).toBe(403);
    }
  });

  it("elsewhere may be the same host alone", async () => {
    const { statusOf } = await startGateway("0.0.0.0", { allowedHosts: ["agents.example"] });
    expect(await statusOf(...handshake("http://localhost:8080"))).toBe(101);
    expect(await statusOf(...handshake("https://agents.example", "agents.example"))).toBe(101);
    expect(await statusOf(...handshake("http://localhost:5173"))).toBe(403);
    expect(await statusOf(...handshake("http://localhost:8080", "agents.example"))).toBe(403);
  });

  it("may be one that the agent names, for its connections and for nothing else", async () => {
    const allowedOrigins = ["https://app.example"];
    const { statusOf } = await startGateway("0.0.0.0", { allowedOrigins });
    const headers = ["Host: localhost", `Authorization: Bearer ${TOKEN}`];
    expect(await statusOf(...handshake("https://app.example"))).toBe(101);
    expect(await statusOf(...handshake("https://app.example", "localhost", "other"))).toBe(403);
    expect(await statusOf(...get(RESOURCES, ...headers, "Origin: https://app.example"))).toBe(403);
    expect(await statusOf(...get(RESOURCES, ...headers))).toBe(200);
  });
});

describe("the token of a gateway", () => {
  const HOST = "Host: localhost";

  it("is not wanted on loopback", async () => {
    const { wantsToken, statusOf } = await startGateway("127.0.0.1");
    expect(wantsToken).toBe(false);
    for (const target of ["/", RESOURCES, "/?token=x"]) {
      expect(await statusOf(...get(target, HOST))).toBe(200);
    }
  });

  it.each([
    ["on all addresses", "0.0.0.0", undefined],
    ["on loopback under another name, as behind a proxy", "127.0.0.1", ["agents.example"]],
  ])("is wanted for all but the health and the agents %s", async (_, host, allowedHosts) => {
    const { port, wantsToken, statusOf } = await startGateway(host, { allowedHosts });
    expect(wantsToken).toBe(true);
    for (const target of [
      "/",
      RESOURCES,
      "/nothing",
      "/?token=",
      "/?token=x",
      `/?token=${TOKEN}`,
      `${RESOURCES}?token=${TOKEN}`,
    ]) {
      const { status, head, body } = await exchange(port, get(target, HOST));
      expect([status, head.toLowerCase()]).toEqual([
        401,
        expect.stringContaining("www-authenticate: bearer"),
      ]);
      expect(body).toContain("/#token=TOKEN");
      expect(body).not.toContain(TOKEN);
    }
    expect(await statusOf(...get("/healthz", HOST))).toBe(200);
    expect(await statusOf(...upgrade("/ws?agent=bot", HOST))).toBe(101);
  });

  it("opens the API as a bearer token or in a header of its own, and nothing near it does", async () => {
    const { port, statusOf } = await startGateway("0.0.0.0");
    const api = (header: string): Promise<number> => statusOf(...get(RESOURCES, HOST, header));
    expect(await api(`Authorization: Bearer ${TOKEN}`)).toBe(200);
    expect(await api(`authorization: bearer  ${TOKEN}`)).toBe(200);
    expect(await api(`X-Omnia-Access: ${TOKEN}`)).toBe(200);
    for (const header of [
      `Authorization: Basic ${TOKEN}`,
      `Authorization: Bearer ${TOKEN.slice(0, -1)}`,
      `Authorization: Bearer ${TOKEN}x`,
      `Authorization: Bearer ${TOKEN.toLowerCase()}`,
      "Authorization: Bearer",
      `Cookie: omnia-token-${port}=${TOKEN}`,
      `X-Omnia-Access: ${TOKEN.slice(1)}`,
      "X-Omnia-Access:",
      `X-API-Key: ${TOKEN}`,
    ]) {
      expect(await api(header)).toBe(401);
    }
  });

  it("is never made a cookie, which a browser would send by itself", async () => {
    const { port } = await startGateway("0.0.0.0");
    for (const target of ["/", `/?token=${TOKEN}`]) {
      const { head } = await exchange(port, get(target, HOST, `Authorization: Bearer ${TOKEN}`));
      const lines = head.toLowerCase().split("\r\n");
      expect(head.toLowerCase()).not.toContain("set-cookie");
      expect(lines).toContain("cache-control: no-store");
      expect(lines).toContain("referrer-policy: no-referrer");
    }
  });

  it("does not reach an agent, and what else stands beside it does", async () => {
    const { statusOf, heads } = await startGateway("0.0.0.0");
    const own = `X-Omnia-Access: ${TOKEN}`;
    const both = ["Cookie: theme=dark", `Authorization: Bearer ${TOKEN}`];
    expect(await statusOf(...upgrade("/ws?agent=bot", HOST, ...both))).toBe(101);
    expect(await statusOf(...upgrade("/ws?agent=bot", HOST, own))).toBe(101);
    const other = "Authorization: Bearer other";
    expect(await statusOf(...upgrade("/ws?agent=bot", HOST, own, other))).toBe(101);
    expect(heads.join("")).not.toContain(TOKEN);
    expect(heads[0]).toContain("\r\nCookie: theme=dark\r\n");
    expect(heads[1]).not.toContain("Authorization");
    expect(heads[2]).toContain("\r\nAuthorization: Bearer other\r\n");
  });

  it("is needed to hear which agents there are, and why one is not ready", async () => {
    const { port } = await startGateway("0.0.0.0");
    const said = async (target: string, ...headers: string[]): Promise<string> =>
      (await exchange(port, upgrade(target, HOST, ...headers))).body;
    const targets = ["/ws", "/ws?agent=nobody", "/ws?agent=bot&namespace=x", "/ws?agent=broken"];
    const known = ["default/bot", "default/bot", "namespace=default?", "no Secret internal"];
    for (const [index, target] of targets.entries()) {
      const withToken = await said(target, `Authorization: Bearer ${TOKEN}`);
      expect(withToken).toContain(known[index]);
      expect(await said(target)).not.toContain(known[index]);
    }
  });
});
