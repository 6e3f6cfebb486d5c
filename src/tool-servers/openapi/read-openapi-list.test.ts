import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import { startHttpServer } from "../../../test/support/processes/http-server.ts";
import { systemClock } from "../../time/clock.ts";
import { createTransport } from "../server/guarded-transport.ts";
import { MAX_OPENAPI_BYTES, OPENAPI_READ_TIMEOUT_MS } from "../server/limits.ts";
import {
  type OpenApiListContext,
  type OpenApiSource,
  readOpenApiList,
} from "./read-openapi-list.ts";

const DOCUMENT = {
  openapi: "3.1.0",
  info: { title: "Shop", version: "1" },
  paths: { "/cities": { get: { operationId: "findCity", summary: "Finds a city" } } },
};
const LOOPBACK = ["loopback"];

async function startDocument(answer: (response: ServerResponse, request: IncomingMessage) => void) {
  const received: IncomingMessage[] = [];
  const server = await startHttpServer((request, response) => {
    received.push(request);
    answer(response, request);
  });
  onTestFinished(() => server.close());
  return { url: `${server.url}/v1/openapi.json`, origin: server.url, received };
}

function read(
  source: Partial<OpenApiSource> & { url: string },
  more: Partial<OpenApiListContext> = {},
) {
  const { allowedAddresses = LOOPBACK } = source;
  const clock = more.clock ?? systemClock;
  return readOpenApiList(
    { headers: {}, hasCredential: more.credential !== undefined, ...source, allowedAddresses },
    {
      transport: createTransport(allowedAddresses, clock),
      clock,
      credential: undefined,
      signal: new AbortController().signal,
      ...more,
    },
  );
}

function failed(reason: string, message: RegExp): object {
  return { state: "failed", reason, message: expect.stringMatching(message) as string };
}

