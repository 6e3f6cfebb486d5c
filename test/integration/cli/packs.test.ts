/** The versions of prompt packs in an omnia up: edits reach the agents, and the commands about versions. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { startModelServer, type ModelServer } from "../../support/agent/model-server.ts";
import { countOpen, openClients } from "../../support/agent/open-clients.ts";
import { aPackText, aPrompt } from "../../support/builders/a-pack.ts";
import {
  omnia,
  printedJSON,
  startOmnia,
  type OmniaResult,
} from "../../support/processes/omnia-process.ts";

const CONNECTIONS = 100;
const SOME_TIME = { timeout: 60_000, interval: 50 };

interface Listed {
  readonly items: readonly {
    readonly versions: readonly {
      readonly hash: string;
      readonly semver: string;
      state?: string;
    }[];
  }[];
}

/** An omnia up with the agent `support`, whose pack a test edits. */
class PackOnMachine implements AsyncDisposable {
  readonly model: ModelServer;
  readonly #folder: string;
  #up: ReturnType<typeof startOmnia>;
  #url = "";

  private constructor(model: ModelServer, folder: string) {
    this.model = model;
    this.#folder = folder;
    this.#up = this.#start();
  }

  static async start(): Promise<PackOnMachine> {
    const model = await startModelServer();
    model.mock.onMessage("hello", { content: "Hi." });
    const folder = await mkdtemp(join(tmpdir(), "omnia-packs-"));
    await writeFile(join(folder, "agent.json"), JSON.stringify(agentList(model.url)));
    await writeFile(join(folder, "pack.json"), packFile("1.0.0", "Be kind."));
    const machine = new PackOnMachine(model, folder);
    onTestFinished(() => machine[Symbol.asyncDispose]());
    await machine.#isServing();
    return machine;
  }

  #start(): ReturnType<typeof startOmnia> {
    return startOmnia(
      ["up", "-f", "agent.json", "-f", "pack.json", "--port", "0", "--state", "state", "--no-open"],
      this.#options,
    );
  }

  async #isServing(): Promise<void> {
    [, this.#url = ""] = await this.#up.shows(/Serving at (\S+)/);
    await this.#up.shows(/default\/support: Running/);
  }

  /** In order, so that its agents end too. */
  async #end(): Promise<void> {
    this.#up.kill("SIGTERM");
    await this.#up.ended;
  }

  async startAgain(): Promise<void> {
    await this.#end();
    this.#up = this.#start();
    await this.#isServing();
  }

  get #options() {
    const env = { HOME: this.#folder, XDG_STATE_HOME: join(this.#folder, "state") };
    return { env, cwd: this.#folder };
  }

  get file(): Promise<string> {
    return readFile(join(this.#folder, "pack.json"), "utf8");
  }

  get address(): string {
    return `${this.#url.replace(/^http/, "ws")}/ws?agent=support`;
  }

  async edit(version: string, system: string): Promise<void> {
    await this.write(packFile(version, system));
  }

  async write(text: string): Promise<void> {
    await writeFile(join(this.#folder, "pack.json"), text);
  }

  packs(...args: string[]): Promise<OmniaResult> {
    return omnia(["packs", ...args, "--state", "state"], this.#options);
  }

  /** The system prompt that a new session has. */
  async systemPrompt(): Promise<string> {
    const client = await ChatClient.connect(this.address, { atTheEnd: () => {} });
    await client.ask("hello");
    client.socket.terminate();
    return this.model.requests.at(-1)?.body.messages[0].content as string;
  }

  async says(system: string): Promise<void> {
    await vi.waitFor(async () => expect(await this.systemPrompt()).toBe(system), SOME_TIME);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    await this.model[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, maxRetries: 5 });
  }
}

function packFile(version: string, system: string): string {
  const text = aPackText({ version, prompts: { support: aPrompt({ system_template: system }) } });
  const data = { "promptpack.json": text };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "prompts" },
    data,
  });
}

function agentList(modelURL: string): object {
  const apiVersion = "omnia.altairalabs.ai/v1alpha1";
  const provider = {
    name: "openai",
    model: "test-model",
    baseURL: `${modelURL}/v1`,
    apiKeySecretRef: { name: "model", key: "api-key" },
  };
  return {
    apiVersion: "v1",
    kind: "List",
    items: [
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "model" },
        stringData: { "api-key": "sk-test" },
      },
      {
        apiVersion,
        kind: "PromptPack",
        metadata: { name: "prompts" },
        spec: { source: { configMapRef: { name: "prompts" } } },
      },
      {
        apiVersion,
        kind: "AgentRuntime",
        metadata: { name: "support" },
        spec: { provider, promptPackRef: { name: "prompts" } },
      },
    ],
  };
}

