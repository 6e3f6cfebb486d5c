import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  nextMessage,
  open,
  refusalOf,
  replicaOf,
  startBareReplica,
  startGateway,
  startReplica,
} from "../../test/support/gateway/gateway-in-process.ts";

describe("a handshake", () => {
  it.each(["/ws?agent=one", "/?agent=one", "/ws?agent=one&namespace=default"])(
    "for %s reaches the agent",
    async (target) => {
      const one = await startReplica("one");
      const { port } = await startGateway({ "default/one": { endpoints: [one.endpoint] } });
      expect(await replicaOf(port, target)).toBe("one");
    },
  );

  it("tells agents of one name in two namespaces apart", async () => {
    const [here, there] = [await startReplica("here"), await startReplica("there")];
    const { port } = await startGateway({
      "default/bot": { endpoints: [here.endpoint] },
      "team-a/bot": { endpoints: [there.endpoint] },
    });
    expect(await replicaOf(port, "/ws?agent=bot")).toBe("here");
    expect(await replicaOf(port, "/ws?agent=bot&namespace=team-a")).toBe("there");
  });

  it("goes on with its query, credentials and subprotocol, with the client's address, and without hop-by-hop headers", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway({ "default/one": { endpoints: [one.endpoint] } });
    const webSocket = open(port, "/ws?agent=one&session_id=s%201", {
      protocol: "bearer.abc",
      headers: {
        authorization: "Bearer abc",
        "proxy-authorization": "Basic abc",
        "keep-alive": "timeout=5",
        "x-forwarded-for": "192.0.2.1",
        "x-custom": "kept",
      },
    });
    await nextMessage(webSocket);
    expect(webSocket.protocol).toBe("bearer.abc");
    const { url, headers } = one.handshakes[0] ?? { url: "", headers: {} };
    expect(url).toBe("/ws?agent=one&session_id=s%201");
    expect(headers).toMatchObject({
      authorization: "Bearer abc",
      connection: "Upgrade",
      upgrade: "websocket",
      host: `127.0.0.1:${port}`,
      "x-custom": "kept",
      "x-forwarded-for": "192.0.2.1, 127.0.0.1",
      "x-forwarded-host": `127.0.0.1:${port}`,
      "x-forwarded-proto": "http",
    });
    for (const gone of ["proxy-authorization", "keep-alive"])
      expect(headers).not.toHaveProperty(gone);
  });

  it("loses the headers that its Connection header names, but never its Host or its credentials", async () => {
    let resolveHead: (head: string) => void;
    const head = new Promise<string>((resolve) => (resolveHead = resolve));
    const endpoint = await startBareReplica((socket) => {
      socket.once("data", (data) => resolveHead(data.toString("latin1")));
    });
    const { port } = await startGateway({ "default/one": { endpoints: [endpoint] } });
    const client = connect(port, "127.0.0.1");
    onTestFinished(() => void client.destroy());
    client.write(
      "GET /?agent=one HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade, X-Private, Host, authorization\r\n" +
        "Upgrade: WebSocket\r\nX-Private: 1\r\nX-Name: caf\xe9\r\nAuthorization: Bearer abc\r\n\r\n",
      "latin1",
    );
    expect((await head).split("\r\n")).toEqual([
      "GET /?agent=one HTTP/1.1",
      "Host: localhost",
      "X-Name: caf\xe9",
      "Authorization: Bearer abc",
      "X-Forwarded-For: 127.0.0.1",
      "X-Forwarded-Host: localhost",
      "X-Forwarded-Proto: http",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "",
      "",
    ]);
  });

  it("without an agent is refused with the names of those there are", async () => {
    const { port } = await startGateway({ "default/one": {}, "team-a/two": {} });
    expect(await refusalOf(port, "/ws")).toMatchObject({
      status: 400,
      error: { code: "AgentRequired", agents: ["default/one", "team-a/two"] },
    });
    expect(await refusalOf(port, "/ws?agent=")).toMatchObject({ status: 400 });
  });

  it("for an unknown agent is refused with the names of those there are", async () => {
    const { port } = await startGateway({ "default/one": {} });
    expect(await refusalOf(port, "/ws?agent=other")).toMatchObject({
      status: 404,
      error: { code: "AgentNotFound", agents: ["default/one"] },
    });
    expect(await refusalOf(port, "/ws?agent=one&namespace=other")).toMatchObject({
      status: 404,
      error: {
        message: "there is no agent one in namespace other; did you mean namespace=default?",
      },
    });
  });

  it("for an agent without a ready replica is refused with its reason, and when to come back", async () => {
    const { port } = await startGateway({
      "default/one": {
        status: "unavailable",
        reason: "WaitingForPods: 0 of 1 replicas are ready",
        allowedOrigins: [],
      },
    });
    expect(await refusalOf(port, "/?agent=one")).toMatchObject({
      status: 503,
      retryAfter: "5",
      error: { code: "AgentNotReady", message: "WaitingForPods: 0 of 1 replicas are ready" },
    });
  });

  it.each(["/other?agent=one", "//ws?agent=one", "/ws/?agent=one"])(
    "for the path %s is refused",
    async (target) => {
      const { port } = await startGateway({ "default/one": {} });
      expect(await refusalOf(port, target)).toMatchObject({
        status: 404,
        error: { code: "NotFound" },
      });
    },
  );

  it("from a page of a foreign origin is refused unless the agent names the origin", async () => {
    const one = await startReplica("one");
    const { port } = await startGateway({
      "default/closed": { endpoints: [one.endpoint] },
      "default/open": { endpoints: [one.endpoint], allowedOrigins: ["https://app.example"] },
    });
    const headers = { origin: "https://app.example" };
    expect(await refusalOf(port, "/ws?agent=closed", headers)).toMatchObject({
      status: 403,
      error: {
        code: "OriginNotAllowed",
        message: expect.stringMatching(/spec\.facade\.allowedOrigins .*gateway\.allowedOrigins/),
      },
    });
    expect(await refusalOf(port, "/ws?agent=unknown", headers)).toMatchObject({ status: 403 });
    expect(await replicaOf(port, "/ws?agent=open", { headers })).toBe("one");
    expect(
      await replicaOf(port, "/ws?agent=closed", {
        headers: { origin: `http://localhost:${port}` },
      }),
    ).toBe("one");
  });

  it("under a foreign name is refused while the gateway is for this machine only", async () => {
    const one = await startReplica("one");
    const routes = { "default/one": { endpoints: [one.endpoint] } };
    const local = await startGateway(routes);
    const headers = { host: "rebound.example:8080" };
    expect(await refusalOf(local.port, "/ws?agent=one", headers)).toMatchObject({
      status: 403,
      error: { code: "HostNotAllowed" },
    });
    const open = await startGateway(routes, { allowedHosts: ["rebound.example"] });
    expect(await replicaOf(open.port, "/ws?agent=one", { headers })).toBe("one");
  });

  it("that the agent refuses is answered in the agent's own words", async () => {
    const one = await startReplica("one", { refuse: true });
    const { port } = await startGateway({ "default/one": { endpoints: [one.endpoint] } });
    const webSocket = open(port, "/ws?agent=one");
    const [, response] = (await once(webSocket, "unexpected-response")) as [
      unknown,
      { statusCode: number },
    ];
    expect(response.statusCode).toBe(401);
  });

  it("with headers past the limit is refused with 431", async () => {
    const { port } = await startGateway(
      { "default/one": {} },
      { limits: { maxHeaderBytes: 2_048 } },
    );
    const webSocket = open(port, "/ws?agent=one", { headers: { "x-long": "x".repeat(3_000) } });
    const [, response] = (await once(webSocket, "unexpected-response")) as [
      unknown,
      { statusCode: number },
    ];
    expect(response.statusCode).toBe(431);
  });
});

