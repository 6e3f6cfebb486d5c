/** Runtimes whose answers are allowed, or at least seen, and differ from those of the common adapters. */
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { onTestFinished, describe, expect, it } from "vitest";
import { anAgentConfig, aPrompt, aTool } from "../../support/builders/agent-config.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import { startAgUiServer, type Run } from "../../support/runtimes/ag-ui-server.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";

const FINISHED = { type: "RUN_FINISHED", threadId: "t", runId: "r" };
const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

async function askAgent(url: string, config: Parameters<typeof anAgentConfig>[0] = {}) {
  const agent = await TestAgent.start({
    config: anAgentConfig({ handler: "runtime", prompt: { active: aPrompt() }, ...config }),
    env: { OMNIA_RUNTIME_URL: url },
  });
  const client = await agent.connect();
  client.say("Go");
  return { agent, client };
}

async function answerOf(answer: (run: Run) => void | Promise<void>) {
  const runtime = await startAgUiServer(answer);
  onTestFinished(() => runtime.close());
  const { client } = await askAgent(runtime.url);
  const { content } = await client.nextOf("done");
  return { content, client };
}

/** A server that answers each request with bytes, whatever they are. */
async function aServerOfBytes(pieces: readonly (string | Buffer)[]): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {}).once("data", () => void answer(socket));
  }).listen(0, "127.0.0.1");
  async function answer(socket: Socket): Promise<void> {
    for (const piece of pieces) {
      await new Promise((resolve) => socket.write(piece, resolve));
    }
    socket.end();
  }
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function content(delta: string, messageId?: string): object {
  return { type: "TEXT_MESSAGE_CONTENT", messageId, delta };
}

function chunk(delta: string, more: object = {}): object {
  return { type: "TEXT_MESSAGE_CHUNK", delta, ...more };
}

function streamOf(events: readonly object[], lineEnd = "\n"): string {
  return events.map((event) => `data: ${JSON.stringify(event)}${lineEnd}${lineEnd}`).join("");
}

describe("texts of a runtime", () => {
  const cases: readonly [string, string, readonly object[]][] = [
    [
      "chunks that leave out the id of their message",
      "Hello you",
      [chunk("Hel", { messageId: "m", role: "assistant" }), chunk("lo"), chunk(" you")],
    ],
    [
      "chunks of what the user said, whose role is said once",
      "Yes",
      [
        chunk("What", { messageId: "u", role: "user" }),
        chunk(" is"),
        chunk(" this?", { messageId: "u" }),
        chunk("Yes", { messageId: "a", role: "assistant" }),
      ],
    ],
    [
      "messages without ids",
      "Yes\n\nNo",
      [
        { type: "TEXT_MESSAGE_START", role: "user" },
        content("What?"),
        { type: "TEXT_MESSAGE_END" },
        { type: "TEXT_MESSAGE_START", role: "assistant" },
        content("Yes"),
        { type: "TEXT_MESSAGE_END" },
        { type: "TEXT_MESSAGE_START" },
        content("No"),
      ],
    ],
    [
      "a message that goes on behind another event and behind its end",
      "One two.",
      [
        { type: "TEXT_MESSAGE_START", messageId: "m" },
        content("One ", "m"),
        { type: "REASONING_MESSAGE_CONTENT", messageId: "thought", delta: "Hm." },
        { type: "STATE_DELTA", delta: [] },
        content("tw", "m"),
        { type: "TEXT_MESSAGE_END", messageId: "m" },
        content("o.", "m"),
      ],
    ],
    [
      "a message whose id is said after its start",
      "Hello",
      [{ type: "TEXT_MESSAGE_START" }, content("Hel", "m"), content("lo", "m")],
    ],
  ];

  it.for(cases)("are read from %s", async ([, expected, events]) => {
    const { content: said } = await answerOf((run) => {
      run.send(...events);
      run.finish();
    });
    expect(said).toBe(expected);
  });

  it("are passed on in whole characters", async () => {
    const { content: said, client } = await answerOf((run) => {
      run.send(content("a\ud83d", "m"), content("\ude00b", "m"));
      run.finish();
    });
    expect(said).toBe("a😀b");
    const chunks = client.frames.filter(({ type }) => type === "chunk");
    expect(chunks).toMatchObject([{ content: "a" }, { content: "😀b" }]);
  });

  const streams: readonly [string, string][] = [
    ["lines end as in Windows", streamOf([content("Yes", "m"), FINISHED], "\r\n")],
    ["lines end as in old files", streamOf([content("Yes", "m"), FINISHED], "\r")],
    ["the last event has no end", streamOf([content("Yes", "m"), FINISHED]).trimEnd()],
    [
      "it is kept open with comments, empty events and pings",
      `: ping\n\ndata:\n\nevent: ping\ndata: {}\n\n${streamOf([content("Yes", "m")])}id: 3\nretry: 10\n\n\
event: heartbeat\ndata: 2026-11-29\n\ndata: \n\n${streamOf([FINISHED])}`,
    ],
    [
      "it goes on behind its end",
      `${streamOf([content("Yes", "m"), FINISHED, { type: "RUN_ERROR" }])}data: [DONE]\n\n`,
    ],
  ];

  it.for(streams)("are read from a stream where %s", async ([, stream]) => {
    const { client } = await askAgent(await aServerOfBytes([HEAD, stream]));
    expect(await client.nextOf("done")).toMatchObject({ content: "Yes" });
  });

  it("are read from single bytes, and from among very many other events", async () => {
    const said = Buffer.from(streamOf([content("Gr\u00fc\u00dfe 😀", "m"), content("!", "m")]));
    const custom = { type: "CUSTOM", name: "progress", value: "x".repeat(200) };
    const flood = streamOf(Array.from({ length: 20_000 }, () => custom));
    const bytes = [...said].map((byte) => Buffer.from([byte]));
    const url = await aServerOfBytes([HEAD, ...bytes, flood, streamOf([FINISHED])]);
    const { client } = await askAgent(url);
    expect(await client.nextOf("done")).toMatchObject({ content: "Grüße 😀!" });
  });
});

