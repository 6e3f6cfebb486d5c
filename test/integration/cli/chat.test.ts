/** `omnia chat` as users run it, with a real agent. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { startCuttableLine } from "../../support/agent/cuttable-line.ts";
import { anAgentConfig } from "../../support/builders/agent-config.ts";
import {
  omnia,
  startOmnia,
  startOmniaAtTerminal,
  type OmniaProcess,
} from "../../support/processes/omnia-process.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";

const folder = folderForAllTests();
beforeAll(async () => {
  await writeFile(
    join(folder(), "agent.json"),
    JSON.stringify(
      anAgentConfig({ agent: { name: "demo", namespace: "default" }, handler: "demo" }),
    ),
  );
});
/** Has no pauses. */
const quick = forAllTests(
  () => startAgent({ OMNIA_DEMO_PAUSES: "off" }),
  (quick) => quick[Symbol.asyncDispose](),
);
/** Speaks at a person's pace. */
const slow = forAllTests(
  () => startAgent({}),
  (slow) => slow[Symbol.asyncDispose](),
);
const quickURL = forAllTests(() => urlOf(quick()));
const slowURL = forAllTests(() => urlOf(slow()));

function startAgent(env: Record<string, string>): OmniaProcess {
  const args = ["--config", join(folder(), "agent.json"), "--host", "127.0.0.1"];
  return startOmnia(["agent", ...args, "--port", "0", "--management-port", "0"], { env });
}

async function urlOf(agent: OmniaProcess): Promise<string> {
  const [, port] = await agent.shows(/"facadePort":(\d+)/);
  return `ws://127.0.0.1:${port}`;
}

/** No instance and no cluster but those that a test makes. */
const alone = () => ({ HOME: folder(), XDG_STATE_HOME: join(folder(), "state") });

