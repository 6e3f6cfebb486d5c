import { text } from "node:stream/consumers";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { startHttpServer } from "../../../test/support/processes/http-server.ts";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import { aTool } from "../../../test/support/builders/agent-config.ts";
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import { systemClock, type Clock } from "../../time/clock.ts";
import { createToolGate } from "../server/gated-calls.ts";
import { MAX_TOOL_ERROR_BYTES, MAX_TOOL_OUTPUT_BYTES } from "../server/limits.ts";
import { createTransport } from "../server/guarded-transport.ts";
import { HttpToolServer, type HttpToolContext } from "./http-tool-server.ts";

interface Received {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage["headers"];
  body: string;
}

/** A tool's server that keeps what it was sent. */
async function startTool(answer: (response: ServerResponse, attempt: number) => void) {
  const received: Received[] = [];
  const server = await startHttpServer(async (request, response) => {
    const { method, url, headers } = request;
    received.push({ method, url, headers, body: await text(request) });
    answer(response, received.length);
  });
  return { ...server, received };
}

function json(value: unknown): (response: ServerResponse) => void {
  return (response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(value));
  };
}

/** Waits for nothing, and keeps how long it was to wait. */
function impatientClock(): Clock & { waits: number[] } {
  const waits: number[] = [];
  return {
    ...systemClock,
    waits,
    sleep: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
  };
}

interface CallOptions extends Partial<HttpToolContext> {
  signal?: AbortSignal;
}

function serverOf(tool: ToolConfig, more: Partial<HttpToolContext> = {}): HttpToolServer {
  const clock = more.clock ?? impatientClock();
  return new HttpToolServer(tool, {
    readSecret: () => Promise.reject(new Error("no secrets here")),
    random: () => 0.5,
    clock,
    gate: createToolGate(tool, clock),
    transport: createTransport(tool.allowedAddresses ?? [], clock),
    ...more,
  });
}

function call(
  tool: ToolConfig,
  toolArguments: Record<string, unknown> = {},
  { signal = new AbortController().signal, ...more }: CallOptions = {},
) {
  return serverOf(tool, more).call("", toolArguments, { signal, timeoutMs: tool.timeoutMs });
}

