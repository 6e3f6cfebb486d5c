/** The tools of an openapi server, from its own document through the model to the server: a real FastAPI, and faults before it. */
import { readFile } from "node:fs/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ToolConfig } from "../../../src/agent-config/agent-config.ts";
import { systemClock } from "../../../src/time/clock.ts";
import { compileSchema } from "../../../src/promptpack/schema/compile-schema.ts";
import { OpenApiToolServer } from "../../../src/tool-servers/openapi/openapi-tool-server.ts";
import { ToolServers } from "../../../src/tool-servers/tool-servers.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import { githubDocument, startFastAPI } from "../../support/openapi/fastapi-server.ts";
import { type Fault, PAGE_WORDS, startFaultProxy } from "../../support/openapi/fault-proxy.ts";

const { signal } = new AbortController();
const MEBIBYTE = 1024 * 1024;

function anOpenApiTool(url: string, more: Partial<ToolConfig> = {}): ToolConfig {
  const allowedAddresses = ["private", "loopback"];
  return aTool({
    name: "shop",
    registryName: "shop",
    type: "openapi",
    url,
    allowedAddresses,
    ...more,
  });
}

function servers(credential = ""): ToolServers {
  return new ToolServers({
    readSecret: () => Promise.resolve(credential),
    clock: systemClock,
    random: () => 0,
  });
}

/** What a control plane writes into the config of agents when it has read the document. */
async function readTool(tool: ToolConfig, credential?: string): Promise<ToolConfig> {
  const server = servers(credential).of(tool);
  if (!(server instanceof OpenApiToolServer)) throw new Error("it is no openapi server");
  const reading = await server.readList(signal);
  if (reading.state !== "read") throw new Error(reading.message);
  return { ...tool, openapi: { ...tool.openapi, operations: [...reading.tools] } };
}

const shop = forAllTests(startFastAPI, (server) => server[Symbol.asyncDispose]());

