/** `omnia chat` where calls of tools wait for an approval, with a real agent. */
import { beforeEach, describe, expect, it } from "vitest";
import { startModelServer } from "../../support/agent/model-server.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import { omnia, startOmniaAtTerminal } from "../../support/processes/omnia-process.ts";

const payments = { calls: [] as string[] };
beforeEach(() => void Object.assign(payments, { calls: [] }));

const model = forAllTests(
  async () => {
    const server = await startModelServer();
    const calls = [7, 8].map((amount) => ({
      name: "pay",
      id: `call_${amount}`,
      arguments: JSON.stringify({ amount }),
    }));
    server.mock.on({ userMessage: /one/, hasToolResult: false }, { toolCalls: calls.slice(0, 1) });
    server.mock.on({ userMessage: /two/, hasToolResult: false }, { toolCalls: calls });
    server.mock.on({ hasToolResult: true }, { content: "All is done." });
    return server;
  },
  (server) => server.close(),
);
const tool = forAllTests(
  () =>
    startHttpServer(async (request, response) => {
      let body = "";
      for await (const piece of request) body += String(piece);
      payments.calls.push(body);
      response.setHeader("content-type", "application/json");
      response.end("{}");
    }),
  (server) => server.close(),
);

async function anAgent(): Promise<string[]> {
  const inputSchema = { type: "object", properties: { amount: { type: "integer" } } };
  const tools = [aTool({ name: "pay", url: tool().url, inputSchema, approval: "always" })];
  const config = aRuntimeConfig({ provider: { baseURL: model().url, api: "chat" }, tools });
  const agent = await TestAgent.start({ config, files: { "provider/api-key": "sk-test" } });
  return ["chat", "helper", "-n", "team", "--url", agent.url];
}

describe("without a terminal", () => {
  it("says what to do about a call that waits, fails, and sends no other message, which would deny it", async () => {
    const chat = await anAgent();
    const { code, out, err } = await omnia(chat, { input: "pay one\nand another\n" });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain('The agent asks whether it may call pay {"amount":7}');
    const [, session = ""] = /--session (\S+) --approve call_7, or --deny call_7/.exec(err) ?? [];
    const approved = await omnia([...chat, "--session", session, "--approve", "call_7"]);
    expect(approved).toMatchObject({ code: 0, out: "All is done.\n" });
    expect(payments.calls).toEqual(['{"amount":7}']);
    const late = await omnia([...chat, "--session", session, "--deny", "call_7"]);
    expect(late).toMatchObject({ code: 1, out: "" });
    expect(late.err).toContain("No such call waits");
  });

  it("prints the frames as JSON, takes the answers one after the other, and says which call waits still", async () => {
    const chat = [...(await anAgent()), "-o", "json"];
    const asked = await omnia([...chat, "-m", "pay two"]);
    expect(asked.code).toBe(1);
    const frames = asked.out.trimEnd().split("\n");
    const requests = frames.map((line) => JSON.parse(line)).filter(({ approval }) => approval);
    expect(requests).toMatchObject([
      { type: "approval_request", approval: { id: "call_7" } },
      { type: "approval_request", approval: { id: "call_8" } },
    ]);
    const session = ["--session", String(requests[0]?.session_id)];
    const first = await omnia([...chat, ...session, "--deny", "call_8"]);
    expect(first.code).toBe(0);
    expect(first.err).toContain("--approve call_7");
    expect(first.err).not.toContain("--approve call_8");
    expect(payments.calls).toEqual([]);
    const second = await omnia([...chat, ...session, "--approve", "call_7"]);
    expect(second).toMatchObject({ code: 0, err: "" });
    expect(second.out).toContain('"finish_reason":"stop"');
    expect(payments.calls).toEqual(['{"amount":7}']);
  });

  it("refuses answers without a session, and beside a message", async () => {
    for (const more of [[], ["--session", "s", "-m", "hello"]]) {
      const { code, err } = await omnia(["chat", "helper", "--approve", "call_7", ...more]);
      expect(code).toBe(2);
      expect(err).toContain("--session");
    }
  });
});

describe("at a terminal", () => {
  it("asks about each call, takes edited arguments that fit, and leaves the call waiting when the chat ends", async () => {
    const chat = await anAgent();
    await using first = startOmniaAtTerminal(chat);
    await first.shows(/> $/);
    first.write("pay two\r");
    const asks = (amount: number) =>
      new RegExp(`may call pay \\{"amount":${amount}\\}\\s+y / n / e\\(dit\\) > $`);
    await first.shows(asks(7));
    first.write("perhaps\r");
    await first.shows(/ > perhaps\s+y \/ n \/ e\(dit\) > $/);
    first.write("n too dear\r");
    await first.shows(asks(8));
    first.write("\u0004");
    const { code, out } = await first.ended;
    expect(code).toBe(0);
    const [, session = ""] = /--session ([\w-]+)/.exec(out) ?? [];

    await using second = startOmniaAtTerminal([...chat, "--session", session]);
    await second.shows(asks(7));
    second.write("n\r");
    await second.shows(asks(8));
    second.write("e\r");
    await second.shows(/arguments > \{"amount":8\}$/);
    second.write('\u0015{"amount":"much"}\r');
    await second.shows(/waits still[^>]*"amount":8\}\s+y \/ n \/ e\(dit\) > $/);
    second.write("e\r");
    await second.shows(/waits still[^]*arguments > \{"amount":8\}$/);
    second.write('\u0015{"amount":3}\r');
    await second.shows(/All is done\.\s+> $/);
    expect(payments.calls).toEqual(['{"amount":3}']);
    second.write("/quit\r");
    expect((await second.ended).code).toBe(0);
  });
});