describe("calls of a runtime", () => {
  it("whose chunks come in turn keep their own arguments", async () => {
    const bodies: string[] = [];
    const server = await startHttpServer(async (request, response) => {
      let body = "";
      for await (const piece of request) body += String(piece);
      bodies.push(body);
      response.setHeader("content-type", "application/json").end("{}");
    });
    onTestFinished(() => server.close());
    const tool = aTool({ name: "pay", url: `${server.url}/pay`, inputSchema: { type: "object" } });
    const part = (toolCallId: string, delta: string, more: object = {}) => ({
      type: "TOOL_CALL_CHUNK",
      toolCallId,
      delta,
      ...more,
    });
    const runtime = await startAgUiServer((run) => {
      if (run.number === 0) {
        run.send(
          part("a", "", { toolCallName: "pay" }),
          part("b", '{"to":', { toolCallName: "pay" }),
          part("a", '{"to":"😀'),
          part("b", '"Bo"'),
          part("a", '"}'),
          part("b", "}"),
          { type: "TOOL_CALL_RESULT", toolCallId: "of-nobody", content: "nothing" },
          part("a", "late"),
        );
      } else run.say("Paid.");
      run.finish();
    });
    onTestFinished(() => runtime.close());
    const { client } = await askAgent(runtime.url, { tools: [tool] });
    expect(await client.nextOf("done")).toMatchObject({ content: "Paid." });
    expect(bodies.toSorted()).toEqual(['{"to":"Bo"}', '{"to":"😀"}']);
  });
});

describe("what a runtime does behind the end of its run", () => {
  async function aRun(answer: (run: Run) => void) {
    const hasClosed = Promise.withResolvers<boolean>();
    const { client } = await answerOf(async (run) => {
      run.say("Yes");
      answer(run);
      await run.closed;
      hasClosed.resolve(run.response.writableFinished);
    });
    return { client, hasClosed: hasClosed.promise };
  }

  it("comes to its end, for which the turn does not wait", async () => {
    const ended = Promise.withResolvers<void>();
    const { hasClosed } = await aRun((run) => {
      run.send(FINISHED);
      void ended.promise.then(() => {
        run.send({ type: "CUSTOM", name: "saved" });
        run.response.end();
      });
    });
    ended.resolve();
    expect(await hasClosed).toBe(true);
  });

  it("is cut off when it takes longer than a moment", async () => {
    const { hasClosed } = await aRun((run) => run.send(FINISHED));
    expect(await hasClosed).toBe(false);
  });
});

describe("a turn ends with an error", () => {
  const cases: readonly [string, string, string][] = [
    [
      "changes to another protocol",
      "malformed",
      "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
    ],
    ["speaks no HTTP", "interrupted", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["sends no content", "malformed", "HTTP/1.1 204 No Content\r\n\r\n"],
    [
      "answers with JSON",
      "malformed",
      'HTTP/1.1 200 OK\r\n\r\n{"answer":"sk-live-0123456789abcdef"}',
    ],
    [
      "answers with a list of events",
      "malformed",
      `HTTP/1.1 200 OK\r\n\r\n${JSON.stringify([FINISHED])}`,
    ],
    [
      "breaks the framing of HTTP",
      "interrupted",
      `${HEAD.trimEnd()}\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`,
    ],
    ["closes the connection", "interrupted", ""],
    [
      "says its outcome as a word",
      "unsuccessful_finish",
      HEAD + streamOf([content("So", "m"), { ...FINISHED, outcome: "interrupt" }]),
    ],
  ];

  it.for(cases)("when the runtime %s", async ([, reason, bytes]) => {
    const { agent, client } = await askAgent(await aServerOfBytes([bytes]));
    const { error } = await client.nextOf("error");
    expect(error).toMatchObject({ code: "PROVIDER_ERROR", details: { reason } });
    expect(JSON.stringify([client.frames, agent.logged])).not.toContain("sk-live");
  });
});
