/** The gRPC contract omnia.runtime.v1, with a runtime in Python that knows nothing of our code. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { clearField, fromBinary, toJson } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { AgentConfig } from "../../../src/agent-config/agent-config.ts";
import { CONTRACT_FILE } from "../../../src/agent/runtime/runtime-v1/contract.ts";
import { TURN_LEASE_MS } from "../../../src/agent/sessions/session-store.ts";
import { AgentProcess } from "../../support/agent/agent-process.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { aPrompt } from "../../support/builders/agent-config.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";
import { RedisProbe } from "../../support/redis/redis-sessions.ts";
import { startRedis } from "../../support/redis/redis.ts";
import { startGrpcRuntime } from "../../support/runtimes/grpc-runtime.ts";
import { pythonFor } from "../../support/processes/installed.ts";

const EXAMPLE = join(import.meta.dirname, "../../../examples/grpc-runtime");
const PROTOCOL = { OMNIA_RUNTIME_PROTOCOL: "omnia.runtime.v1" };

const folder = folderForAllTests();
const python = forAllTests(async () => join(await pythonFor(EXAMPLE), "bin/python"));

function config(parts: Partial<AgentConfig> = {}): Partial<AgentConfig> {
  return { handler: "runtime", prompt: { active: aPrompt() }, ...parts };
}

describe("the file of the contract", () => {
  it("has the names and numbers that the agent speaks", async () => {
    const output = join(folder(), "contract.bin");
    const protoc = ["-m", "grpc_tools.protoc", `-I${EXAMPLE}`, `--descriptor_set_out=${output}`];
    await promisify(execFile)(python(), [...protoc, "runtime.proto"]);
    const { file } = fromBinary(FileDescriptorSetSchema, await readFile(output));
    const [written] = file;
    if (written === undefined) throw new Error("protoc wrote no file");
    const shapes = [written, structuredClone(CONTRACT_FILE)].map((proto) => {
      for (const name of ["name", "syntax", "edition", "options", "sourceCodeInfo"] as const) {
        clearField(proto, FileDescriptorProtoSchema.field[name]);
      }
      return toJson(FileDescriptorProtoSchema, proto);
    });
    expect(shapes[0]).toEqual(shapes[1]);
  });
});

describe("a runtime in Python", () => {
  it("answers turns, remembers its sessions, and says so when it has lost one", async () => {
    const processes: (number | undefined)[] = [];
    const command = [python(), join(EXAMPLE, "server.py")];
    const agent = await TestAgent.start({
      config: config(),
      env: { ...process.env, ...PROTOCOL, OMNIA_RUNTIME_COMMAND: JSON.stringify(command) },
      onRuntimeProcess: (pid) => processes.push(pid),
    });
    await vi.waitFor(async () => expect((await agent.management("/readyz")).status).toBe(200), {
      timeout: 60_000,
      interval: 100,
    });
    const client = await agent.connect();
    expect(await client.ask("hello")).toMatchObject({
      content: "You said: hello. ",
      finish_reason: "stop",
      usage: { input_tokens: 1, output_tokens: 1 },
    });
    expect(client.frames.filter(({ type }) => type === "chunk").length).toBeGreaterThan(1);
    expect(await client.ask("again")).toMatchObject({
      content: "You said: hello, then: again. ",
      usage: { input_tokens: 2 },
    });

    const [first] = processes;
    if (first === undefined) throw new Error("no process was started");
    process.kill(first, "SIGKILL");
    await vi.waitFor(() => expect(processes.length).toBe(3), { timeout: 60_000, interval: 50 });
    client.say("do you know me?");
    expect(await client.nextOf("error")).toMatchObject({
      error: {
        code: "PROVIDER_ERROR",
        message: "runtime: the runtime has no memory of this session any more; begin a new one",
      },
    });
    const other = await agent.connect();
    expect(await other.ask("hello")).toMatchObject({ content: "You said: hello. " });
  });
});

describe("readiness", () => {
  it("is what the runtime says of its health", async () => {
    let isHealthy = false;
    const runtime = await startGrpcRuntime({
      isHealthy: () => isHealthy,
      async *answer() {
        yield { done: { finalContent: "Hello." } };
      },
    });
    onTestFinished(() => runtime[Symbol.asyncDispose]());
    const env = { ...PROTOCOL, OMNIA_RUNTIME_URL: runtime.url.href };
    const agent = await TestAgent.start({ config: config(), env });
    expect(await agent.management("/readyz")).toMatchObject({
      status: 503,
      body: expect.stringContaining("the runtime says that it is not healthy") as string,
    });
    isHealthy = true;
    await vi.waitFor(async () => expect((await agent.management("/readyz")).status).toBe(200));
  });

  it("names the protocol when something else listens there", async () => {
    const other = await TestAgent.start();
    const url = `http://127.0.0.1:${other.running.facadePort ?? 0}`;
    const env = { ...PROTOCOL, OMNIA_RUNTIME_URL: url };
    const agent = await TestAgent.start({ config: config(), env });
    expect(await agent.management("/readyz")).toMatchObject({
      status: 503,
      body: expect.stringContaining("does not answer in the protocol omnia.runtime.v1") as string,
    });
  });
});

describe("a replica that is killed in the middle of a turn", () => {
  it("leaves a turn that another replica ends with an error, and does not send again", async () => {
    await using redis = await startRedis({ appendOnly: true });
    const probe = new RedisProbe(redis.url);
    onTestFinished(() => probe.close());
    const runtime = await startGrpcRuntime({
      async *answer({ first }, { signal }) {
        if (first["content"] !== "begin") return yield { done: { finalContent: "Hello." } };
        yield { chunk: { content: "Well, " } };
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      },
    });
    onTestFinished(() => runtime[Symbol.asyncDispose]());
    const env = { ...PROTOCOL, OMNIA_RUNTIME_URL: runtime.url.href };
    const storeURLFile = "secrets/session-store/url";
    const shared = {
      config: config({ session: { type: "redis", ttlMs: 3_600_000, storeURLFile } }),
      files: { [storeURLFile]: redis.url },
      env,
    };
    const [one, two] = [await AgentProcess.start(shared), await TestAgent.start(shared)];
    const first = await one.connect();
    first.say("begin");
    const { session_id } = await first.nextOf("chunk");
    await one.kill();
    await probe.passTime(session_id, TURN_LEASE_MS);
    const second = await two.connect();
    second.send({ type: "resume", session_id, after: 1 });
    expect(await second.nextOf("error")).toMatchObject({
      error: {
        code: "PROVIDER_ERROR",
        message: expect.stringMatching(/^runtime: the replica that ran the turn ended/) as string,
      },
    });
    expect(runtime.received.map(({ content }) => content)).toEqual(["begin"]);
    expect(await second.ask("go on", { session_id })).toMatchObject({ content: "Hello." });
  });
});
