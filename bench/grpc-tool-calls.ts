/** The CPU time of one call of a gRPC tool in the process that calls, against a bare HTTP/2 request of the same. */
import { connect } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { aTool } from "../test/support/builders/agent-config.ts";
import { systemClock } from "../src/time/clock.ts";
import { ToolServers } from "../src/tool-servers/tool-servers.ts";
import type { Measurement } from "./bench.ts";
import { MeasuredProcess } from "./measured-process.ts";
import { measureCalls } from "./measure-calls.ts";

const TOOLS = 50;
const PARALLEL = 20;
const CALLS = 2_000;
const TARGET_MS = 1;

export async function measureGrpcToolCalls(): Promise<Measurement[]> {
  await using server = await MeasuredProcess.start("bare-grpc-server.ts");
  const tool = aTool({
    type: "grpc",
    url: `grpc://127.0.0.1:${server.port}`,
    authFile: "key",
    grpc: { descriptorSet: descriptorSet() },
  });
  const readSecret = () => Promise.resolve("key-of-the-tool");
  const servers = new ToolServers({ readSecret, clock: systemClock, random: Math.random });
  const { signal } = new AbortController();
  const offered = await servers.of(tool).list(signal);
  const callTool = async (id: number): Promise<void> => {
    const options = { signal, timeoutMs: tool.timeoutMs };
    const { name } = offered[id % TOOLS] ?? { name: "" };
    const outcome = await servers.of(tool).call(name, { text: `Oslo ${id}` }, options);
    if ("error" in outcome) throw new Error(outcome.error);
  };
  const session = connect(`http://127.0.0.1:${server.port}`);
  const callBare = async (id: number): Promise<void> => {
    const stream = session.request({
      ":method": "POST",
      ":path": `/bench.Bench/Tool${id % TOOLS}`,
    });
    stream.end(Buffer.from([0, 0, 0, 0, 8, 10, 6, ...Buffer.from("Oslo 1")]));
    await stream.toArray();
  };
  const measurement = await measureCalls({
    what: `CPU of a call of one of ${TOOLS} gRPC tools, ${PARALLEL} at a time`,
    call: callTool,
    bare: callBare,
    bareName: "a bare HTTP/2 request",
    parallel: PARALLEL,
    warmUpCalls: CALLS,
    calls: CALLS,
    targetMs: TARGET_MS,
  });
  session.close();
  await servers.close();
  return [measurement];
}

/** A service with so many methods, which take and give one text. */
function descriptorSet(): string {
  const method = Array.from({ length: TOOLS }, (_, index) => ({
    name: `Tool${index}`,
    inputType: ".bench.Text",
    outputType: ".bench.Text",
  }));
  const field = [
    {
      name: "text",
      number: 1,
      label: FieldDescriptorProto_Label.OPTIONAL,
      type: FieldDescriptorProto_Type.STRING,
    },
  ];
  const file = [
    {
      name: "bench.proto",
      package: "bench",
      syntax: "proto3",
      messageType: [{ name: "Text", field }],
      service: [{ name: "Bench", method }],
    },
  ];
  const bytes = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
  return Buffer.from(bytes).toString("base64");
}
