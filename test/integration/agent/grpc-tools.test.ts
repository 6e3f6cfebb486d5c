/** Tools of type grpc against the servers of gRPC's own libraries, and against what is no gRPC server. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ToolConfig } from "../../../src/agent-config/agent-config.ts";
import { compileSchema } from "../../../src/promptpack/schema/compile-schema.ts";
import { systemClock } from "../../../src/time/clock.ts";
import type { ToolOutcome } from "../../../src/tool-servers/server/tool-outcome.ts";
import type { ToolServer } from "../../../src/tool-servers/server/tool-server.ts";
import { ToolServers } from "../../../src/tool-servers/tool-servers.ts";
import { aTool } from "../../support/builders/agent-config.ts";
import { shopDescriptors, startGrpcio, startGrpcJS } from "../../support/grpc/grpc-server.ts";
import {
  HIDDEN_TEXT,
  PORT_FAULTS,
  startFaultyPort,
  startFaultyStreams,
  startLatePort,
  STREAM_FAULTS,
} from "../../support/grpc/faulty-grpc.ts";
import { timeFor } from "../../support/processes/busy-machine.ts";

const SECRET = "secret-of-the-shop";
const never = new AbortController().signal;

function serverOf(tool: Partial<ToolConfig> & Pick<ToolConfig, "url">): ToolServer {
  const readSecret = () => Promise.resolve(SECRET);
  const servers = new ToolServers({ readSecret, clock: systemClock, random: () => 0 });
  return servers.of(aTool({ type: "grpc", description: "The shop", ...tool }));
}

/** As a turn does it: the tools are listed, and one of them is called. */
async function call(
  server: ToolServer,
  name: string,
  toolArguments: Record<string, unknown>,
  { timeoutMs = 20_000, signal = never } = {},
): Promise<ToolOutcome> {
  const tool = (await server.list(signal)).find((each) => each.name === name);
  if (tool === undefined) throw new Error(`no tool ${name} is listed`);
  const schema = compileSchema(tool.inputSchema);
  if (!schema.ok) throw new Error(schema.problem);
  expect(schema.check(toolArguments, { maxSteps: 1_000_000, maxProblems: 10 })).toEqual([]);
  return await server.call(name, toolArguments, { signal, timeoutMs });
}

async function namesOf(server: ToolServer): Promise<string[]> {
  return (await server.list(never)).map(({ name }) => name);
}

async function withDescriptors(services?: string[]): Promise<Partial<ToolConfig>> {
  const descriptorSet = (await shopDescriptors()).toString("base64");
  return { grpc: { descriptorSet, services } };
}

const OFFERED = ["At", "Echo", "Fail", "GetOrder", "Headers", "PlaceOrder", "SendBytes"];
const ALL = [...OFFERED, "Wait", "WatchOrders"].map((name) => `Shop_${name}`);