describe("the own document of a FastAPI app", () => {
  it("gives all its operations but those that take files", async () => {
    const server = servers().of(anOpenApiTool(`${shop().url}/openapi.json`)) as OpenApiToolServer;
    const reading = await server.readList(signal);
    if (reading.state !== "read") throw new Error(reading.message);
    expect(reading.tools.map(({ name }) => name)).toEqual([
      "read_item_items__id__get",
      "put_item_items__id__put",
      "remove_item_items__id__delete",
      "make_pair_pairs_post",
      "add_note_notes_post",
      "add_pet_pets_post",
      "add_items_lists_post",
      "send_form_forms_post",
      "read_file_files__file_path__get",
      "read_page_pages_get",
      "read_orders_orders_get",
    ]);
    expect(reading.unsupported).toEqual(
      ["upload_uploads_post", "upload_many_many_uploads_post"].map((name) => ({
        name,
        reason: 'it takes a file ("multipart/form-data"); files cannot be sent',
      })),
    );
    for (const { inputSchema } of reading.tools) expect(compileSchema(inputSchema).ok).toBe(true);
  });

  it.each([
    [
      "read_item_items__id__get",
      { id: 7, q: "a b&c", tags: ["x", "y"], "x-trace": "t", shade: "dark blue" },
      { id: 7, q: "a b&c", tags: ["x", "y"], x_trace: "t", shade: "dark%20blue" },
    ],
    [
      "put_item_items__id__put",
      {
        id__path: 3,
        id__header: 4,
        id: 5,
        name: "chess",
        kind: "game",
        tags: ["new"],
        part: { name: "king", parts: [{ name: "crown" }] },
      },
      {
        path: 3,
        header: 4,
        item: {
          id: 5,
          name: "chess",
          kind: "game",
          price: null,
          tags: ["new"],
          part: { name: "king", parts: [{ name: "crown", parts: [] }] },
          since: null,
        },
      },
    ],
    ["remove_item_items__id__delete", { id: 1 }, null],
    [
      "make_pair_pairs_post",
      { item: { id: 1, name: "go" }, part: { name: "stone" } },
      expect.objectContaining({ part: { name: "stone", parts: [] } }),
    ],
    ["add_note_notes_post", {}, { item: null }],
    [
      "add_note_notes_post",
      { body: { id: 1, name: "go" } },
      { item: expect.objectContaining({ name: "go" }) as object },
    ],
    [
      "add_pet_pets_post",
      { body: { kind: "dog", bark: true } },
      { pet: { kind: "dog", bark: true } },
    ],
    [
      "add_items_lists_post",
      {
        body: [
          { id: 1, name: "a" },
          { id: 2, name: "b" },
        ],
      },
      { count: 2 },
    ],
    [
      "send_form_forms_post",
      { user: "Ann & co", tags: ["a", "b=c"] },
      { user: "Ann & co", tags: ["a", "b=c"] },
    ],
    ["read_file_files__file_path__get", { file_path: "a.txt" }, { path: "a.txt" }],
    ["read_page_pages_get", {}, "<p>a page of the shop</p>"],
  ])("is called as it asks for: %s with %j", async (name, toolArguments, result) => {
    const tool = await readTool(anOpenApiTool(`${shop().url}/openapi.json`));
    const outcome = await servers()
      .of(tool)
      .call(name, toolArguments, { signal, timeoutMs: 5_000 });
    expect(outcome).toEqual({ result });
  });

  it("is sent the registry's credential, which is no argument", async () => {
    const tool = await readTool(
      anOpenApiTool(`${shop().url}/openapi.json`, {
        authFile: "tools/shop/key",
        headers: { "x-shop-key": "of the registry" },
      }),
      "key-of-the-shop",
    );
    const orders = tool.openapi?.operations?.find(({ name }) => name === "read_orders_orders_get");
    expect(orders?.inputSchema["properties"]).toEqual({});
    const server = servers("key-of-the-shop").of(tool);
    const call = await server.call("read_orders_orders_get", {}, { signal, timeoutMs: 5_000 });
    expect(call).toEqual({ result: { authorized: true, key: "of the registry" } });
  });

  it("tells the model what the server says of wrong arguments", async () => {
    const tool = await readTool(anOpenApiTool(`${shop().url}/openapi.json`));
    const call = (name: string, toolArguments: Record<string, unknown>) =>
      servers().of(tool).call(name, toolArguments, { signal, timeoutMs: 5_000 });
    expect(await call("read_item_items__id__get", { id: 404 })).toEqual({
      error: 'the tool answered HTTP 404: {"detail":"there is no such item"}',
    });
    expect(await call("read_item_items__id__get", { id: "seven" })).toEqual({
      error: expect.stringMatching(/HTTP 422: .*valid integer/) as string,
    });
  });
});

describe("GitHub's document of 13 MB", () => {
  async function startGitHub() {
    const text = await readFile(await githubDocument());
    const server = await startHttpServer((_, response) => void response.end(text));
    onTestFinished(() => server.close());
    return server;
  }
  it("needs allow, and with three operations it is a small part of a config", async () => {
    const { url } = await startGitHub();
    const all = servers().of(anOpenApiTool(url)) as OpenApiToolServer;
    expect(await all.readList(signal)).toMatchObject({
      state: "failed",
      reason: "InvalidTool",
      message: expect.stringMatching(
        /1,223 operations; allow at most 64 of them by name/,
      ) as string,
    });
    const allow = ["repos_get", "issues_create", "pulls_list"];
    const tool = await readTool(anOpenApiTool(url, { allow }));
    const { operations = [] } = tool.openapi ?? {};
    expect(operations.map(({ name, method, url: path }) => [name, method, path])).toEqual([
      ["repos_get", "GET", "https://api.github.com/repos/{owner}/{repo}"],
      ["issues_create", "POST", "https://api.github.com/repos/{owner}/{repo}/issues"],
      ["pulls_list", "GET", "https://api.github.com/repos/{owner}/{repo}/pulls"],
    ]);
    expect(JSON.stringify(operations).length).toBeLessThan(16 * 1024);
  });
});

