/** Runtimes that are children of the agent: by OMNIA_RUNTIME_COMMAND, and by OMNIA_RUNTIME as a module. */
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { AgentConfig } from "../../../src/agent-config/agent-config.ts";
import { AgentProcess } from "../../support/agent/agent-process.ts";
import { SecretValues } from "../../../src/observability/secrets/secret-values.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { anAgentConfig, aPrompt, aRuntimeConfig } from "../../support/builders/agent-config.ts";
import { folderForEachTest } from "../../support/builders/fixtures.ts";

const SECRET = "sk-live-0123456789abcdef";
const folder = folderForEachTest();

/** A runtime that answers with what it is told to do, and with its process. */
const PROGRAM = `
import { createServer } from "node:http";
console.log("listening soon, with key ${SECRET}");
createServer(async (request, response) => {
  if (request.method !== "POST") return response.end();
  let body = "";
  for await (const piece of request) body += piece;
  const { messages } = JSON.parse(body);
  // What was not answered stands before it.
  const asked = messages.at(-1).content.split("\\n\\n").at(-1);
  if (asked === "crash") process.exit(3);
  const answers = {
    "environment": Object.entries(process.env).filter(([name]) => name.startsWith("OMNIA_PROVIDER")).map((one) => one.join("=")).join(" "),
    "pid": String(process.pid),
    "arguments": JSON.stringify(process.argv.slice(2)),
  };
  const send = (event) => response.write("data: " + JSON.stringify(event) + "\\n\\n");
  response.setHeader("content-type", "text/event-stream");
  send({ type: "TEXT_MESSAGE_CONTENT", messageId: "m", delta: answers[asked] ?? asked });
  send({ type: "RUN_FINISHED" });
  response.end();
}).listen(Number(process.env.PORT), "127.0.0.1");
`;

async function aProgram(text = PROGRAM, name = "app.mjs"): Promise<string> {
  const file = join(folder(), name);
  await writeFile(file, text);
  return file;
}

function anAgent(
  env: Record<string, string>,
  config: Partial<AgentConfig> = anAgentConfig({
    handler: "runtime",
    prompt: { active: aPrompt() },
  }),
): Promise<TestAgent> {
  return TestAgent.start({
    config,
    files: { "provider/api-key": SECRET },
    env: { PATH: process.env["PATH"], ...env },
  });
}

async function isReady(agent: TestAgent): Promise<void> {
  await vi.waitFor(async () => expect((await agent.management("/readyz")).status).toBe(200), {
    timeout: 60_000,
    interval: 100,
  });
}

/** A process that has ended may wait for somebody to ask how. */
function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}

