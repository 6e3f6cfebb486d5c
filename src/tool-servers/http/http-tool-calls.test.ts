import { createServer, type AddressInfo, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { aTool } from "../../../test/support/builders/agent-config.ts";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { startHttpServer } from "../../../test/support/processes/http-server.ts";
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import { systemClock, type Clock } from "../../time/clock.ts";
import { MAX_TOOL_FAILURES, TOOL_REST_MS } from "../server/limits.ts";
import { ToolServers } from "../tool-servers.ts";

const { signal } = new AbortController();
const impatient: Clock = { ...systemClock, sleep: () => Promise.resolve() };

/** Calls tools as a turn does. The content of every secret file is `credential`. */
function callerOf({ credential = "", clock = impatient }: { credential?: string; clock?: Clock }) {
  const readSecret = () => Promise.resolve(credential);
  const servers = new ToolServers({ readSecret, clock, random: () => 0.5 });
  return (tool: ToolConfig, toolArguments: Record<string, unknown> = {}) =>
    servers.of(tool).call("", toolArguments, { signal, timeoutMs: tool.timeoutMs });
}
const call = callerOf({});

/** A server that treats each connection as it is told, and counts them. */
async function startSocketServer(treat: (socket: Socket) => void) {
  const seen = { connections: 0, requests: 0 };
  const server = createServer((socket) => {
    seen.connections += 1;
    socket.on("error", () => {});
    treat(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { port, seen };
}

async function startTool(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const received: { url: string | undefined; headers: IncomingMessage["headers"]; body: string }[] =
    [];
  const server = await startHttpServer(async (request, response) => {
    const { url, headers } = request;
    received.push({ url, headers, body: await text(request) });
    answer(request, response);
  });
  onTestFinished(() => server.close());
  return { url: server.url, port: server.port, received };
}

describe("a server that reads a request and then breaks the connection", () => {
  it.each([
    ["POST", 1],
    ["PATCH", 1],
    ["PUT", 3],
    ["GET", 3],
    ["DELETE", 3],
  ] as const)("gets a %s %i times", async (method, times) => {
    const { port, seen } = await startSocketServer((socket) => {
      socket.once("data", () => {
        seen.requests += 1;
        socket.resetAndDestroy();
      });
    });
    const tool = aTool({ url: `http://127.0.0.1:${port}/`, method, retries: 2 });
    expect(await call(tool, { city: "Oslo" })).toEqual({
      error: "the tool could not be reached: the connection was broken off",
    });
    expect(seen.requests).toBe(times);
  });

  it("gets a POST once also over a connection that was used before", async () => {
    let answered = 0;
    const { port, seen } = await startSocketServer((socket) => {
      socket.on("data", () => {
        seen.requests += 1;
        answered += 1;
        if (answered === 1) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
        else socket.resetAndDestroy();
      });
    });
    const tool = aTool({ url: `http://127.0.0.1:${port}/`, retries: 3 });
    expect(await call(tool)).toEqual({ result: {} });
    expect(await call(tool)).toHaveProperty("error");
    expect(seen).toEqual({ connections: 1, requests: 2 });
  });

  it.each(["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", "HTTP/1.1 2", "no HTTP\r\n\r\n"])(
    "gets a POST once when it has begun to answer with %j",
    async (beginning) => {
      const { port, seen } = await startSocketServer((socket) => {
        socket.once("data", () => {
          seen.requests += 1;
          socket.end(beginning);
        });
      });
      expect(await call(aTool({ url: `http://127.0.0.1:${port}/`, retries: 3 }))).toHaveProperty(
        "error",
      );
      expect(seen.requests).toBe(1);
    },
  );
});

describe("a POST that was surely not received", () => {
  it("is sent again when the connection broke before TLS was set up", async () => {
    const { port, seen } = await startSocketServer((socket) => {
      socket.once("data", () => socket.resetAndDestroy());
    });
    await call(aTool({ url: `https://127.0.0.1:${port}/`, retries: 2 }));
    expect(seen.connections).toBe(3);
  });

  it("is sent again when nothing listened, and then something does", async () => {
    const first = await startHttpServer(() => {});
    await first.close();
    const clock: Clock = {
      ...systemClock,
      async sleep() {
        const server = createServer((socket) => {
          socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
        });
        await new Promise<void>((resolve) => server.listen(first.port, "127.0.0.1", resolve));
        onTestFinished(() => void server.close());
      },
    };
    const tool = aTool({ url: `${first.url}/`, retries: 1 });
    expect(await callerOf({ clock })(tool)).toEqual({ result: {} });
  });

  it.each([
    [503, "0", 3],
    [429, "1", 3],
    [503, undefined, 1],
    [503, "60", 1],
    [502, "0", 1],
    [504, undefined, 1],
  ])(
    "is one that was answered with HTTP %i and Retry-After %s: %i",
    async (status, after, times) => {
      const { url, received } = await startTool((_, response) => {
        if (after !== undefined) response.setHeader("retry-after", after);
        response.writeHead(status).end();
      });
      await call(aTool({ url, retries: 2 }));
      expect(received).toHaveLength(times);
    },
  );
});

describe("the address of a tool", () => {
  const refused = { error: "the tool could not be reached: its address is not allowed for tools" };

  it.each(["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]"])(
    "is refused at %s, and nothing is sent there",
    async (host) => {
      const { port, received } = await startTool((_, response) => response.end("{}"));
      const tool = aTool({ url: `http://${host}:${port}/`, allowedAddresses: ["private"] });
      expect(await call(tool)).toEqual(refused);
      const { allowedAddresses: _, ...without } = tool;
      expect(await call(without)).toEqual(refused);
      expect(received).toEqual([]);
    },
  );

  it("is taken where its network is allowed", async () => {
    const { url } = await startTool((_, response) => response.end("{}"));
    const tool = aTool({ url, allowedAddresses: ["127.0.0.0/8"] });
    expect(await call(tool)).toEqual({ result: {} });
  });

  it.each([
    "http://169.254.169.254/latest/meta-data/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://metadata.google.internal/",
    "http://100.100.100.200/",
    "http://0xa9fea9fe/",
    "https://169.254.169.254/",
  ])("is never %s", async (url) => {
    const allowedAddresses = ["private", "loopback", "0.0.0.0/0", "::/0"];
    expect(await call(aTool({ url, allowedAddresses, retries: 3 }))).toEqual(refused);
  });

  it("may not be reached over a connection of a tool that may", async () => {
    const { port, received } = await startTool((_, response) => response.end("{}"));
    const url = `http://localhost:${port}/`;
    expect(await call(aTool({ url }))).toEqual({ result: {} });
    expect(await call(aTool({ url, allowedAddresses: [] }))).toEqual(refused);
    expect(received).toHaveLength(1);
  });
});

describe("the credential of a tool", () => {
  it.each<[Partial<ToolConfig>, string, Record<string, string>]>([
    [{}, "key-of-tool", { authorization: "Bearer key-of-tool" }],
    [{ authType: "bearer" }, "key-of-tool", { authorization: "Bearer key-of-tool" }],
    [{ authType: "basic" }, "ann:päss:word\n", { authorization: "Basic YW5uOnDDpHNzOndvcmQ=" }],
    [
      { authType: "header", authHeader: "X-Api-Key" },
      "key-of-tool",
      { "x-api-key": "key-of-tool" },
    ],
  ])("with %j is sent as it says", async (parts, credential, headers) => {
    const { url, received } = await startTool((_, response) => response.end("{}"));
    const tool = aTool({ url, authFile: "f", headers: { "X-Api-Key": "other" }, ...parts });
    await callerOf({ credential })(tool);
    expect(received[0]?.headers).toMatchObject(headers);
  });

  it("does not come back, also not the password alone", async () => {
    const { url } = await startTool((request, response) => {
      const { authorization } = request.headers;
      response.end(JSON.stringify({ authorization, password: "very-secret" }));
    });
    const tool = aTool({ url, authFile: "f", authType: "basic" });
    const outcome = await callerOf({ credential: "ann:very-secret" })(tool);
    expect(outcome).toEqual({
      result: { authorization: "Basic [redacted]", password: "[redacted]" },
    });
  });

  it.each<[Partial<ToolConfig>, string]>([
    [{ authType: "basic" }, "no-colon"],
    [{ authType: "header" }, "key"],
    [{ authType: "header", authHeader: "X-Key" }, "two\nlines"],
    [{}, "two\nlines"],
  ])("with %j is not sent as %j", async (parts, credential) => {
    const tool = aTool({ url: "http://127.0.0.1:1/", authFile: "f", ...parts });
    expect(await callerOf({ credential })(tool)).toEqual({
      error: "the tool's credentials could not be read",
    });
  });

  it.each(["Content-Length", "transfer-encoding", "Connection", "Upgrade", "Expect"])(
    "and the headers do not frame the request: %s",
    async (name) => {
      const tool = aTool({ url: "http://127.0.0.1:1/", headers: { [name]: "1" } });
      expect(await call(tool)).toEqual({
        error: "the tool has a header that HTTP does not allow",
      });
    },
  );
});

describe("arguments in the path", () => {
  it.each([
    ["GET", "/orders/a%2Fb?verbose=1&page=2", ""],
    ["DELETE", "/orders/a%2Fb?verbose=1&page=2", ""],
    ["POST", "/orders/a%2Fb?verbose=1", '{"page":2}'],
    ["PUT", "/orders/a%2Fb?verbose=1", '{"page":2}'],
    ["PATCH", "/orders/a%2Fb?verbose=1", '{"page":2}'],
  ] as const)("leave the rest of the arguments where %s has them", async (method, path, body) => {
    const { url, received } = await startTool((_, response) => response.end("{}"));
    const tool = aTool({ url: `${url}/orders/{id}?verbose=1`, method });
    await call(tool, { id: "a/b", page: 2 });
    expect(received).toMatchObject([{ url: path, body }]);
  });

  it("that would leave their place are refused before anything is sent", async () => {
    const { url, received } = await startTool((_, response) => response.end("{}"));
    const tool = aTool({ url: `${url}/orders/{id}/items` });
    for (const id of ["..", "../admin", "", undefined]) {
      expect(await call(tool, { id })).toEqual({
        error: expect.stringMatching(/^not called: the argument "id"/) as string,
      });
    }
    expect(received).toEqual([]);
  });
});

describe("the answer", () => {
  it.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
  ] as const)(
    "is decompressed from %s, up to the limit of the tool",
    async (encoding, compress) => {
      const { url } = await startTool((_, response) => {
        response.setHeader("content-encoding", encoding);
        response.setHeader("content-type", "text/plain");
        response.end(compress("x".repeat(10 * 1024 * 1024)));
      });
      expect(await call(aTool({ url, responseLimit: 2_000 }))).toEqual({
        result: `${"x".repeat(2_000)}\n[cut off after 2000 bytes]`,
      });
    },
  );
});

describe("a tool with maxParallel", () => {
  it("gets no more calls at a time, and the others wait", async () => {
    let running = 0;
    let most = 0;
    const { url } = await startTool((_, response) => {
      running += 1;
      most = Math.max(most, running);
      setImmediate(() => {
        running -= 1;
        response.end("{}");
      });
    });
    const tool = aTool({ url, maxParallel: 2 });
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => call(tool)));
    expect(outcomes).toEqual(Array.from({ length: 10 }, () => ({ result: {} })));
    expect(most).toBeLessThanOrEqual(2);
  });
});