async function states(machine: PackOnMachine): Promise<string[]> {
  const { items } = printedJSON(await machine.packs("-o", "json")) as Listed;
  return (items[0]?.versions ?? []).map(({ semver, state }) => `${semver} ${state ?? "-"}`);
}

describe("a prompt pack in an omnia up", () => {
  it("is edited and rolled back while a hundred connections stay open", async () => {
    const machine = await PackOnMachine.start();
    await machine.says("Be kind.");
    const clients = await openClients(machine.address, CONNECTIONS);
    await machine.edit("2.0.0", "Be brief.");
    await machine.says("Be brief.");
    expect((await machine.packs("rollback", "prompts")).code).toBe(0);
    await machine.says("Be kind.");
    expect(countOpen(clients)).toBe(CONNECTIONS);
  });

  it("is rolled back until its file changes, also after a restart, and its file stays as it is", async () => {
    const machine = await PackOnMachine.start();
    await machine.edit("2.0.0", "Be brief.");
    await machine.says("Be brief.");
    const file = await machine.file;
    expect(await states(machine)).toEqual(["2.0.0 active", "1.0.0 previous"]);

    const rollback = await machine.packs("rollback", "pp/prompts", "1.0.0");
    expect(rollback).toMatchObject({ code: 0, err: "" });
    expect(rollback.out).toMatch(/^default\/prompts is back at 1\.0\.0 \([0-9a-f]{12}\)\.$/m);
    expect(rollback.out).toContain("until the pack in the file changes");
    expect(await machine.file).toBe(file);
    expect((await machine.packs()).out).toMatch(/1\.0\.0 +[0-9a-f]{12} +active, rolled back/);
    await machine.startAgain();
    await machine.says("Be kind.");

    // A broken file is no other pack: the version that runs goes on.
    await machine.write("{");
    await machine.write(file);
    await machine.says("Be kind.");
    await machine.edit("3.0.0", "Be honest.");
    await machine.says("Be honest.");
    expect(await states(machine)).toEqual(["3.0.0 active", "1.0.0 previous", "2.0.0 -"]);
  });

  it("goes forth again with the next rollback, and is left alone by one that changes nothing", async () => {
    const machine = await PackOnMachine.start();
    await machine.edit("2.0.0", "Be brief.");
    await machine.says("Be brief.");
    expect((await machine.packs("rollback", "prompts")).out).toContain("is back at 1.0.0");
    expect((await machine.packs("rollback", "prompts", "active")).out).toContain("is at 1.0.0 (");
    expect((await machine.packs("rollback", "prompts")).out).toContain("It is what the file says.");
    await machine.says("Be brief.");
    const result = await machine.packs("rollback", "prompts", "9.9.9");
    expect(result).toMatchObject({ code: 1, out: "" });
    expect(result.err).toMatch(/has no version "9\.9\.9"\.\nThere are: 2\.0\.0 \(/);
  });

  it("is compared with an earlier version, as text and as JSON", async () => {
    const machine = await PackOnMachine.start();
    await machine.edit("2.0.0", "Be brief.");
    await machine.says("Be brief.");
    const [text, twoColumns, json, nobody] = await Promise.all([
      machine.packs("diff", "prompts"),
      machine.packs("diff", "1.0.0", "active", "--side-by-side"),
      machine.packs("diff", "prompts", "active", "previous", "-o", "json"),
      machine.packs("diff", "1.0.0", "7.0.0"),
    ]);
    expect(text).toMatchObject({ code: 0, err: "" });
    expect(text.out).toContain(
      "\nprompts.support.system_template\n- Be kind.\n+ Be brief.\n\nversion\n- 1.0.0\n+ 2.0.0\n",
    );
    expect(twoColumns.out).toMatch(/^- Be kind\. +│ \+ Be brief\.$/m);
    expect(printedJSON(json)).toMatchObject({
      namespace: "default",
      name: "prompts",
      from: { semver: "2.0.0" },
      to: { semver: "1.0.0" },
      changes: [
        { path: "prompts.support.system_template", from: "Be brief.", to: "Be kind." },
        { path: "version", from: "2.0.0", to: "1.0.0" },
      ],
    });
    expect(nobody).toMatchObject({ code: 1, out: "" });
    expect(nobody.err).toContain('has no version "7.0.0"');
  });
});