describe("a runtime that is a command", () => {
  it("is told of its port and of the provider, and its words are split as a shell splits them", async () => {
    const command = `'${process.execPath}' ${await aProgram()} "two words" $HOME \\*`;
    const config = aRuntimeConfig({ provider: { baseURL: "http://127.0.0.1:1/v1" } });
    const agent = await anAgent({ OMNIA_RUNTIME_COMMAND: command }, config);
    const client = await agent.connect();
    expect(await client.ask("arguments")).toMatchObject({
      content: JSON.stringify(["two words", "$HOME", "*"]),
    });
    const { content } = await client.ask("environment");
    expect(content).toContain("OMNIA_PROVIDER_NAME=openai");
    expect(content).toContain("OMNIA_PROVIDER_MODEL=gpt-4o");
    expect(content).toContain("OMNIA_PROVIDER_BASE_URL=http://127.0.0.1:1/v1");
    expect(content).toMatch(/OMNIA_PROVIDER_API_KEY_FILE=\/\S+\/provider\/api-key/);
  });

  it("prints lines that become lines of the log, without secrets", async () => {
    const command = JSON.stringify([process.execPath, await aProgram()]);
    const agent = await anAgent({ OMNIA_RUNTIME_COMMAND: command });
    await isReady(agent);
    expect(agent.logged).toContainEqual(
      expect.objectContaining({
        runtime: "stdout",
        line: expect.stringMatching(/^listening soon/),
      }),
    );
    expect(JSON.stringify(agent.logged)).not.toContain(SECRET);
  });

  it("prints no key that it was given, whatever its shape, also after a rotation", async () => {
    const program = await aProgram(`
import { readFileSync } from "node:fs";
const read = () => readFileSync(process.env.OMNIA_PROVIDER_API_KEY_FILE, "utf8").trim();
const first = read();
console.log("the key is " + first);
setInterval(() => { if (read() !== first) console.log("it became " + read()); }, 200);
${PROGRAM}`);
    const agent = await TestAgent.start({
      config: aRuntimeConfig({ provider: {} }),
      files: { "provider/api-key": "correct horse battery\n" },
      env: {
        PATH: process.env["PATH"],
        OMNIA_RUNTIME_COMMAND: JSON.stringify([process.execPath, program]),
      },
      secretValues: new SecretValues(),
    });
    const line = (text: string) =>
      vi.waitFor(() =>
        expect(agent.logged).toContainEqual(expect.objectContaining({ line: text })),
      );
    await line("the key is [redacted]");
    await agent.writeFile("provider/api-key", "staple of paper");
    await line("it became [redacted]");
    expect(JSON.stringify(agent.logged)).not.toContain("correct horse");
  });

  it("is started again when it ends, and the next turn is answered", async () => {
    const command = JSON.stringify([process.execPath, await aProgram()]);
    const agent = await anAgent({ OMNIA_RUNTIME_COMMAND: command });
    const client = await agent.connect();
    const before = await client.ask("pid");
    client.say("crash");
    expect(await client.nextOf("error")).toMatchObject({ error: { code: "PROVIDER_ERROR" } });
    const after = await client.ask("pid");
    expect(Number(after.content)).toBeGreaterThan(0);
    expect(after.content).not.toBe(before.content);
    expect(agent.logged).toContainEqual(expect.objectContaining({ how: "it ended with code 3" }));
  });

  it("says at /readyz why it does not answer", async () => {
    const agent = await anAgent({ OMNIA_RUNTIME_COMMAND: "no-such-program --port 1" });
    await vi.waitFor(async () =>
      expect((await agent.management("/readyz")).body).toContain(
        "the runtime does not answer: there is no such program; it is started again",
      ),
    );
  });

  it("says at /readyz how it ends again and again, without a word that changes with each start", async () => {
    const program = await aProgram("setTimeout(() => process.exit(4), 400);");
    const agent = await anAgent({
      OMNIA_RUNTIME_COMMAND: JSON.stringify([process.execPath, program]),
    });
    const readyz = async () => (await agent.management("/readyz")).body;
    const ended = "the runtime does not answer: it ended with code 4; it is started again";
    await vi.waitFor(async () => expect(await readyz()).toContain(ended));
    const starts = () => agent.logged.filter(({ msg }) => msg === "The runtime was started").length;
    while (starts() < 4) expect(await readyz()).toContain(ended);
  });

  it("ends when the agent has drained, with what it started", async () => {
    const inner = await aProgram("setInterval(() => {}, 1000);", "inner.mjs");
    const command = await aProgram(
      `import { spawn } from "node:child_process";
      const child = spawn(process.execPath, [${JSON.stringify(inner)}], { stdio: "ignore" });
      process.on("SIGTERM", () => {});
      console.log("inner " + child.pid + " of " + process.pid);
      ${PROGRAM.replace("console.log(", "void (")}`,
    );
    const agent = await anAgent({
      OMNIA_RUNTIME_COMMAND: JSON.stringify([process.execPath, command]),
    });
    await isReady(agent);
    const line = await vi.waitFor(() => {
      const found = agent.logged.find(({ line }) => String(line).startsWith("inner"));
      expect(found).toBeDefined();
      return String(found?.["line"]);
    });
    const pids = [...line.matchAll(/\d+/g)].map(([pid]) => Number(pid));
    expect(pids.map(isAlive)).toEqual([true, true]);
    const client = await agent.connect();
    await client.ask("one more");
    await agent.running.drain();
    await vi.waitFor(() => expect(pids.map(isAlive)).toEqual([false, false]));
  });

  it("ends when its agent is killed, if it reads to the end of its input", async () => {
    const command = await aProgram(
      `process.stdin.resume().on("end", () => process.exit(0));${PROGRAM}`,
    );
    const agent = await AgentProcess.start({
      config: anAgentConfig({ handler: "runtime", prompt: { active: aPrompt() } }),
      env: { OMNIA_RUNTIME_COMMAND: JSON.stringify([process.execPath, command]) },
    });
    const client = await agent.connect();
    const pid = Number((await client.ask("pid")).content);
    expect(isAlive(pid)).toBe(true);
    await agent.kill();
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false));
  });
});