interface Told {
  readonly result?: unknown;
  readonly error?: string;
}

const OPERATION = "read_item_items__id__get";

async function anAgentBehindAProxy(more: Partial<ToolConfig> = {}) {
  const proxy = await startFaultProxy(shop().url);
  onTestFinished(() => proxy.close());
  const model = await startModelServer();
  onTestFinished(() => model.close());
  model.mock.on(
    { hasToolResult: false },
    { toolCalls: [{ id: "call_1", name: OPERATION, arguments: '{"id":7}' }] },
  );
  model.mock.on({ hasToolResult: true }, { content: "Fine." });
  const tool = await readTool(
    anOpenApiTool(`${proxy.url}/openapi.json`, { timeoutMs: 1_000, ...more }),
  );
  const agent = await TestAgent.start({
    config: aRuntimeConfig({
      provider: { baseURL: `${model.url}/v1`, apiKeyFile: "secrets/provider/api-key" },
      tools: [tool],
    }),
    files: { "secrets/provider/api-key": "sk-test" },
  });
  async function ask(): Promise<{ told: Told; frames: string }> {
    const client = await agent.connect("/");
    client.send({ type: "message", content: "What is item 7?" });
    const frames = [await client.next()];
    while (frames.at(-1)?.type !== "done") frames.push(await client.next());
    const result = frames.find(({ type }) => type === "tool_result");
    return { told: (result as { tool_result: Told }).tool_result, frames: JSON.stringify(frames) };
  }
  return { proxy, ask };
}

describe("an agent with a proxy before its openapi server", () => {
  it.each<[Fault | undefined, Told]>([
    [undefined, { result: expect.objectContaining({ id: 7 }) as object }],
    ["404", { error: "the tool answered HTTP 404" }],
    ["502", { error: "the tool answered HTTP 502" }],
    ["html", { error: "the tool answered with a page of HTML, which its document does not offer" }],
    ["half-json", { error: "the tool's answer is no whole JSON" }],
    ["html-as-json", { error: "the tool's answer is no whole JSON" }],
    ["empty", { result: null }],
    ["202", { result: null }],
    ["redirect", { error: "the tool redirects to another address, which is not followed" }],
    ["10-mb", { result: expect.stringMatching(/\[cut off after 65536 bytes\]$/) as string }],
    ["10-mb-error", { error: "the tool answered HTTP 400" }],
    ["late", { error: "the tool did not answer within 1 seconds" }],
    ["reset", { error: "the tool could not be reached: the connection was broken off" }],
    [
      "text-404",
      { error: "the tool answered HTTP 404: no route: upstream [address] of [address]" },
    ],
    ["long-text-400", { error: "the tool answered HTTP 400" }],
  ])("tells of %s as %j, and the turn goes on", async (fault, expected) => {
    const { proxy, ask } = await anAgentBehindAProxy();
    proxy.fault = fault;
    const { told, frames } = await ask();
    expect(told).toMatchObject(expected);
    expect(frames).toContain("Fine.");
    expect(frames).not.toMatch(/10\.9\.8\.7|shop\.internal|Oops|169\.254|127\.0\.0\.1/);
    expect(frames).not.toContain(PAGE_WORDS);
  });

  it("needs less than 30 MB for answers of 10 MB", async () => {
    const { proxy, ask } = await anAgentBehindAProxy();
    await ask();
    const before = process.memoryUsage.rss();
    let most = before;
    for (const fault of ["10-mb", "10-mb-error", "10-mb"] as const) {
      proxy.fault = fault;
      await ask();
      most = Math.max(most, process.memoryUsage.rss());
    }
    expect((most - before) / MEBIBYTE).toBeLessThan(30);
  });
});
