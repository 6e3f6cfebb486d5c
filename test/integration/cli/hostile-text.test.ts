/** Text of others that a terminal would obey, on its way through every command that prints some. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { startHttpServer } from "../../support/processes/http-server.ts";
import {
  omnia,
  printedJSON,
  startOmnia,
  startOmniaAtTerminal,
} from "../../support/processes/omnia-process.ts";

/** Clears the screen, sets the title, goes back to the line's beginning, turns the text round, hides a word, breaks the line. */
const HOSTILE =
  "a\u001b[2J\u001b]0;title\u0007\u009b2J\u009d0;title\u009c\rb\u202etxt.\u2066exe\u2028\u200b\u{e0041}c";
const SHOWN =
  "a\\u{1b}[2J\\u{1b}]0;title\\u{7}\\u{9b}2J\\u{9d}0;title\\u{9c}\\u{d}b\\u{202e}txt.\\u{2066}exe\\u{2028}\\u{200b}\\u{e0041}c";
const OBEYED =
  /(?![\n\t])\p{Cc}|\p{Bidi_Control}|[\u2028\u2029\u200b\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/u;

const TOKEN = "the-token-of-the-user";
const stamp = { timestamp: "2026-01-01T00:00:00Z" };

interface Message {
  readonly id: string | undefined;
  /** The token that its connection came with. */
  readonly token: string | undefined;
}

async function startServer(frames: (message: Message) => readonly object[]): Promise<string> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, request) => {
    const token = request.headers.authorization;
    const greeting = { type: "connected", session_id: HOSTILE, ...stamp, resumed: false, seq: 0 };
    socket.send(JSON.stringify(greeting));
    socket.on("message", (data) => {
      const text = (data as Buffer).toString();
      const id = /"id":"([^"]+)"/.exec(text)?.[1];
      for (const frame of frames({ id, token })) socket.send(JSON.stringify(frame));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function hostileTurn({ id }: Message): readonly object[] {
  const turn = { session_id: HOSTILE, ...stamp, turn_id: "t1", message_id: id };
  const call = { id: "c1", name: HOSTILE, arguments: { [HOSTILE]: HOSTILE } };
  return [
    { type: "chunk", ...turn, seq: 1, content: HOSTILE },
    { type: "tool_call", ...turn, seq: 2, tool_call: call },
    { type: "tool_result", ...turn, seq: 3, tool_result: { id: "c1", error: HOSTILE } },
    { type: "later", ...turn, seq: 4, [HOSTILE]: HOSTILE },
    { type: "error", ...turn, seq: 5, error: { code: "TOOL_ERROR", message: HOSTILE } },
  ];
}

async function aFolder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "omnia-hostile-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

describe("chat", () => {
  it("writes out what is in frames, for a pipe", async () => {
    const url = await startServer(hostileTurn);
    const { code, out, err } = await omnia(["chat", "bot", "--url", url, "-m", "hello"]);
    expect(code).toBe(1);
    expect(out).toBe(`${SHOWN}\n`);
    expect(err).toBe(`omnia: ${SHOWN}\n`);
  });

  it("escapes what is in frames, for programs", async () => {
    const url = await startServer(hostileTurn);
    const json = await omnia(["chat", "bot", "--url", url, "-m", "hello", "-o", "json"]);
    expect(json.out + json.err).not.toMatch(OBEYED);
    const frames = json.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { session_id: string });
    expect(frames.map(({ session_id }) => session_id)).toEqual(frames.map(() => HOSTILE));
    expect(frames).toContainEqual(expect.objectContaining({ type: "later", [HOSTILE]: HOSTILE }));
  });

  it("writes out frames, tools and the name of the session at a terminal", async () => {
    const url = await startServer(hostileTurn);
    await using chat = startOmniaAtTerminal(["chat", "bot", "--url", url]);
    await chat.shows(/> $/);
    chat.write("hello\r");
    await chat.shows(/omnia: a\\u\{1b\}.*> $/s);
    chat.write("\u0004");
    const { out } = await chat.ended;
    for (const obeyed of ["\u001b[2J", "\u001b]0;", "\u0007", "\u009b", "\u202e", "\u2028"]) {
      expect(out).not.toContain(obeyed);
    }
    expect(out).toContain(`→ ${SHOWN} `);
    expect(out).toContain(`✗ ${SHOWN}`);
    expect(out).toContain(`--session ${SHOWN}`);
  });

  it("writes out what a server says that lets nobody in, without the token that it quotes", async () => {
    const refusing = createServer((_request, response) => response.end());
    refusing.on("upgrade", (request, socket) => {
      const message = `${HOSTILE} ${request.headers.authorization}`;
      const body = JSON.stringify({ error: { message } });
      socket.end(
        `HTTP/1.1 401 Unauthorized\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
    });
    await new Promise<void>((resolve) => refusing.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void refusing.close());
    const url = `ws://127.0.0.1:${(refusing.address() as AddressInfo).port}`;
    const { code, out, err } = await omnia(["chat", "bot", "--url", url, "-m", "hello"], {
      env: { OMNIA_TOKEN: TOKEN },
    });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(`omnia: A${SHOWN.slice(1)} Bearer [redacted]`);
    expect(err).not.toMatch(OBEYED);
  });
});

describe("conformance", () => {
  it("writes out what an endpoint sends, without the token that it quotes", async () => {
    const url = await startServer(({ token }) => [
      { type: HOSTILE, session_id: 1, content: token },
    ]);
    const conformance = ["conformance", url, "--timeout", "300ms"];
    const env = { OMNIA_TOKEN: TOKEN };
    const [table, json] = await Promise.all([
      omnia(conformance, { env }),
      omnia([...conformance, "-o", "json"], { env }),
    ]);
    expect(table.out).toMatch(/→ a frame is none of the protocol: .*\\\\?u/);
    expect(table.out).toContain("[redacted]");
    for (const printed of [table.out, table.err, json.out, json.err]) {
      expect(printed).not.toMatch(OBEYED);
      expect(printed).not.toContain(TOKEN);
    }
    expect(() => printedJSON(json)).not.toThrow();
  });
});

describe("status and explain", () => {
  it("write out what a cluster holds", async () => {
    const conditions = [
      { type: "Available", status: "False", reason: HOSTILE, message: HOSTILE },
      { type: "ProviderReady", status: "False", reason: "R", message: `other ${HOSTILE}` },
    ];
    await using cluster = await startHttpServer((request, response) => {
      const isAgents = request.url?.includes("agentruntimes") === true;
      const status = { phase: HOSTILE, ready: HOSTILE, endpoint: HOSTILE, conditions };
      const metadata = { name: "bot", namespace: "default" };
      const items = isAgents ? [{ metadata, spec: { provider: { model: HOSTILE } }, status }] : [];
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ metadata: {}, items }));
    });
    const folder = await aFolder({
      config: JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        "current-context": "there",
        clusters: [
          { name: "there", cluster: { server: cluster.url, "insecure-skip-tls-verify": true } },
        ],
        users: [{ name: "me", user: {} }],
        contexts: [{ name: "there", context: { cluster: "there", user: "me" } }],
      }),
    });
    const env = { HOME: folder, XDG_STATE_HOME: folder, KUBECONFIG: join(folder, "config") };
    for (const command of [["status"], ["explain", "bot"]]) {
      const [text, json] = await Promise.all([
        omnia(command, { env }),
        omnia([...command, "-o", "json"], { env }),
      ]);
      expect(text).toMatchObject({ code: 0, err: "" });
      expect(text.out).toContain(SHOWN);
      expect(text.out + json.out).not.toMatch(OBEYED);
      expect(JSON.stringify(printedJSON(json))).toContain(JSON.stringify(HOSTILE).slice(1, -1));
    }
  });
});