describe("the list of an openapi server", () => {
  it.each([
    ["JSON", JSON.stringify(DOCUMENT)],
    ["JSON behind a byte order mark", `\uFEFF ${JSON.stringify(DOCUMENT)}`],
    [
      "YAML",
      `# the shop\nopenapi: 3.1.0\npaths:\n  /cities:\n    get: &find\n      operationId: findCity\n      summary: Finds a city\n      responses:\n        200: {description: yes}\n`,
    ],
  ])("is read from a document in %s", async (_, text) => {
    const { url, origin } = await startDocument((response) => response.end(text));
    expect(await read({ url })).toEqual({
      state: "read",
      isOpenApi: true,
      tools: [
        {
          name: "findCity",
          description: "Finds a city",
          inputSchema: { type: "object", properties: {}, additionalProperties: false },
          method: "GET",
          url: `${origin}/cities`,
          parameters: [],
        },
      ],
      unsupported: [],
    });
  });

  it("is asked for with the headers and the credential of its entry", async () => {
    const { url, received } = await startDocument((response) => {
      response.setHeader("content-encoding", "gzip").end(gzipSync(JSON.stringify(DOCUMENT)));
    });
    const source = {
      url,
      headers: { "X-Team": "support" },
      authType: "header" as const,
      authHeader: "X-Key",
    };
    expect(await read(source, { credential: "secret-of-the-shop\n" })).toMatchObject({
      state: "read",
    });
    expect(received[0]).toMatchObject({
      method: "GET",
      headers: { "x-team": "support", "x-key": "secret-of-the-shop" },
    });
  });

  it("is asked for without the credential where that is for a server of another origin", async () => {
    const { url, received } = await startDocument((response) =>
      response.end(JSON.stringify(DOCUMENT)),
    );
    const reading = await read({ url, server: "https://api.example" }, { credential: "secret" });
    expect(reading).toMatchObject({ tools: [{ url: "https://api.example/cities" }] });
    await read({ url, server: "/api" }, { credential: "secret" });
    expect(received.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      "Bearer secret",
    ]);
  });

  it("is refused where the document repeats the credential", async () => {
    const { url } = await startDocument((response, { headers }) =>
      response.end(JSON.stringify({ ...DOCUMENT, info: headers })),
    );
    const reading = await read({ url }, { credential: "secret-of-the-shop" });
    expect(reading).toEqual(failed("InvalidTool", /has the credential in it/));
    expect(JSON.stringify(reading)).not.toContain("secret-of-the-shop");
  });

  it.each([
    [404, {}, "gone", "Unreachable", /HTTP 404; see that its URL leads to an OpenAPI document$/],
    [401, {}, "{}", "Unreachable", /HTTP 401; see that the credential of its entry is right$/],
    [202, {}, JSON.stringify(DOCUMENT), "Unreachable", /HTTP 202/],
    [204, {}, "", "Unreachable", /HTTP 204/],
    [502, {}, "<html>10.1.2.3</html>", "Unreachable", /HTTP 502/],
    [
      302,
      { location: "http://169.254.169.254/" },
      "",
      "Unreachable",
      /redirects to another address/,
    ],
    [302, { location: "/v1/openapi.json" }, "", "Unreachable", /redirects again and again$/],
    [200, {}, "<html>10.1.2.3</html>", "InvalidTool", /neither JSON nor YAML$/],
    [200, {}, "", "InvalidTool", /neither JSON nor YAML$/],
    [200, {}, JSON.stringify(DOCUMENT).slice(0, 50), "InvalidTool", /no whole JSON$/],
    [200, {}, "a: [b", "InvalidTool", /neither JSON nor YAML$/],
    [200, {}, "just text", "InvalidTool", /no OpenAPI document$/],
    [200, {}, "a: 1\n".repeat(300_000), "InvalidTool", /YAML of more than 1 MiB; give it as JSON$/],
    [200, {}, "[".repeat(50_000), "InvalidTool", /neither JSON nor YAML$/],
    [200, {}, "x".repeat(MAX_OPENAPI_BYTES + 1), "InvalidTool", /larger than 16 MiB$/],
    [200, { "content-encoding": "gzip" }, "no gzip", "Unreachable", /broke off in the middle/],
    [200, { "content-length": "999" }, "{}", "Unreachable", /broke off in the middle/],
  ])("is not there for HTTP %i with %j", async (status, headers, text, reason, message) => {
    const { url } = await startDocument((response) => {
      response.writeHead(status, headers);
      if (!("content-length" in headers)) response.end(text);
      else response.write(text, () => response.destroy());
    });
    const reading = await read({ url });
    expect(reading).toEqual(failed(reason, message));
    expect(JSON.stringify(reading)).not.toMatch(/10\.1|169\.254|127\.0/);
  });

  it("is not there when its address is not allowed, or nothing listens", async () => {
    const { url, received } = await startDocument((response) => response.end("{}"));
    expect(await read({ url, allowedAddresses: [] })).toEqual(
      failed("Unreachable", /its address is not allowed for tools$/),
    );
    expect(received).toEqual([]);
    expect(await read({ url: "http://127.0.0.1:1/x" })).toEqual(
      failed("Unreachable", /the connection was refused$/),
    );
    expect(await read({ url: "http://a:99999/x" })).toEqual(failed("InvalidTool", /no URL/));
  });

  it("is not waited for longer than its time", async () => {
    const clock = new ManualClock();
    const asked = Promise.withResolvers<void>();
    const { url } = await startDocument(() => asked.resolve());
    const reading = read({ url }, { clock });
    await asked.promise;
    await clock.advance(OPENAPI_READ_TIMEOUT_MS);
    expect(await reading).toEqual(failed("Unreachable", /longer than 25 seconds$/));
  });

  it("is not waited for when nobody wants it any more", async () => {
    const stop = new AbortController();
    const { url } = await startDocument(() => stop.abort(new Error("stopped")));
    expect(await rejectionOf(read({ url }, { signal: stop.signal }))).toMatchObject({
      message: "stopped",
    });
  });

  it("is refused where its entry has a header or a credential that cannot be sent", async () => {
    const { url } = await startDocument((response) => response.end("{}"));
    expect(await read({ url, headers: { "bad header": "x" } })).toEqual(
      failed("InvalidTool", /could not be asked for/),
    );
    expect(await read({ url, authType: "basic" }, { credential: "no-colon" })).toEqual(
      failed("InvalidTool", /could not be asked for/),
    );
  });
});
