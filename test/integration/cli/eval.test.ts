/** `omnia eval` as users run it: against a model, an agent, and a recording. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { aPack, aPrompt } from "../../support/builders/a-pack.ts";
import { folderForEachTest, forEachTest } from "../../support/builders/fixtures.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import {
  omnia,
  printedJSON,
  startOmnia,
  type OmniaResult,
} from "../../support/processes/omnia-process.ts";

const ROOT = join(import.meta.dirname, "../../..");
const KEY = "sk-test-4f9c2e71b8a0d653";
const folder = folderForEachTest();
const model = forEachTest(startModelServer, (server) => server.close());

type Fields = Record<string, unknown>;

async function write(name: string, content: unknown): Promise<string> {
  const file = join(folder(), name);
  await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

function evalsOf(...evals: Fields[]): Fields {
  return aPack({
    evals,
    prompts: {
      support: aPrompt({
        system_template: "You help customers of {{shop}}.",
        variables: [{ name: "shop", type: "string", required: true }],
      }),
    },
  });
}

function aTalk(id: string, ...turns: Fields[]): Fields {
  return { id, variables: { shop: "Nordlicht" }, turns };
}

async function conversations(...talks: Fields[]): Promise<string> {
  return write("talks.jsonl", talks.map((talk) => JSON.stringify(talk)).join("\n"));
}

function run(args: readonly string[], env: Record<string, string> = {}): Promise<OmniaResult> {
  return omnia(["eval", ...args], { env: { HOME: folder(), ...env } });
}

/** The flags that make the mock answer. */
function live(): string[] {
  return ["--provider", "openai", "--model", "m", "--base-url", `${model().url}/v1`];
}

const contains = (id: string, pattern: string, fields: Fields = {}): Fields => ({
  id,
  type: "contains",
  trigger: "every_turn",
  params: { patterns: [pattern] },
  ...fields,
});