describe("the request to an http tool", () => {
  it.each(["POST", "PUT", "PATCH"] as const)(
    "carries the arguments as JSON with %s",
    async (method) => {
      await using tool = await startTool(json({}));
      await call(aTool({ url: `${tool.url}/weather?units=metric`, method }), {
        city: "Oslo",
        days: [1, 2],
      });
      expect(tool.received).toMatchObject([
        {
          method,
          url: "/weather?units=metric",
          headers: { "content-type": "application/json" },
          body: '{"city":"Oslo","days":[1,2]}',
        },
      ]);
    },
  );

  it.each(["GET", "DELETE"] as const)("carries them in the query with %s", async (method) => {
    await using tool = await startTool(json({}));
    await call(aTool({ url: `${tool.url}/weather?units=metric`, method }), {
      city: "São Paulo & more",
      tags: ["a", "b"],
      days: 3,
      exact: false,
      area: { lat: 1 },
      note: null,
    });
    const [{ url, body, method: sent }] = tool.received as [Received];
    expect([sent, body]).toEqual([method, ""]);
    expect([...new URL(url ?? "", tool.url).searchParams]).toEqual([
      ["units", "metric"],
      ["city", "São Paulo & more"],
      ["tags", "a"],
      ["tags", "b"],
      ["days", "3"],
      ["exact", "false"],
      ["area", '{"lat":1}'],
    ]);
  });

  it.each([
    "customer",
    "Customer",
    "CUSTOMER",
    " customer",
    "customer ",
    "customer\u0000",
    "customer[]",
    "customer[0]",
    "customer[$ne]",
    "[customer]",
    "]customer",
    "customer\u00ad",
    "account id",
    "account[id",
    "\uff43ustomer",
    "account.id",
    "account_id",
    "ACCOUNT.ID[]",
  ])("keeps the query parameters of the tool's URL when the model writes %j", async (name) => {
    await using tool = await startTool(json({}));
    const config = aTool({
      url: `${tool.url}/orders?%63ustomer=42&account.id=7&flag`,
      method: "GET",
    });
    await call(config, { [name]: "43", flag: ["a", "b"], page: 2 });
    await call(config, { [name]: ["43", "44"], page: 2 });
    const sent = tool.received.map(({ url }) => [...new URL(url ?? "", tool.url).searchParams]);
    const fixed = [
      ["customer", "42"],
      ["account.id", "7"],
      ["flag", ""],
      ["page", "2"],
    ];
    expect(sent).toEqual([fixed, fixed]);
  });

  it("has every argument whose name only begins like a parameter of the tool's URL", async () => {
    await using tool = await startTool(json({}));
    const config = aTool({ url: `${tool.url}/orders?customer=42`, method: "DELETE" });
    await call(config, { customerName: "Ann", customer_id: 1, custom: 2 });
    const [{ url }] = tool.received as [Received];
    expect(url).toBe("/orders?customer=42&customerName=Ann&customer_id=1&custom=2");
  });

  it.each(["POST", "GET"] as const)(
    "takes no header, method or path from the arguments of a %s",
    async (method) => {
      await using tool = await startTool(json({}));
      const config = aTool({
        url: `${tool.url}/orders`,
        method,
        headers: { "X-Customer": "42" },
        authFile: "tools/orders",
      });
      const named = { "x-customer": "43", authorization: "Bearer other", method: "PUT" };
      const toolArguments = { ...named, headers: named, url: "http://other.invalid/", path: "/x" };
      const readSecret = () => Promise.resolve("key-of-the-tool");
      await call(config, toolArguments, { readSecret });
      const [received] = tool.received as [Received];
      expect(received).toMatchObject({
        method,
        headers: { "x-customer": "42", authorization: "Bearer key-of-the-tool" },
      });
      expect(new URL(received.url ?? "", tool.url).pathname).toBe("/orders");
    },
  );

  it("does not hand on its credential where the tool echoes the request", async () => {
    await using tool = await startTool((response, attempt) => {
      if (attempt === 2) response.statusCode = 400;
      json({ headers: { authorization: "Bearer key-of-the-tool" } })(response);
    });
    const config = aTool({ url: tool.url, authFile: "secrets/tools/weather/token" });
    const readSecret = () => Promise.resolve("key-of-the-tool");
    expect(await call(config, {}, { readSecret })).toEqual({
      result: { headers: { authorization: "Bearer [redacted]" } },
    });
    expect(JSON.stringify(await call(config, {}, { readSecret }))).not.toContain("key-of-the-tool");
  });

  it("hands on nothing of its credential in another spelling, or where the answer is cut off within it", async () => {
    const credential = 'key-"of"-the/tool';
    const spellings = [
      credential,
      JSON.stringify({ credential }),
      encodeURIComponent(credential),
      Buffer.from(`Bearer ${credential}`).toString("base64"),
    ];
    const limit = 4096;
    let answer = { status: 200, text: "" };
    await using tool = await startTool((response) => {
      response.writeHead(answer.status, { "content-type": "text/plain" }).end(answer.text);
    });
    const config = aTool({
      url: tool.url,
      authFile: "secrets/tools/weather/token",
      responseLimit: limit,
    });
    const readSecret = () => Promise.resolve(credential);
    const cutAt = async (spelled: string, at: number): Promise<string> => {
      answer = { status: 200, text: `${" ".repeat(limit - at)}${spelled} behind` };
      const outcome = await call(config, {}, { readSecret });
      return "result" in outcome ? (outcome.result as string) : "no result";
    };
    for (const spelled of spellings) {
      answer = { status: 400, text: `${spelled} behind` };
      expect(await call(config, {}, { readSecret })).toEqual({
        error: expect.stringMatching(/HTTP 400: .*\[redacted\].* behind$/) as string,
      });
      const start = Math.max(0, spelled.search(/key|a2V5/));
      for (const length of [1, 2, 3, 8, spelled.length - 1]) {
        const cut = await cutAt(spelled, Math.min(spelled.length - 1, start + length));
        expect(cut).toMatch(/\[cut off after 4096 bytes\]$/);
        expect(cut).not.toMatch(/key|a2V5|aZXk/);
      }
    }
  });

  it("carries the tool's headers, and its key as it is at the time of the call", async () => {
    await using tool = await startTool(json({}));
    const config = aTool({
      url: tool.url,
      headers: { "X-Team": "support" },
      authFile: "tools/weather",
    });
    const keys = ["first\n", "second\n"];
    const readSecret = () => Promise.resolve(keys.shift() ?? "");
    await call(config, {}, { readSecret });
    await call(config, {}, { readSecret });
    expect(tool.received.map(({ headers }) => [headers["x-team"], headers.authorization])).toEqual([
      ["support", "Bearer first"],
      ["support", "Bearer second"],
    ]);
  });

  it.each([
    [{ url: "ftp://tools/x" }, "the tool's url is not an http or https URL"],
    [
      { url: "http://tools/", headers: { "bad header": "x" } },
      "the tool has a header that HTTP does not allow",
    ],
    [{ url: "http://tools/", authFile: "gone" }, "the tool's credentials could not be read"],
  ])("is not made from %j", async (parts, error) => {
    expect(await call(aTool(parts))).toEqual({ error });
  });
});

