/** The budget of an agent under a real `omnia up`, with a real model server: what clients are told, and what people see. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { agentDetailSchema } from "../../../src/http-api/agent-views.ts";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { aPack, aPrompt } from "../../support/builders/a-pack.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";
import { startLlamaServer } from "../../support/model-server/llama-server.ts";
import { omnia, startOmnia } from "../../support/processes/omnia-process.ts";

/** Holds the answer of the first turn, but not its prompt besides. */
const PER_DAY = 50;
const GROUP = "omnia.altairalabs.ai/v1alpha1";

const home = folderForAllTests();
const llama = forAllTests(startLlamaServer, (server) => server[Symbol.asyncDispose]());
beforeAll(async () => {
  await writeFile(join(home(), "agents.yaml"), manifests(llama().url));
});

const options = () => ({
  env: { HOME: home(), XDG_STATE_HOME: join(home(), "state"), OPENAI_API_KEY: llama().key },
  cwd: home(),
});
const up = forAllTests(
  () => startOmnia(["up", "-f", "agents.yaml", "--port", "0", "--no-open"], options()),
  (up) => up[Symbol.asyncDispose](),
);
const url = forAllTests(async () => {
  const [, found = ""] = await up().shows(/Serving at (http:\S+)/);
  await up().shows(/default\/thrifty: Running/);
  return found;
}, undefined);

function manifests(modelURL: string): string {
  const pack = aPack({ prompts: { support: aPrompt() } });
  const resource = (apiVersion: string, kind: string, name: string, rest: object): string =>
    JSON.stringify({ apiVersion, kind, metadata: { name }, ...rest });
  return [
    resource(GROUP, "AgentRuntime", "thrifty", {
      spec: {
        provider: {
          name: "openai",
          model: "tiny",
          baseURL: `${modelURL}/v1`,
          apiKeySecretRef: { name: "llm", key: "k" },
        },
        promptPackRef: { name: "prompts" },
        budget: { maxTokensPerTurn: 5_000, maxTokensPerDay: PER_DAY },
      },
    }),
    resource(GROUP, "PromptPack", "prompts", {
      spec: { source: { configMapRef: { name: "prompts" } } },
    }),
    resource("v1", "ConfigMap", "prompts", { data: { "promptpack.json": JSON.stringify(pack) } }),
  ].join("\n---\n");
}

async function detail() {
  const response = await fetch(`${url()}/api/v1alpha1/agents/default/thrifty`);
  return agentDetailSchema.parse(await response.json());
}

describe("the budget of an agent under omnia up", () => {
  it("is told before anything of it is used", async () => {
    expect((await detail()).budget).toEqual({
      maxTokensPerTurn: 5_000,
      maxTokensPerDay: PER_DAY,
      tokensToday: 0,
    });
    const { out } = await omnia(["explain", "thrifty"], options());
    expect(out).toContain(
      `Budget: 5,000 a turn, ${PER_DAY} a day (tokens); 0 used since midnight UTC\n`,
    );
  });

  it("refuses a turn with its reason once it is spent, and is shown so", async () => {
    const client = await ChatClient.connect(`${url().replace("http", "ws")}/ws?agent=thrifty`);
    await client.ask("hello");
    client.say("hello again");
    const { error } = await client.nextOf("error");
    expect(error).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/budget for today is spent: \d+ of 50 tokens/) as string,
      details: { budget: "day", limit: PER_DAY, retry_after: expect.any(Number) as number },
    });
    const spent = error.details?.["spent"] as number;
    expect((await detail()).budget?.tokensToday).toBe(spent);
    const shown = `${spent} used since midnight UTC: no turn begins before the next midnight`;
    const explained = await omnia(["explain", "thrifty"], options());
    expect(explained.out).toContain(shown);
    const json = await omnia(["explain", "thrifty", "-o", "json"], options());
    expect(JSON.parse(json.out)).toMatchObject({ tokensToday: spent });
    const listed = await omnia(["status", "-o", "json"], options());
    expect((JSON.parse(listed.out) as { items: object[] }).items).toContainEqual(
      expect.objectContaining({
        kind: "AgentRuntime",
        authenticated: false,
        tokensToday: spent,
      }) as object,
    );
    const { out } = await omnia(["status"], options());
    expect(out).toMatch(new RegExp(`Budget +Spent .*${shown}`));
  });
});