describe("omnia eval", () => {
  it("asks the model with the rendered prompt and what was said before, and judges its answers", async () => {
    const { mock, requests } = model();
    mock.onMessage("shoes", { content: "Within 30 days." });
    mock.onMessage("pays", { content: "We pay." });
    const pack = await write("pack.json", evalsOf(contains("polite", "please")));
    const talks = await conversations(
      aTalk("returns", { user: "shoes?", expect: "30 DAYS" }, { user: "Who pays?" }),
    );
    const { code, out, err } = await run(["-f", pack, "--conversations", talks, ...live()], {
      OPENAI_API_KEY: KEY,
    });
    expect(err).toBe("");
    expect(out).toContain("customer-service 1.2.0");
    expect(out).toContain('failed returns, turn 2: polite: it lacks "please"');
    expect(out).toContain("1 conversation, 1 passed, 2 failed");
    expect(code).toBe(1);
    expect(requests.at(-1)?.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(requests.at(-1)?.body.messages).toMatchObject([
      { role: "system", content: "You help customers of Nordlicht." },
      { role: "user", content: "shoes?" },
      { role: "assistant", content: "Within 30 days." },
      { role: "user", content: "Who pays?" },
    ]);
  });

  it("records what was answered without the key, and judges it again without a network", async () => {
    const { mock, requests } = model();
    mock.onMessage(/Content to judge/, { content: '{"passed": true, "score": 4}' });
    mock.onMessage("key", { content: `It is ${KEY}, please.` });
    const judge = {
      id: "tone",
      type: "llm_judge",
      trigger: "on_session_complete",
      threshold: { operator: "gte", value: 4 },
      params: { criteria: "Rate the tone from 1 to 5.", model: "judge-1" },
    };
    const pack = await write("pack.json", evalsOf(contains("polite", "please"), judge));
    const talks = await conversations(
      aTalk("one", { user: "The key?" }),
      aTalk("two", { user: "key!" }),
    );
    const recordings = join(folder(), "recordings");
    const args = ["-f", pack, "--conversations", talks];
    const recorded = await run([...args, ...live(), "--record", recordings], {
      OPENAI_API_KEY: KEY,
    });
    expect(recorded).toMatchObject({ code: 0, err: "" });
    expect((await readdir(recordings)).toSorted()).toEqual(["one.json", "two.json"]);
    const written = await readFile(join(recordings, "one.json"), "utf8");
    expect(written).not.toContain(KEY);
    expect(written).toContain("It is [redacted], please.");
    expect(requests.map(({ body }) => body.model)).toContain("judge-1");

    const asked = requests.length;
    const replayed = await run([...args, "--replay", recordings, "-o", "json"]);
    expect(replayed.code).toBe(0);
    expect(printedJSON(replayed)).toMatchObject({
      pack: "customer-service",
      prompt: "support",
      summary: { conversations: 2, passed: 4, failed: 0, ok: true },
    });
    expect(requests.length).toBe(asked);
  });

  it("says of a replay what was not recorded", async () => {
    const { mock } = model();
    mock.onMessage(/./, { content: "please" });
    const recordings = join(folder(), "recordings");
    const pack = await write("pack.json", evalsOf(contains("polite", "please")));
    const talks = await conversations(aTalk("one", { user: "a" }), aTalk("two", { user: "b" }));
    await run(["-f", pack, "--conversations", talks, ...live(), "--record", recordings]);

    await write(
      "talks.jsonl",
      [
        aTalk("one", { user: "another" }),
        aTalk("two", { user: "b" }, { user: "more" }),
        aTalk("three", { user: "c" }),
      ]
        .map((talk) => JSON.stringify(talk))
        .join("\n"),
    );
    await write(
      "pack.json",
      evalsOf(contains("polite", "please"), {
        id: "judge",
        type: "llm_judge",
        trigger: "every_turn",
        params: { criteria: "Good?" },
      }),
    );
    const { code, out, err } = await run([
      "-f",
      pack,
      "--conversations",
      talks,
      "--replay",
      recordings,
    ]);
    expect(code).toBe(1);
    expect(out).toContain("failed one: turn 1: it was recorded with another message");
    expect(out).toContain("failed two: turn 2: it was recorded with fewer turns");
    expect(out).toContain("failed three: turn 1: there is no recording of it");
    expect(out).toContain("judge: the recording has no verdict of a model for it");
    expect(err).toContain("2 recordings are of another content of the pack");
  });

  it("counts an unknown eval as failed unless it is allowed, and one with a mistake always", async () => {
    model().mock.onMessage(/./, { content: "please" });
    const unknown = { id: "near", type: "cosine_similarity", trigger: "every_turn" };
    const talks = await conversations(aTalk("one", { user: "a" }));
    const args = ["--conversations", talks, ...live()];
    const pack = await write("pack.json", evalsOf(contains("polite", "please"), unknown));
    const refused = await run(["-f", pack, ...args]);
    expect(refused.code).toBe(1);
    expect(refused.out).toContain('not run near: the type "cosine_similarity" is not known here');
    const allowed = await run(["-f", pack, ...args, "--allow-unknown"]);
    expect(allowed.code).toBe(0);
    expect(allowed.out).toContain("1 eval not run");

    const mistaken = await write("other.json", evalsOf({ ...unknown, type: "regex" }));
    const still = await run(["-f", mistaken, ...args, "--allow-unknown"]);
    expect(still.code).toBe(1);
    expect(still.out).toContain("not run near: params needs pattern");
  });

  it("writes JUnit into a file and the table to its output", async () => {
    model().mock.onMessage(/./, { content: "no" });
    const pack = await write("pack.json", evalsOf(contains("polite", "please")));
    const talks = await conversations(aTalk("one", { user: "a" }));
    const file = join(folder(), "evals.xml");
    const args = ["-f", pack, "--conversations", talks, ...live(), "-o", "junit"];
    const { code, out } = await run([...args, "--out", file]);
    expect(code).toBe(1);
    expect(out).toContain("1 conversation, 0 passed, 1 failed");
    const xml = await readFile(file, "utf8");
    expect(xml.replaceAll(/time="[^"]*"/g, 'time="…"')).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="customer-service 1.2.0" tests="1" failures="1" errors="0" skipped="0" time="…">
  <testsuite name="one" tests="1" failures="1" errors="0" skipped="0" time="…">
    <testcase classname="one" name="turn 1: polite">
      <failure message="it lacks &quot;please&quot;"/>
    </testcase>
  </testsuite>
</testsuites>
`,
    );
  });

  it("goes on with the other conversations when one breaks off", async () => {
    const { mock } = model();
    mock.onMessage("good", { content: "please" });
    mock.onMessage("bad", {
      error: { message: `no, ${KEY}`, type: "invalid_request_error" },
      status: 400,
    });
    const pack = await write("pack.json", evalsOf(contains("polite", "please")));
    const talks = await conversations(
      aTalk("one", { user: "bad" }),
      { id: "two", turns: [{ user: "good" }] },
      aTalk("three", { user: "good" }),
    );
    const { code, out } = await run(["-f", pack, "--conversations", talks, ...live()], {
      OPENAI_API_KEY: KEY,
    });
    expect(code).toBe(1);
    expect(out).toContain("failed one: turn 1: PROVIDER_ERROR");
    expect(out).toMatch(/failed two: .*"shop" is missing/);
    expect(out).toContain("3 conversations, 1 passed, 0 failed, 2 broken off");
    expect(out).not.toContain(KEY);
  });

  it("gives up on an answer that does not come in time", async () => {
    await using slow = await startHttpServer(
      (_request: IncomingMessage, _response: ServerResponse) => {},
    );
    const pack = await write("pack.json", evalsOf(contains("polite", "please")));
    const talks = await conversations(aTalk("one", { user: "a" }));
    const { code, out } = await run([
      "-f",
      pack,
      "--conversations",
      talks,
      "--provider",
      "openai",
      "--model",
      "m",
      "--base-url",
      slow.url,
      "--timeout",
      "300ms",
    ]);
    expect(code).toBe(1);
    expect(out).toContain("failed one: turn 1: no answer came within 0.3 s");
  });

  it("ends at Ctrl-C, and says so", async () => {
    const asked = Promise.withResolvers<void>();
    await using slow = await startHttpServer(() => asked.resolve());
    const pack = await write("pack.json", evalsOf(contains("polite", "please")));
    const talks = await conversations(aTalk("one", { user: "a" }), aTalk("two", { user: "b" }));
    const args = ["--provider", "openai", "--model", "m", "--base-url", slow.url, "--jobs", "1"];
    await using running = startOmnia(["eval", "-f", pack, "--conversations", talks, ...args], {
      env: { HOME: folder() },
    });
    await asked.promise;
    running.kill("SIGINT");
    expect(await running.ended).toMatchObject({ code: 1, out: "", err: "omnia: Interrupted.\n" });
  });

  it("runs an agent of manifests with its provider, its variables and its tools", async () => {
    const { mock, requests, url } = model();
    mock.onToolResult("call_1", { content: "It was sent." });
    mock.onMessage("order", {
      toolCalls: [{ id: "call_1", name: "get-order", arguments: { id: "A-1" } }],
    });
    await using orders = await startHttpServer(
      (_request: IncomingMessage, response: ServerResponse) => {
        response.setHeader("content-type", "application/json").end('{"state":"sent"}');
      },
    );
    const group = "omnia.altairalabs.ai/v1alpha1";
    const called = {
      id: "looked",
      type: "tool_args",
      trigger: "every_turn",
      params: { tool_name: "get-order", expected_args: { id: "A-1" } },
    };
    const said = {
      id: "result",
      type: "tool_result_includes",
      trigger: "every_turn",
      params: { patterns: ["sent"] },
    };
    const file = await write(
      "agent.yaml",
      [
        {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: "pack" },
          data: { "promptpack.json": JSON.stringify(evalsOf(called, said)) },
        },
        {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "key" },
          stringData: { "api-key": KEY },
        },
        {
          apiVersion: group,
          kind: "PromptPack",
          metadata: { name: "pack" },
          spec: { source: { configMapRef: { name: "pack" } } },
        },
        {
          apiVersion: group,
          kind: "ToolRegistry",
          metadata: { name: "tools" },
          spec: {
            tools: [
              { name: "get-order", type: "http", url: orders.url, description: "Finds an order" },
            ],
          },
        },
        {
          apiVersion: group,
          kind: "AgentRuntime",
          metadata: { name: "support" },
          spec: {
            provider: {
              name: "openai",
              model: "m",
              baseURL: `${url}/v1`,
              apiKeySecretRef: { name: "key", key: "api-key" },
            },
            promptPackRef: { name: "pack", variables: { shop: "Nordlicht" } },
            toolRegistryRef: { name: "tools" },
            facade: { type: "websocket", handler: "runtime" },
          },
        },
      ]
        .map((manifest) => JSON.stringify(manifest))
        .join("\n---\n"),
    );
    const talks = await conversations({
      id: "one",
      turns: [{ user: "my order?", expect: "sent" }],
    });
    const { code, out, err } = await run(["-f", file, "--conversations", talks]);
    expect({ code, out, err }).toMatchObject({ code: 0, err: "" });
    expect(out).toContain("1 conversation, 3 passed, 0 failed");
    expect(requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(requests[0]?.body.messages[0].content).toBe("You help customers of Nordlicht.");

    // The key of the manifest is not for another address.
    await run(["-f", file, "--conversations", talks, "--base-url", `${url}/other/v1`]);
    expect(requests.at(-1)?.headers.authorization).toBe("Bearer none");
  });

  it("asks an agent at an address", async () => {
    await using up = startOmnia(
      ["up", "--port", "0", "--state", join(folder(), "state"), "-f", join(ROOT, "examples/echo")],
      { env: { HOME: folder() } },
    );
    const [, url = ""] = await up.shows(/Serving at (\S+)[^]*1\/1 ready/);
    const pack = await write("pack.json", evalsOf(contains("same", "hello")));
    const talks = await write(
      "talks.jsonl",
      '{"id":"one","turns":[{"user":"hello there"},{"user":"bye"}]}',
    );
    const args = ["-f", pack, "--conversations", talks, "--url", url];
    const { code, out } = await run([...args, "--agent", "echo"]);
    expect(out).toContain('failed one, turn 2: same: it lacks "hello"');
    expect(out).toContain("1 passed, 1 failed");
    expect(code).toBe(1);
    // The model that judges is given by flags, since nobody knows that of the agent.
    model().mock.onMessage(/Content to judge/, {
      content: '{"passed": false, "reasoning": "rude"}',
    });
    const judge = { type: "llm_judge", trigger: "every_turn", params: { criteria: "Polite?" } };
    await write("pack.json", evalsOf({ id: "tone", ...judge }));
    const judged = await run([...args, "--agent", "echo", ...live()]);
    expect(judged.out).toContain("failed one, turn 1: tone: rude");
    const unjudged = await run([...args, "--agent", "echo"]);
    expect(unjudged.out).toContain("failed one, turn 1: tone: there is no model that could judge");
    const nobody = await run([...args, "--agent", "nobody"]);
    expect(nobody.out).toContain("failed one: There is no agent nobody");
  });

  it.each([
    ["no model", [], 2, "Nothing says which model is to answer."],
    ["no key", ["--provider", "openai", "--model", "m"], 1, "OPENAI_API_KEY"],
    ["a provider without a model", ["--provider", "openai"], 2, "--provider needs --model."],
    ["an unknown provider", ["--provider", "x"], 2, "--provider"],
    ["no number", ["--jobs", "0"], 2, "from 1 to 64"],
    ["two sources", ["--record", "a", "--replay", "b"], 2, "cannot both be given"],
    ["an address that is none", ["--base-url", "file:///etc"], 2, "is no address of a server"],
    ["a blank model", ["--provider", "openai", "--model", ""], 2, "Nothing says which model"],
    ["too long a model", ["--provider", "openai", "--model", "m".repeat(300)], 2, "model"],
    ["no recordings", ["--replay", "nowhere"], 1, "--replay: there is no folder nowhere."],
    ["an unknown prompt", ["--prompt", "sales"], 1, 'has no prompt "sales"'],
    [
      "groups that are not there",
      ["--replay", "a", "--group", "x"],
      1,
      "There is nothing to judge.",
    ],
  ])("says what is wrong with the command line: %s", async (_what, args, code, message) => {
    const pack = await write("pack.json", evalsOf(contains("polite", "please")));
    const talks = await conversations(aTalk("one", { user: "a" }));
    const result = await run(["-f", pack, "--conversations", talks, ...args]);
    expect(result).toMatchObject({ code, out: "" });
    expect(result.err).toContain(message);
  });

  it("starts no runtime in another framework", async () => {
    const talks = await conversations(aTalk("one", { user: "a", expect: "b" }));
    const agent = join(ROOT, "examples/pydantic-ai");
    const { code, err } = await run(["-f", agent, "--conversations", talks]);
    expect(code).toBe(1);
    expect(err).toContain("runs in another framework, which is not started here");
  });

  it("says where a pack or a conversation is wrong", async () => {
    const talks = await write("talks.jsonl", '\n{"turns": []}');
    const pack = await write("pack.json", '{"id": "a",\n "prompts": {}, "version": 1}');
    const wrongPack = await run(["-f", pack, "--conversations", talks]);
    expect(wrongPack).toMatchObject({ code: 1, out: "" });
    expect(wrongPack.err).toContain("pack.json:2:");
    await write("pack.json", evalsOf());
    const wrongTalks = await run(["-f", pack, "--conversations", talks]);
    expect(wrongTalks.err).toContain("talks.jsonl: line 2: turns");
    const missing = await run(["-f", pack, "--conversations", "nowhere.jsonl"]);
    expect(missing.err).toContain("nowhere.jsonl: there is no such file");
  });
});

describe("the example", () => {
  it("passes with its recordings", async () => {
    const example = join(ROOT, "docs/evals");
    const args = [
      "-f",
      join(example, "pack.yaml"),
      "--conversations",
      join(example, "conversations.jsonl"),
    ];
    const { code, out, err } = await run([...args, "--replay", join(example, "recordings")]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("2 conversations, 12 passed, 0 failed");
  });
});