const STATUSES = [
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

const EVERYTHING = {
  anInt32: -1,
  anInt64: "-9007199254740993",
  aUint64: "18446744073709551615",
  aDouble: 0.5,
  aBool: true,
  someBytes: "aGk=",
  state: "STATE_SENT",
  states: ["STATE_OPEN", "STATE_SENT"],
  counts: { a: 1 },
  within: { within: { byOrder: { orderId: "deep", items: [{ name: "pen", count: 2 }] } } },
  byNumber: "7",
  at: "2026-01-31T12:00:00Z",
  wait: "1.500s",
  details: { list: [1, "b", null, { c: true }] },
  value: [1, "x"],
  list: [false, 2],
  maybe: "0",
  mask: "orderId,items",
  any: { "@type": "type.googleapis.com/shop.v1.Order", orderId: "packed" },
  note: "",
  others: [{ anInt32: 5 }],
};

describe.each([
  ["grpcio with its reflection", startGrpcio],
  ["grpc-js with @grpc/reflection", startGrpcJS],
])("%s", (_name, start) => {
  it("offers its unary and server-streaming methods, and takes and gives canonical JSON", async () => {
    await using backend = await start();
    const server = serverOf({ url: `grpc://127.0.0.1:${backend.port}` });
    expect(await namesOf(server)).toEqual(ALL);
    expect(await call(server, "Shop_Echo", EVERYTHING)).toEqual({ result: EVERYTHING });
    expect(await call(server, "Shop_GetOrder", { orderId: "7" })).toEqual({
      result: { orderId: "7", state: "STATE_SENT", cents: "9007199254740993" },
    });
    expect(await call(server, "Shop_GetOrder", { orderId: "none" })).toEqual({
      error: "the tool answered NOT_FOUND: order none is not there",
    });
    expect(await call(server, "Shop_WatchOrders", { count: 2 })).toEqual({
      result: [{ orderId: "0" }, { orderId: "1" }],
    });
    expect(await call(server, "Shop_PlaceOrder", { cents: 12 })).toEqual({
      result: { cents: "12" },
    });
  });

  it("is found again after it was killed and started anew, between calls and in one", async () => {
    await using backend = await start();
    const server = serverOf({ url: `127.0.0.1:${backend.port}`, retries: 3 });
    expect(await call(server, "Shop_GetOrder", { orderId: "1" })).toHaveProperty("result");
    await backend.kill();
    const refused = "the tool could not be reached: the connection was refused";
    const options = { signal: never, timeoutMs: 5_000 };
    expect(await server.call("Shop_GetOrder", {}, options)).toEqual({ error: refused });
    await backend.start();
    expect(await call(server, "Shop_GetOrder", { orderId: "2" })).toHaveProperty("result");
  });
});

describe("a gRPC tool", () => {
  it("is offered by `Service_Method`, with the package where two services have it, and by allow and block", async () => {
    await using backend = await startGrpcio({ withStore: true });
    const url = `grpc://127.0.0.1:${backend.port}`;
    const names = await namesOf(serverOf({ url }));
    expect(names).toEqual([
      ...ALL.filter((name) => name !== "Shop_GetOrder"),
      "shop_v1_Shop_GetOrder",
      "store_v1_Shop_GetOrder",
    ]);
    const allow = ["Shop_Echo", "store_v1_Shop_GetOrder", "Shop_Upload", "Shop_Wait"];
    const server = serverOf({ url, allow, block: ["Shop_Wait"] });
    expect(await namesOf(server)).toEqual(["Shop_Echo", "store_v1_Shop_GetOrder"]);
    expect(await call(server, "store_v1_Shop_GetOrder", { orderId: "1" })).toEqual({
      result: { orderId: "store 1" },
    });
    const hidden = await server.call("Shop_Wait", {}, { signal: never, timeoutMs: 1_000 });
    expect(hidden).toHaveProperty("error");
    expect(backend.lines.filter((line) => line.endsWith("Wait"))).toEqual([]);
    const one = serverOf({ url, grpc: { services: ["shop.v1.Shop"] } });
    expect(await namesOf(one)).toEqual(ALL);
  });

  it("needs no reflection where its descriptors are given, and then has the words of their authors", async () => {
    await using backend = await startGrpcio({ reflection: false });
    const url = `grpc://127.0.0.1:${backend.port}`;
    expect(await namesOf(serverOf({ url }))).toEqual([]);
    const server = serverOf({ url, ...(await withDescriptors(["shop.v1.Shop"])) });
    const [, echo, , order] = await server.list(never);
    expect(echo).toMatchObject({ name: "Shop_Echo", description: "Gives back what it was given." });
    expect(order?.inputSchema).toEqual({
      type: "object",
      properties: { orderId: { type: "string", description: "As it is printed on the bill." } },
    });
    expect(await call(server, "Shop_Echo", EVERYTHING)).toEqual({ result: EVERYTHING });
    expect(await call(server, "Shop_Echo", { an_int32: 4 })).toEqual({ result: { anInt32: 4 } });
  });

  it("is told what does not fit, and is not called", async () => {
    await using backend = await startGrpcio();
    const server = serverOf({ url: `grpc://127.0.0.1:${backend.port}` });
    await server.list(never);
    for (const wrong of [{ nope: 1 }, { byName: "a", byNumber: "1" }, { at: "yesterday" }]) {
      const outcome = await server.call("Shop_Echo", wrong, { signal: never, timeoutMs: 5_000 });
      expect(outcome).toMatchObject({
        error: expect.stringMatching(/^not called: the arguments do not fit/) as string,
      });
    }
    expect(backend.lines).toEqual([]);
  });

  it("has a value that is no object as the one argument `value`", async () => {
    await using backend = await startGrpcio();
    const server = serverOf({ url: `grpc://127.0.0.1:${backend.port}` });
    const value = "2026-01-31T12:00:00Z";
    expect(await call(server, "Shop_At", { value })).toEqual({ result: value });
  });

  it("is sent headers and credential as metadata, and neither comes back in an answer", async () => {
    await using backend = await startGrpcio();
    const server = serverOf({
      url: `grpc://127.0.0.1:${backend.port}`,
      headers: { "x-team": "support" },
      authFile: "tools/shop/key",
      authType: "header",
      authHeader: "X-Api-Key",
    });
    const outcome = await call(server, "Shop_Headers", {});
    expect(outcome).toMatchObject({
      result: { headers: { "x-team": "support", "x-api-key": "[redacted]" } },
    });
    const failed = await call(server, "Shop_Fail", {
      code: 14,
      message: `no route to ipv4:10.9.8.7:443 and http://internal.example/x with ${SECRET}`,
    });
    expect(failed).toEqual({
      error:
        "the tool answered UNAVAILABLE: no route to ipv4:[address] and [address] with [redacted]",
    });
  });

  it("says with which status it answered, and is not called again", async () => {
    await using backend = await startGrpcio();
    const server = serverOf({ url: `grpc://127.0.0.1:${backend.port}`, retries: 3 });
    for (const [index, name] of STATUSES.entries()) {
      expect(await call(server, "Shop_Fail", { code: index + 1, message: "as asked" })).toEqual({
        error: `the tool answered ${name}: as asked`,
      });
    }
    await expect.poll(() => backend.lines).toEqual(STATUSES.map(() => "called Fail"));
  });

  it("ends a call when its time is over or it is cancelled, and the server hears of it", async () => {
    await using backend = await startGrpcio();
    const server = serverOf({ url: `grpc://127.0.0.1:${backend.port}` });
    expect(await call(server, "Shop_Wait", { seconds: 30 }, { timeoutMs: 3_000 })).toEqual({
      error: "the tool did not answer within 3 seconds",
    });
    const stop = new AbortController();
    const cancelled = call(server, "Shop_Wait", { seconds: 30 }, { signal: stop.signal });
    await expect.poll(() => backend.lines.length).toBeGreaterThanOrEqual(3);
    stop.abort(new Error("the client left"));
    await expect(cancelled).rejects.toThrow("the client left");
    const heard = () => backend.lines.filter((line) => line === "cancelled Wait").length;
    await expect.poll(heard).toBe(2);
  });

  it("gives what a stream had by then when it is too long, lasts too long or has too much", async () => {
    await using backend = await startGrpcio();
    const server = serverOf({ url: `grpc://127.0.0.1:${backend.port}`, responseLimit: 2_048 });
    const orders = async (toolArguments: Record<string, unknown>, timeoutMs = 20_000) =>
      (
        (await call(server, "Shop_WatchOrders", toolArguments, { timeoutMs })) as {
          result: unknown[];
        }
      ).result;
    const long = await orders({ count: 10_000 });
    expect(long).toHaveLength(101);
    expect(long.at(-1)).toBe("[cut off after 100 messages]");
    const slow = await orders({ count: 3, seconds: 30 }, 5_000);
    expect(slow).toEqual([{ orderId: "0" }, "[cut off after 5 seconds]"]);
    expect(await call(server, "Shop_WatchOrders", { count: 1, fails: true })).toEqual({
      error: "the tool answered INTERNAL: no more orders",
    });
    const large = (await call(server, "Shop_SendBytes", { size: 5_000 })) as { result: string };
    expect(large.result).toMatch(/x\n\[cut off after 2048 bytes\]$/);
    expect(await call(server, "Shop_SendBytes", { size: 10_000_000 })).toEqual({
      error: "the tool's answer is larger than 8192 bytes",
    });
    expect(await call(server, "Shop_GetOrder", { orderId: "1" })).toHaveProperty("result");
  });

  it("is told as broken off when its server dies in a call, and the call is not made again", async () => {
    await using backend = await startGrpcio();
    const server = serverOf({ url: `grpc://127.0.0.1:${backend.port}`, retries: 3 });
    const waiting = call(server, "Shop_Wait", { seconds: 30 });
    await expect.poll(() => backend.lines).toContain("called Wait");
    await backend.kill();
    expect(await waiting).toEqual({ error: "the tool broke off in the middle of its answer" });
    await backend.start();
    expect(await call(server, "Shop_GetOrder", { orderId: "1" })).toHaveProperty("result");
    expect(backend.lines.filter((line) => line === "called Wait")).toHaveLength(1);
  });

  it("runs many calls at a time over one connection", async () => {
    await using backend = await startGrpcio();
    const server = serverOf({ url: `grpc://127.0.0.1:${backend.port}` });
    const calls = Array.from({ length: 20 }, (_, id) =>
      call(server, "Shop_GetOrder", { orderId: String(id) }),
    );
    for (const [id, outcome] of (await Promise.all(calls)).entries()) {
      expect(outcome).toMatchObject({ result: { orderId: String(id) } });
    }
  });

  it.each(["grpc://127.0.0.1", "http://2130706433", "localhost", "grpc://[::1]"])(
    "is never connected to at %s without being allowed to",
    async (host) => {
      await using port = await startFaultyPort(PORT_FAULTS["an end at once"]);
      const url = `${host}:${port.port}`;
      const server = serverOf({ url, allowedAddresses: [], ...(await withDescriptors()) });
      expect(await call(server, "Shop_Echo", {})).toEqual({
        error: "the tool could not be reached: its address is not allowed for tools",
      });
      expect(port.taken).toBe(0);
    },
  );
});

describe("a gRPC tool over TLS", () => {
  it("is called where its certificate is trusted, and not where it is unknown", async () => {
    const folder = await mkdtemp(join(tmpdir(), "grpc-tls-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const tls = { certificate: join(folder, "server.crt"), key: join(folder, "server.key") };
    await promisify(execFile)("openssl", [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(" "),
      ..."-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1".split(" "),
      "-keyout",
      tls.key,
      "-out",
      tls.certificate,
    ]);
    await using backend = await startGrpcio({ tls });
    const url = `grpcs://localhost:${backend.port}`;
    const tool = { url, ...(await withDescriptors(["shop.v1.Shop"])) };
    expect(await call(serverOf(tool), "Shop_GetOrder", { orderId: "1" })).toEqual({
      error: "the tool could not be reached: the connection failed",
    });
    const trusted = getCACertificates();
    onTestFinished(() => setDefaultCACertificates(trusted));
    setDefaultCACertificates([...trusted, await readFile(tls.certificate, "utf8")]);
    const server = serverOf({ url });
    expect(await call(server, "Shop_GetOrder", { orderId: "1" })).toHaveProperty("result");
    const plain = serverOf({
      url: `grpc://localhost:${backend.port}`,
      ...(await withDescriptors()),
    });
    expect(await call(plain, "Shop_Echo", {})).toHaveProperty("error");
  });
});

describe("what answers in place of a gRPC server", () => {
  const failed =
    /^the tool (could not be reached|did not answer|broke off|answered)|^the tool's answer/;

  it.each(Object.entries(PORT_FAULTS))("with %s is told in words of our own", async (_, fault) => {
    await using port = await startFaultyPort(fault);
    const server = serverOf({ url: `127.0.0.1:${port.port}`, ...(await withDescriptors()) });
    const outcome = await call(server, "Shop_Echo", {}, { timeoutMs: 1_000 });
    expect(outcome).toMatchObject({ error: expect.stringMatching(failed) as string });
    expect(JSON.stringify(outcome)).not.toContain(String(port.port));
    expect(JSON.stringify(outcome)).not.toContain(HIDDEN_TEXT);
    const reflected = serverOf({ url: `127.0.0.1:${port.port}` });
    expect(await reflected.list(never)).toEqual([]);
  });

  it.each(Object.entries(STREAM_FAULTS))(
    "with %s is told in words of our own",
    async (_, fault) => {
      await using streams = await startFaultyStreams(fault);
      const tool = { url: `127.0.0.1:${streams.port}`, retries: 2 };
      const server = serverOf({ ...tool, ...(await withDescriptors()) });
      const before = process.memoryUsage().rss;
      const outcome = await call(server, "Shop_PlaceOrder", {}, { timeoutMs: 1_000 });
      expect(outcome).toMatchObject({ error: expect.stringMatching(failed) as string });
      expect(JSON.stringify(outcome)).not.toContain(String(streams.port));
      expect(JSON.stringify(outcome)).not.toContain(HIDDEN_TEXT);
      // Only a server that refused the call has surely not carried it out.
      expect(streams.taken).toBe(fault === STREAM_FAULTS["a refused stream"] ? 3 : 1);
      expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
      const reflected = serverOf(tool);
      expect(await reflected.list(never)).toEqual([]);
    },
  );

  it("late keeps no turn waiting for long, and is offered and called once it answers", async () => {
    await using backend = await startGrpcio();
    await using late = await startLatePort(backend.port, 7_000);
    const server = serverOf({ url: `127.0.0.1:${late.port}` });
    const began = performance.now();
    expect(await server.list(never)).toEqual([]);
    expect(performance.now() - began).toBeLessThan(timeFor(6_500));
    await expect.poll(() => namesOf(server), { timeout: 60_000 }).toEqual(ALL);
    expect(await call(server, "Shop_GetOrder", { orderId: "1" })).toHaveProperty("result");
    const given = serverOf({ url: `127.0.0.1:${late.port}`, ...(await withDescriptors()) });
    const options = { timeoutMs: 300 };
    expect(await call(given, "Shop_Echo", {}, options)).toEqual({
      error: "the tool did not answer within 0.3 seconds",
    });
    expect(await call(given, "Shop_Echo", { anInt32: 1 })).toEqual({ result: { anInt32: 1 } });
  });
});