describe("one message", () => {
  it("prints the answer, and nothing else", async () => {
    const result = await omnia(["chat", "demo", "--url", quickURL(), "-m", "hello"]);
    expect(result).toMatchObject({ code: 0, err: "" });
    expect(result.out).toMatch(/^Hello!.*\n$/s);
  });

  it("prints the frames as JSON, one a line, and goes on with a session", async () => {
    const chat = ["chat", "demo", "--url", quickURL(), "-o", "json"];
    const { code, out } = await omnia([...chat, "-m", "What is the weather in Paris?"]);
    const frames = readFrames(out);
    const types = frames.map(({ type }) => type);
    expect(code).toBe(0);
    expect(types.slice(0, 4)).toEqual(["connected", "tool_call", "tool_result", "chunk"]);
    expect(types.at(-1)).toBe("done");

    const session = frames[0]?.session_id ?? "";
    const again = readFrames((await omnia([...chat, "-m", "hello", "--session", session])).out);
    expect(again[0]).toMatchObject({ session_id: session, resumed: true, seq: frames.at(-1)?.seq });
  });

  it("fails in words where there is nobody, nothing such, or no such session", async () => {
    const [nobody, other, session] = await Promise.all([
      omnia(["chat", "demo", "-m", "hi", "--url", "ws://127.0.0.1:1"], { env: alone() }),
      omnia(["chat", "other", "-m", "hi", "--url", quickURL()]),
      omnia(["chat", "demo", "-m", "hi", "--url", quickURL(), "--session", "gone"]),
    ]);
    expect(nobody).toMatchObject({ code: 1, out: "" });
    expect(nobody.err).toContain("Nothing listens at ws://127.0.0.1:1/");
    expect(nobody.err).toMatch(/omnia up`/);
    expect(other).toMatchObject({ code: 1, out: "" });
    expect(other.err).toMatch(/^omnia: .*demo.*\n$/);
    expect(session).toMatchObject({ code: 1, out: "" });
    expect(session.err).toContain("There is no session gone");
  });

  it("gives the whole answer, each part once, though the connection is cut in the middle of it", async () => {
    await using line = await startCuttableLine(Number(new URL(slowURL()).port));
    const chat = ["chat", "demo", "--url", `ws://127.0.0.1:${line.port}`];
    await using cut = startOmnia([...chat, "-m", "hello", "-o", "json"]);
    await cut.shows(/"seq":5,/);
    line.cut();
    const { code, out, err } = await cut.ended;
    expect(code).toBe(0);
    // A short change of connections is nobody's business.
    expect(err).toBe("");
    const turn = readFrames(out).filter(({ type }) => type !== "connected");
    expect(turn.map(({ seq }) => seq)).toEqual(turn.map((_, index) => index + 1));
    const chunks = turn.filter(({ type }) => type === "chunk").map(({ content }) => content);
    expect(turn.at(-1)).toMatchObject({ type: "done", content: chunks.join("") });
  });

  it("stops the answer on SIGINT, and fails", async () => {
    await using chat = startOmnia(["chat", "demo", "--url", slowURL(), "-m", "hello"]);
    await chat.shows(/Hello!/);
    chat.kill("SIGINT");
    const { code, out, err } = await chat.ended;
    expect({ code, err }).toEqual({ code: 1, err: "Cancelled.\n" });
    expect(out).not.toContain("weather");
  });
});

describe("omnia chat", () => {
  it("takes each line of a pipe for a message, in one session", async () => {
    const chat = ["chat", "demo", "--url", quickURL(), "-o", "json"];
    const { code, out } = await omnia(chat, { input: "hello\n\nI forgot my password\n" });
    const frames = readFrames(out);
    expect(code).toBe(0);
    expect(frames.filter(({ type }) => type === "done")).toHaveLength(2);
    expect(new Set(frames.map(({ session_id }) => session_id)).size).toBe(1);
  });
});

describe("at a terminal", () => {
  it("asks, answers as it comes with the tools that it calls, and ends at Ctrl-D", async () => {
    await using chat = startOmniaAtTerminal(["chat", "demo", "--url", quickURL()]);
    await chat.shows(/> $/);
    chat.write("What is the weather in Paris?\r");
    await chat.shows(/→ weather \{"location":"Paris"\}/);
    await chat.shows(/Take a jacket for the evening\.\r\n.*> $/s);
    chat.write("\u0004");
    const { code, out } = await chat.ended;
    expect(code).toBe(0);
    expect(out).toMatch(/--session \S+/);
  });

  it("stops an answer at Ctrl-C and asks again; pressed then, it ends", async () => {
    await using chat = startOmniaAtTerminal(["chat", "demo", "--url", slowURL()]);
    await chat.shows(/> $/);
    chat.write("hello\r");
    await chat.shows(/Hello!/);
    chat.write("\u0003");
    await chat.shows(/Cancelled\..*> $/s);
    chat.write("\u0003");
    expect(await chat.ended).toMatchObject({ code: 0 });
  });

  it("keeps what is typed during an answer for after it, and ends at /quit", async () => {
    await using chat = startOmniaAtTerminal(["chat", "demo", "--url", slowURL()]);
    await chat.shows(/> $/);
    chat.write("weather\r");
    await chat.shows(/→ weather/);
    chat.write("/quit\r");
    const { code, out } = await chat.ended;
    expect(code).toBe(0);
    expect(out).toMatch(/Take a jacket.*> .*\/quit/s);
  });

  it("shows colour, unless NO_COLOR says otherwise", async () => {
    const colourful = startOmniaAtTerminal(["chat", "demo", "--url", quickURL()]);
    const plain = startOmniaAtTerminal(["chat", "demo", "--url", quickURL()], {
      env: { NO_COLOR: "1" },
    });
    for (const chat of [colourful, plain]) {
      await chat.shows(/> $/);
      chat.write("/quit\r");
    }
    // oxlint-disable-next-line no-control-regex -- it is what is looked for
    const colour = /\u001b\[\d+mTalking to/;
    expect((await colourful.ended).out).toMatch(colour);
    expect((await plain.ended).out).not.toMatch(colour);
  });
});

interface Frame {
  readonly type: string;
  readonly session_id: string;
  readonly seq?: number;
  readonly content?: string;
}

function readFrames(out: string): Frame[] {
  return out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Frame);
}
