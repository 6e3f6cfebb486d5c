import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { describe, expect, it, onTestFinished } from "vitest";
import { aTool } from "../../../test/support/builders/agent-config.ts";
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import { systemClock } from "../../time/clock.ts";
import { callerHeaders, type ToolCaller } from "../server/tool-caller.ts";
import { ToolServers } from "../tool-servers.ts";

const NOW = Date.UTC(2026, 0, 1);
const CREDENTIAL = "key-of-the-tool";
const ALICE: ToolCaller = { subject: "alice", sessionId: "session-a" };
/** Before each message: whether it is compressed, and its length. */
const PREFIX_BYTES = 5;

/** The service `notes.Notes` with the method `Add`, which takes and gives a text. */
function descriptorSet(): string {
  const field = {
    name: "text",
    number: 1,
    type: FieldDescriptorProto_Type.STRING,
    label: FieldDescriptorProto_Label.OPTIONAL,
  };
  const add = { name: "Add", inputType: ".notes.Note", outputType: ".notes.Note" };
  const set = create(FileDescriptorSetSchema, {
    file: [
      {
        name: "notes.proto",
        package: "notes",
        syntax: "proto3",
        messageType: [{ name: "Note", field: [field] }],
        service: [{ name: "Notes", method: [add] }],
      },
    ],
  });
  return Buffer.from(toBinary(FileDescriptorSetSchema, set)).toString("base64");
}

/** A server that keeps what it was sent, and calls one of its tools. */
async function callNotes(tool: Partial<ToolConfig>, caller: ToolCaller) {
  const received: { headers: IncomingHttpHeaders; message: Buffer }[] = [];
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    void buffer(stream).then((body) => {
      received.push({ headers, message: body.subarray(PREFIX_BYTES) });
      const trailers = { "grpc-status": "0" };
      stream.respond({ "content-type": "application/grpc+proto" }, { waitForTrailers: true });
      stream.once("wantTrailers", () => stream.sendTrailers(trailers));
      stream.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const servers = new ToolServers({
    readSecret: () => Promise.resolve(CREDENTIAL),
    clock: { ...systemClock, now: () => NOW },
    random: () => 0,
  });
  onTestFinished(() => servers.close());
  const config = aTool({
    type: "grpc",
    url: `grpc://127.0.0.1:${port}`,
    grpc: { descriptorSet: descriptorSet() },
    authFile: "tools/notes/key",
    ...tool,
  });
  const notes = servers.of(config);
  const { signal } = new AbortController();
  await notes.list(signal);
  const options = { signal, timeoutMs: 5_000, caller };
  const outcome = await notes.call("Notes_Add", { text: "Ålesund" }, options);
  const told = Object.entries(received[0]?.headers ?? {}).filter(([name]) =>
    name.startsWith("x-omnia-"),
  );
  return { outcome, message: received[0]?.message, told: Object.fromEntries(told) };
}

describe("a gRPC server that asks for the caller", () => {
  it("is told in the metadata, signed over the message", async () => {
    const { outcome, message, told } = await callNotes({ forward: ["subject"] }, ALICE);
    expect(outcome).toEqual({ result: { text: "Ålesund" } });
    expect(message?.subarray(2).toString("utf8")).toBe("Ålesund");
    const signature = { credential: CREDENTIAL, body: message, now: NOW };
    expect(told).toEqual(headersOf(ALICE, signature));
  });

  it("is told no subject of somebody whom nobody knows", async () => {
    const anyone = { subject: undefined, sessionId: "session-a" };
    const headers = { "x-omnia-subject": "admin" };
    const { message, told } = await callNotes({ forward: ["subject"], headers }, anyone);
    expect(told).toEqual(headersOf(anyone, { credential: CREDENTIAL, body: message, now: NOW }));
  });

  it("is told nothing when it does not ask", async () => {
    const { told } = await callNotes({ headers: { "X-Omnia-Subject": "admin" } }, ALICE);
    expect(told).toEqual({});
  });
});

function headersOf(...made: Parameters<typeof callerHeaders>): Readonly<Record<string, string>> {
  const told = callerHeaders(...made);
  if ("error" in told) throw new Error(told.error);
  return told.headers;
}