describe("a tool that fails again and again", () => {
  it("is left alone for a while, and the model is told", async () => {
    let isDown = true;
    const { url, received } = await startTool((_, response) => {
      response.writeHead(isDown ? 502 : 200).end("{}");
    });
    const manual = new ManualClock();
    const clock: Clock = { ...systemClock, monotonic: () => manual.monotonic() };
    const caller = callerOf({ clock });
    const tool = aTool({ url });
    for (let calls = 0; calls < MAX_TOOL_FAILURES; calls += 1) await caller(tool);
    expect(await caller(tool)).toEqual({
      error:
        "not called: the tool failed 5 times in a row, and is left alone for 5 seconds; go on without it, or try again later",
    });
    expect(received).toHaveLength(MAX_TOOL_FAILURES);
    isDown = false;
    await manual.advance(TOOL_REST_MS);
    expect(await caller(tool)).toEqual({ result: {} });
    expect(await caller(tool)).toEqual({ result: {} });
  });

  it("is not one that refuses what it is asked", async () => {
    const { url, received } = await startTool((_, response) => response.writeHead(400).end());
    for (let calls = 0; calls <= MAX_TOOL_FAILURES; calls += 1) await call(aTool({ url }));
    expect(received).toHaveLength(MAX_TOOL_FAILURES + 1);
  });
});
