import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { ServerFrame } from "../../src/protocol/frames.ts";
import { OmniaUp, ROOT } from "./omnia-up.ts";
import { join } from "node:path";

describe("omnia up without files", () => {
  it("runs a demo agent that any WebSocket client can talk to", async () => {
    await using up = await OmniaUp.start();
    await up.runs("quickstart");

    const greeting = await framesOfTurn(up, "Hello!");
    expect(typesOf(greeting)).toEqual(["connected", "chunk", "done"]);
    expect(answerOf(greeting)).toMatch(/what I can do/);

    const password = await framesOfTurn(up, "I forgot my password");
    expect(typesOf(password)).toEqual(["connected", "tool_call", "tool_result", "chunk", "done"]);
    expect(password[1]).toMatchObject({ tool_call: { name: "lookup-user" } });
    expect(answerOf(password)).toMatch(/reset your password/);

    const weather = await framesOfTurn(up, "What is the weather like in Paris?");
    expect(typesOf(weather)).toEqual(["connected", "tool_call", "tool_result", "chunk", "done"]);
    expect(weather[1]).toMatchObject({
      tool_call: { name: "weather", arguments: { location: "Paris" } },
    });
    expect(answerOf(weather)).toMatch(/Paris/);

    const other = await framesOfTurn(up, "this");
    expect(answerOf(other)).toMatch(/Try one of these/);

    for (const frames of [greeting, password, weather, other]) {
      const seqs = frames.slice(1).map((frame) => ("seq" in frame ? frame.seq : undefined));
      expect(seqs).toEqual(frames.slice(1).map((_, index) => index + 1));
      const chunks = frames.map((frame) => (frame.type === "chunk" ? frame.content : ""));
      expect(chunks.join("")).toBe(answerOf(frames));
    }
  });

  it("answers at a person's pace unless a test turns that off", async () => {
    await using up = await OmniaUp.start({ env: { OMNIA_DEMO_PAUSES: "on" } });
    await up.runs("quickstart");
    const client = await up.connect("quickstart");
    const before = performance.now();
    client.say("hello");
    await client.nextOf("chunk");
    const first = performance.now();
    await client.nextOf("done");
    expect(first - before).toBeGreaterThan(200);
    expect(performance.now() - first).toBeGreaterThan(1_000);
  });

  it("is found by the other commands", async () => {
    await using up = await OmniaUp.start();
    await up.runs("quickstart");
    const chat = await up.run("chat", "quickstart", "-m", "hello");
    expect(chat).toMatchObject({ code: 0, err: "" });
    expect(chat.out).toMatch(/what I can do/);
    const status = await up.run("status");
    expect(status.out).toMatch(/default\/quickstart +Running +1\/1 +demo/);
    const explained = await up.run("explain", "quickstart");
    expect(explained.code).toBe(0);
  });

  it("says how to talk to the agent, and ends with 0 at Ctrl-C", async () => {
    await using up = await OmniaUp.start();
    await up.process.shows(/Talk to it: \S*omnia chat quickstart/);
    const { code, err } = await up.interrupt();
    expect({ code, err }).toEqual({ code: 0, err: "" });
  });
});

describe("examples/echo", () => {
  it("answers with what it was sent", async () => {
    await using up = await OmniaUp.start({ files: [join(ROOT, "examples/echo")] });
    await up.runs("echo");
    const client = await up.connect("echo");
    expect(await client.ask("Is anybody there?")).toMatchObject({
      content: "Is anybody there?",
      finish_reason: "stop",
    });
  });
});

/** With nothing but `ws`: every frame from `connected` to the end of one turn. */
async function framesOfTurn(up: OmniaUp, content: string): Promise<ServerFrame[]> {
  const socket = new WebSocket(`${up.url.replace(/^http/, "ws")}/?agent=quickstart`);
  const frames: ServerFrame[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as ServerFrame;
      frames.push(frame);
      if (frame.type === "connected") socket.send(JSON.stringify({ type: "message", content }));
      if (frame.type === "done" || frame.type === "error") resolve();
    });
  });
  socket.terminate();
  return frames;
}

/** Chunks that follow each other count once. */
function typesOf(frames: readonly ServerFrame[]): string[] {
  return frames.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1]);
}

function answerOf(frames: readonly ServerFrame[]): string {
  const last = frames.at(-1);
  return last?.type === "done" ? last.content : "";
}