describe("a runtime that is a module", () => {
  async function aModule(text: string): Promise<TestAgent> {
    const module = await aProgram(text, "agent.mjs");
    return await anAgent({ OMNIA_RUNTIME: module });
  }

  it("answers with the texts and events that its run yields", async () => {
    const agent = await aModule(`
      export async function* run({ messages, tools }, { signal }) {
        yield "You said ";
        yield { type: "TOOL_CALL_START", toolCallId: "c", toolCallName: "think" };
        yield { type: "TOOL_CALL_END", toolCallId: "c" };
        yield { type: "TOOL_CALL_RESULT", toolCallId: "c", content: "done" };
        yield messages.at(-1).content + (signal.aborted ? "!" : ".");
      }`);
    const client = await agent.connect();
    expect(await client.ask("hello")).toMatchObject({ content: "You said hello." });
    expect(client.frames.filter(({ type }) => type === "tool_result")).toHaveLength(1);
  });

  it("may return its answer whole", async () => {
    const agent = await aModule(`export default { run: async () => "All of it." };`);
    const client = await agent.connect();
    expect(await client.ask("hello")).toMatchObject({ content: "All of it." });
  });

  it("fails without a word of why to the client", async () => {
    const agent = await aModule(`
      export async function* run() { yield "So"; throw new Error("key ${SECRET}"); }`);
    const client = await agent.connect();
    client.say("hello");
    expect(await client.nextOf("error")).toMatchObject({ error: { code: "PROVIDER_ERROR" } });
    expect(JSON.stringify(client.frames)).not.toContain(SECRET);
    await vi.waitFor(() =>
      expect(JSON.stringify(agent.logged)).toContain("The runtime printed a line"),
    );
    expect(JSON.stringify(agent.logged)).not.toContain(SECRET);
  });

  it("sees a cancel as an aborted signal", async () => {
    const agent = await aModule(`
      export async function* run(input, { signal }) {
        yield "Begun.";
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        console.log("aborted");
      }`);
    const client = await agent.connect();
    client.say("hello");
    await client.nextOf("chunk");
    client.send({ type: "cancel" });
    expect(await client.nextOf("done")).toMatchObject({ finish_reason: "cancelled" });
    await vi.waitFor(() =>
      expect(agent.logged).toContainEqual(expect.objectContaining({ line: "aborted" })),
    );
  });

  it.for(["for-imports", "for-both", "folder"])(
    "may be the package %s that is installed where the agent runs",
    async (name) => {
      const files = {
        "node_modules/for-imports/package.json":
          '{ "type": "module", "exports": { ".": { "import": "./main.js" } } }',
        "node_modules/for-imports/main.js": `export const run = () => "for-imports";`,
        "node_modules/for-both/package.json":
          '{ "exports": { "import": "./main.mjs", "require": "./main.cjs" } }',
        "node_modules/for-both/main.mjs": `export default () => "for-both";`,
        "node_modules/for-both/main.cjs": `exports.run = () => "for-require";`,
        "node_modules/folder/index.js": `exports.run = () => "folder";`,
        // A folder that happens to have the name of the package is none.
        "folder/notes.txt": "",
      };
      for (const [path, text] of Object.entries(files)) {
        await mkdir(join(folder(), dirname(path)), { recursive: true });
        await writeFile(join(folder(), path), text);
      }
      const host = join(import.meta.dirname, "../../../src/agent/framework/module-host.ts");
      const script = `cd '${folder()}' && exec '${process.execPath}' '${host}' ${name}`;
      const agent = await anAgent({
        OMNIA_RUNTIME_COMMAND: JSON.stringify(["/bin/sh", "-c", script]),
      });
      const client = await agent.connect();
      expect(await client.ask("hello")).toMatchObject({ content: name });
    },
  );

  it("is started again until it can be loaded", async () => {
    const agent = await aModule("export const nothing = 1;");
    await vi.waitFor(async () =>
      expect((await agent.management("/readyz")).body).toContain("it ended with code 1"),
    );
  });
});