describe("the answer of an http tool", () => {
  it("has no half of a surrogate pair in its values and keys", async () => {
    await using tool = await startTool(json({ city: "Os\ud83dlo", "\udc00": ["😀"] }));
    expect(await call(aTool({ url: tool.url }))).toEqual({
      result: { city: "Os\uFFFDlo", "\uFFFD": ["😀"] },
    });
  });

  it.each([
    ["application/json; charset=utf-8", '{"degrees":21}', { degrees: 21 }],
    ["application/problem+json", "[1]", [1]],
    ["text/plain", '{"degrees":21}', '{"degrees":21}'],
    [undefined, '{"degrees":21}', { degrees: 21 }],
    [undefined, "21 degrees", "21 degrees"],
    ["application/x-ndjson", '{"a":1}\n{"a":2}', '{"a":1}\n{"a":2}'],
    ["text/html", "<p>21 degrees</p>", "<p>21 degrees</p>"],
    ["application/json", "", null],
    // What reads a result by recursion would not come to its end.
    [
      "application/json",
      "[".repeat(5_000) + "]".repeat(5_000),
      "[".repeat(5_000) + "]".repeat(5_000),
    ],
  ])("of type %s, %j, is taken as %j", async (type, body, result) => {
    await using tool = await startTool((response) => {
      if (type !== undefined) response.setHeader("content-type", type);
      response.end(body);
    });
    expect(await call(aTool({ url: tool.url }))).toEqual({ result });
  });

  it("is cut off at the limit, and says so", async () => {
    await using tool = await startTool(json("é".repeat(MAX_TOOL_OUTPUT_BYTES)));
    const outcome = await call(aTool({ url: tool.url }));
    const { result } = outcome as { result: string };
    expect(result).toMatch(/^"é+\n\[cut off after 65536 bytes\]$/);
    expect(Buffer.byteLength(result)).toBeLessThan(MAX_TOOL_OUTPUT_BYTES + 64);
  });

  it("of exactly the limit is whole", async () => {
    const body = "x".repeat(MAX_TOOL_OUTPUT_BYTES);
    await using tool = await startTool(
      (response) => void response.setHeader("content-type", "text/plain").end(body),
    );
    expect(await call(aTool({ url: tool.url }))).toEqual({ result: body });
  });

  it.each(["{broken", "<html>Bad gateway</html>", '{"degrees":', "not found at 10.1.2.3"])(
    "that claims to be JSON and is %j is an error without a word of it",
    async (body) => {
      await using tool = await startTool((response) => {
        response.writeHead(200, { "content-type": "application/json" }).end(body);
      });
      expect(await call(aTool({ url: tool.url }))).toEqual({
        error: "the tool's answer is no whole JSON",
      });
    },
  );

  it.each([400, 404, 422, 429])(
    "with HTTP %i is an error with what the tool said of it",
    async (status) => {
      await using tool = await startTool((response) =>
        response.writeHead(status, { "content-type": "text/plain" }).end("no such city"),
      );
      expect(await call(aTool({ url: tool.url, retries: 3 }))).toEqual({
        error: `the tool answered HTTP ${status}: no such city`,
      });
      expect(tool.received).toHaveLength(1);
    },
  );

  it("that is an error is cut off sooner", async () => {
    await using tool = await startTool((response) =>
      response
        .writeHead(400, { "content-type": "application/json" })
        .end(JSON.stringify("é".repeat(MAX_TOOL_ERROR_BYTES))),
    );
    const { error } = (await call(aTool({ url: tool.url }))) as { error: string };
    expect(error).toMatch(/^the tool answered HTTP 400: "é+\n\[cut off after 4096 bytes\]$/);
    expect(Buffer.byteLength(error)).toBeLessThan(MAX_TOOL_ERROR_BYTES + 100);
  });

  it("that breaks off is an error, and is not asked for again", async () => {
    await using tool = await startTool((response) => {
      response.write("half of");
      setImmediate(() => response.destroy());
    });
    expect(await call(aTool({ url: tool.url, retries: 3 }))).toEqual({
      error: "the tool broke off in the middle of its answer",
    });
    expect(tool.received).toHaveLength(1);
  });
});

describe("another attempt", () => {
  it.each([502, 503, 504])("follows HTTP %i, with a growing pause", async (status) => {
    await using tool = await startTool((response, attempt) => {
      if (attempt < 3) response.writeHead(status).end();
      else json("sunny")(response);
    });
    const clock = impatientClock();
    const config = aTool({ url: tool.url, method: "PUT", retries: 2 });
    expect(await call(config, {}, { clock })).toEqual({ result: "sunny" });
    expect(clock.waits).toEqual([150, 300]);
  });

  it("follows a connection that was broken before the answer", async () => {
    await using tool = await startTool((response, attempt) => {
      if (attempt === 1) response.destroy();
      else json("sunny")(response);
    });
    const config = aTool({ url: tool.url, method: "GET", retries: 1 });
    expect(await call(config)).toEqual({ result: "sunny" });
  });

  it("is made as often as the registry says, and no more", async () => {
    await using tool = await startTool((response) => response.writeHead(503).end());
    expect(await call(aTool({ url: tool.url, method: "DELETE", retries: 2 }))).toEqual({
      error: "the tool answered HTTP 503",
    });
    expect(tool.received).toHaveLength(3);
  });

  it("does not follow a tool that took too long, since it may have done its work", async () => {
    const arrived = Promise.withResolvers<void>();
    await using tool = await startTool(() => arrived.resolve());
    const clock = new ManualClock();
    const outcome = call(aTool({ url: tool.url, retries: 3, timeoutMs: 2_000 }), {}, { clock });
    await arrived.promise;
    await clock.advance(2_000);
    expect(await outcome).toEqual({ error: "the tool did not answer within 2 seconds" });
    expect(tool.received).toHaveLength(1);
  });

  it("includes the body in the time of an attempt", async () => {
    const clock = new ManualClock();
    await using tool = await startTool((response) => {
      response.write("slow");
      setImmediate(() => void clock.advance(2_000));
    });
    const config = aTool({ url: tool.url, timeoutMs: 2_000 });
    expect(await call(config, {}, { clock })).toEqual({
      error: "the tool did not answer within 2 seconds",
    });
  });
});

describe("a tool that cannot be reached", () => {
  it("is said to be, without its address", async () => {
    const gone = await startTool(json({}));
    await gone.close();
    const outcome = await call(aTool({ url: gone.url, retries: 1 }));
    expect(outcome).toEqual({ error: "the tool could not be reached: the connection was refused" });
  });

  it("may have a name that nobody knows", async () => {
    const outcome = await call(aTool({ url: "http://no-such-host.invalid/" }));
    expect((outcome as { error: string }).error).toMatch(
      /^the tool could not be reached: its host name/,
    );
  });
});

describe("a redirect", () => {
  it("is followed within the tool's own origin", async () => {
    await using tool = await startTool((response, attempt) => {
      if (attempt === 1) response.writeHead(308, { location: "/v2" }).end();
      else json("sunny")(response);
    });
    expect(await call(aTool({ url: `${tool.url}/v1` }), { city: "Oslo" })).toEqual({
      result: "sunny",
    });
    expect(tool.received[1]).toMatchObject({ url: "/v2", method: "POST", body: '{"city":"Oslo"}' });
  });

  it("to another origin is not followed: it would take the key along", async () => {
    await using other = await startTool(json("stolen"));
    await using tool = await startTool((response) =>
      response.writeHead(302, { location: other.url }).end(),
    );
    const readSecret = () => Promise.resolve("key");
    const outcome = await call(
      aTool({ url: tool.url, authFile: "tools/weather" }),
      {},
      { readSecret },
    );
    expect(outcome).toEqual({
      error: "the tool redirects to another address, which is not followed",
    });
    expect(other.received).toEqual([]);
  });

  it("that leads in a circle ends", async () => {
    await using tool = await startTool((response) =>
      response.writeHead(303, { location: "/" }).end(),
    );
    expect(await call(aTool({ url: tool.url }))).toEqual({
      error: "the tool redirects again and again",
    });
  });
});

describe("a call of an http tool", () => {
  it("ends at once when the turn does, and closes the connection", async () => {
    const closed = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    await using tool = await startTool((response) => {
      arrived.resolve();
      response.once("close", () => closed.resolve());
    });
    const stop = new AbortController();
    const outcome = rejectionOf(
      call(aTool({ url: tool.url, retries: 3 }), {}, { signal: stop.signal }),
    );
    await arrived.promise;
    stop.abort(new Error("cancelled"));
    expect(await outcome).toMatchObject({ message: "cancelled" });
    await closed.promise;
    expect(tool.received).toHaveLength(1);
  });
});