describe("among replicas", () => {
  it("connections spread by how many each has", async () => {
    const [a, b] = [await startReplica("a"), await startReplica("b")];
    const { port } = await startGateway({ "default/one": { endpoints: [a.endpoint, b.endpoint] } });
    const taken = [];
    for (let index = 0; index < 4; index += 1) taken.push(await replicaOf(port, "/ws?agent=one"));
    expect(taken.toSorted()).toEqual(["a", "a", "b", "b"]);
  });

  it("a client keeps to one when the agent's sessions live in a replica's memory", async () => {
    const [a, b] = [await startReplica("a"), await startReplica("b")];
    const { port } = await startGateway({
      "default/one": { endpoints: [a.endpoint, b.endpoint], affinity: "client" },
    });
    const taken = new Set<string>();
    for (let index = 0; index < 4; index += 1) taken.add(await replicaOf(port, "/ws?agent=one"));
    expect(taken.size).toBe(1);
  });

  it("the next is tried when one cannot be connected to", async () => {
    const [gone, there] = [await startReplica("gone"), await startReplica("there")];
    await gone.stop();
    const { port } = await startGateway({
      "default/one": { endpoints: [gone.endpoint, there.endpoint] },
    });
    for (let index = 0; index < 3; index += 1)
      expect(await replicaOf(port, "/ws?agent=one")).toBe("there");
  });

  it("a client hears 502 when none can be connected to", async () => {
    const gone = await startReplica("gone");
    await gone.stop();
    const { port } = await startGateway({ "default/one": { endpoints: [gone.endpoint] } });
    expect(await refusalOf(port, "/ws?agent=one")).toMatchObject({
      status: 502,
      error: { code: "ReplicaFailed" },
    });
  });
});