describe("what is in files", () => {
  const agent = (model: string): string =>
    JSON.stringify({
      apiVersion: "omnia.altairalabs.ai/v1alpha1",
      kind: "AgentRuntime",
      metadata: { name: "bot" },
      spec: {
        [model]: model,
        facade: { type: "websocket", handler: "demo" },
        provider: { name: "openai", model, apiKeySecretRef: { name: "s", key: "k" } },
      },
    }).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

  it("validate writes it out, names of files included", async () => {
    const folder = await aFolder({ [`${HOSTILE}.json`]: agent(HOSTILE) });
    const [text, json] = await Promise.all([
      omnia(["validate", "-f", folder]),
      omnia(["validate", "-f", folder, "-o", "json"]),
    ]);
    expect(text.code).toBe(1);
    expect(text.out).toContain(SHOWN);
    expect(text.out + text.err + json.out + json.err).not.toMatch(OBEYED);
    expect((printedJSON(json) as { problems: { file: string }[] }).problems[0]?.file).toBe(
      join(folder, `${HOSTILE}.json`),
    );
  });

  it("up writes it out, in its lines as in its table", async () => {
    const folder = await aFolder({ "a.json": agent(HOSTILE) });
    const state = await aFolder();
    const up = ["up", "-f", folder, "--port", "0", "--no-open", "--state"];
    const env = { HOME: state };
    await using lines = startOmnia([...up, join(state, "one")], { env });
    await lines.shows(/a\.json:.*\\u\{9b\}/);
    lines.kill("SIGINT");
    const { out, err } = await lines.ended;
    expect(out + err).not.toMatch(OBEYED);

    await using table = startOmniaAtTerminal([...up, join(state, "two")], { env });
    await table.shows(/Problems in the files[^]*\\u\{9b\}/);
    table.write("\u0003");
    const drawn = (await table.ended).out;
    for (const obeyed of ["\u001b[2J", "\u001b]0;", "\u0007", "\u009b", "\u202e", "\u2028"]) {
      expect(drawn).not.toContain(obeyed);
    }
  });
});

describe("an error", () => {
  it("quotes what was typed without obeying it", async () => {
    const { code, err } = await omnia([HOSTILE]);
    expect(code).toBe(2);
    expect(err).toContain(SHOWN);
    expect(err).not.toMatch(OBEYED);
  });
});
