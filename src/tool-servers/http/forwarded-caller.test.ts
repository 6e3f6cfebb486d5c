import { text } from "node:stream/consumers";
import type { IncomingMessage } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { aTool } from "../../../test/support/builders/agent-config.ts";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { startHttpServer } from "../../../test/support/processes/http-server.ts";
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import { callerHeaders, type ToolCaller } from "../server/tool-caller.ts";
import { ToolServers } from "../tool-servers.ts";

const { signal } = new AbortController();
const ALICE: ToolCaller = { subject: "alice", sessionId: "session-1" };
const CREDENTIAL = "s3cret";

async function aServer(answer: "echo" | { redirectTo: string } = "echo") {
  const received: { headers: IncomingMessage["headers"]; body: string }[] = [];
  const server = await startHttpServer(async (request, response) => {
    const { headers } = request;
    received.push({ headers, body: await text(request) });
    if (answer !== "echo" && request.url !== answer.redirectTo) {
      response.writeHead(307, { location: answer.redirectTo }).end();
    } else response.end(JSON.stringify(headers));
  });
  onTestFinished(() => server.close());
  const clock = new ManualClock();
  const servers = new ToolServers({
    readSecret: () => Promise.resolve(` ${CREDENTIAL}\n`),
    clock,
    random: () => 0.5,
  });
  const call = (
    tool: Partial<ToolConfig>,
    caller: ToolCaller | undefined = ALICE,
    toolArguments = {},
  ) => {
    const whole = aTool({ url: server.url, authFile: "tools/weather/token", ...tool });
    return servers.of(whole).call("", toolArguments, { signal, timeoutMs: 5_000, caller });
  };
  const expected = (body: string | undefined, caller = ALICE) =>
    signedBy(CREDENTIAL, { caller, body, now: clock.now() });
  return { call, received, expected };
}

function signedBy(
  credential: string,
  { caller, body, now }: { caller: ToolCaller; body: string | undefined; now: number },
): Readonly<Record<string, string>> {
  const told = callerHeaders(caller, { credential, body, now });
  if ("error" in told) throw new Error(told.error);
  return told.headers;
}

function omniaHeaders(headers: IncomingMessage["headers"] | undefined) {
  const entries = Object.entries(headers ?? {});
  return Object.fromEntries(entries.filter(([name]) => name.startsWith("x-omnia-")));
}

describe("a call of an http tool", () => {
  it("tells of the caller, signed over the body that is sent", async () => {
    const { call, received, expected } = await aServer();
    await call({ forward: ["subject"] }, ALICE, { city: "Ålesund" });
    expect(received[0]?.body).toBe('{"city":"Ålesund"}');
    expect(omniaHeaders(received[0]?.headers)).toEqual(expected('{"city":"Ålesund"}'));
  });

  it("tells of it without a body, too", async () => {
    const { call, received, expected } = await aServer();
    await call({ forward: ["subject"], method: "GET" }, ALICE, { city: "Oslo" });
    expect(omniaHeaders(received[0]?.headers)).toEqual(expected(undefined));
  });

  it("names no subject where nobody is authenticated", async () => {
    const { call, received, expected } = await aServer();
    const anyone = { subject: undefined, sessionId: "session-1" };
    await call({ forward: ["subject"], headers: { "X-Omnia-Subject": "admin" } }, anyone);
    expect(omniaHeaders(received[0]?.headers)).toEqual(expected("{}", anyone));
    expect(received[0]?.headers["x-omnia-subject"]).toBeUndefined();
  });

  it.each([undefined, []])("tells a tool that did not ask nothing: forward %j", async (forward) => {
    const { call, received } = await aServer();
    await call({ forward, headers: { "X-Omnia-Subject": "admin", "x-omnia-signature": "v1=0" } });
    expect(omniaHeaders(received[0]?.headers)).toEqual({});
  });

  it("has the agent's words, whatever the manifest sets", async () => {
    const { call, received, expected } = await aServer();
    await call({
      forward: ["subject"],
      headers: { "X-OMNIA-Subject": "admin", "X-Omnia-Session": "other" },
      authType: "header",
      authHeader: "X-Omnia-Signature",
    });
    expect(omniaHeaders(received[0]?.headers)).toEqual(expected("{}"));
  });

  it.each([
    [{ authType: "basic" }, "alice:pass"],
    [{ authType: "header", authHeader: "X-Api-Key" }, CREDENTIAL],
  ] as const)("is signed with the whole credential, sent as %j", async (auth, credential) => {
    const received: IncomingMessage["headers"][] = [];
    const server = await startHttpServer((request, response) => {
      received.push(request.headers);
      response.end();
    });
    onTestFinished(() => server.close());
    const clock = new ManualClock();
    const readSecret = () => Promise.resolve(credential);
    const servers = new ToolServers({ readSecret, clock, random: () => 0.5 });
    const tool = aTool({ url: server.url, authFile: "token", forward: ["subject"], ...auth });
    await servers.of(tool).call("", {}, { signal, timeoutMs: 5_000, caller: ALICE });
    const expected = signedBy(credential, { caller: ALICE, body: "{}", now: clock.now() });
    expect(omniaHeaders(received[0])).toEqual(expected);
  });

  it("keeps what it tells on a redirect within the origin", async () => {
    const { call, received, expected } = await aServer({ redirectTo: "/there" });
    await call({ forward: ["subject"] });
    expect(received.map(({ headers }) => omniaHeaders(headers))).toEqual([
      expected("{}"),
      expected("{}"),
    ]);
  });

  it("is not made when nothing can sign it", async () => {
    const { call, received } = await aServer();
    expect(await call({ forward: ["subject"], authFile: undefined })).toEqual({
      error: "the tool has no credential to sign the caller with",
    });
    expect(received).toEqual([]);
  });

  it("shows the signature to nobody when the tool echoes it", async () => {
    const { call, received } = await aServer();
    const outcome = await call({ forward: ["subject"] });
    const signature = String(received[0]?.headers["x-omnia-signature"]);
    expect(JSON.stringify(outcome)).not.toContain(signature.slice("v1=".length));
    expect(JSON.stringify(outcome)).toContain("session-1");
  });
});
