/** A command as a server of tools, in `omnia up`: started with the agent, called by the model, and gone with the agent. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { isAlive } from "../../../src/local/state/lock-state-folder.ts";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { aPack, aPrompt } from "../../support/builders/a-pack.ts";
import { folderForEachTest } from "../../support/builders/fixtures.ts";
import { stdioCommands } from "../../support/mcp/mcp-servers.ts";
import { startOmnia } from "../../support/processes/omnia-process.ts";

const folder = folderForEachTest();

it("runs a command that a ToolRegistry names, and ends it with the agent", async () => {
  await using model = await startModelServer();
  model.mock.on(
    { userMessage: "Add", hasToolResult: false },
    { toolCalls: [{ id: "call_1", name: "get-sum", arguments: '{"a":1,"b":2}' }] },
  );
  model.mock.on({ hasToolResult: true }, { content: "It is 3." });
  const { everything } = await stdioCommands();
  const pidFile = join(folder(), "pid");
  const command = ["sh", "-c", 'echo $$ >> "$0"; exec "$@"', pidFile, ...everything];
  await writeManifests(`${model.url}/v1`, command);
  await using up = startOmnia(
    ["up", "--port", "0", "--state", join(folder(), "state"), "-f", join(folder(), "agent.yaml")],
    { env: { HOME: folder(), OPENAI_API_KEY: "k" } },
  );
  const [, url = ""] = await up.shows(/Serving at (\S+)/);
  const client = await vi.waitFor(
    () =>
      ChatClient.connect(`${url.replace("http", "ws")}/ws?agent=bot`, { atTheEnd: onTestFinished }),
    { timeout: 60_000 },
  );
  await vi.waitFor(
    async () => {
      const from = client.frames.length;
      const done = await client.ask("Add 1 and 2");
      expect(done.content).toBe("It is 3.");
      expect(JSON.stringify(client.frames.slice(from))).toContain("The sum of 1 and 2 is 3.");
    },
    { timeout: 60_000, interval: 1_000 },
  );
  // It is started for the agent, to ask which protocol it speaks, and to read its list for the status.
  const living = async () =>
    (await readFile(pidFile, "utf8")).trim().split("\n").map(Number).filter(isAlive);
  expect(await living()).not.toEqual([]);
  client.socket.close();
  up.kill("SIGTERM");
  expect(await up.ended).toMatchObject({ code: 0 });
  await vi.waitFor(async () => expect(await living()).toEqual([]));
});

async function writeManifests(baseURL: string, command: string[]): Promise<void> {
  const group = "omnia.altairalabs.ai/v1alpha1";
  const pack = aPack({
    version: "1.0.0",
    prompts: { support: aPrompt({ system_template: "You add." }) },
  });
  const provider = {
    name: "openai",
    model: "m",
    baseURL,
    apiKeySecretRef: { name: "a", key: "k" },
  };
  const tool = { name: "sums", type: "mcp", mcp: { transport: "stdio", command } };
  const resources = [
    [
      group,
      "AgentRuntime",
      "bot",
      {
        spec: {
          replicas: 1,
          provider,
          promptPackRef: { name: "prompts" },
          toolRegistryRef: { name: "tools" },
        },
      },
    ],
    [group, "PromptPack", "prompts", { spec: { source: { configMapRef: { name: "prompts" } } } }],
    [group, "ToolRegistry", "tools", { spec: { tools: [tool] } }],
    ["v1", "ConfigMap", "prompts", { data: { "promptpack.json": JSON.stringify(pack) } }],
  ] as const;
  const documents = resources.map(([apiVersion, kind, name, rest]) =>
    JSON.stringify({ apiVersion, kind, metadata: { name }, ...rest }),
  );
  await writeFile(join(folder(), "agent.yaml"), documents.join("\n---\n"));
}
