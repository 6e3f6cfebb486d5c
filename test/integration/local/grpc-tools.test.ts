/** A gRPC server as a tool of an agent that `omnia up` runs, with its descriptors in a ConfigMap among the files. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { aPack } from "../../support/builders/a-pack.ts";
import { folderForAllTests } from "../../support/builders/fixtures.ts";
import { shopDescriptors, startGrpcio } from "../../support/grpc/grpc-server.ts";
import { startOmnia } from "../../support/processes/omnia-process.ts";

const folder = folderForAllTests();

interface Resource {
  kind: string;
  status: { phase: string; conditions: { type: string; message: string }[] };
}

describe("omnia up", () => {
  it("takes descriptors from a ConfigMap, says what is wrong with them, and takes up better ones", async () => {
    await using backend = await startGrpcio({ reflection: false });
    await using model = await startModelServer();
    const call = { name: "Shop_GetOrder", arguments: '{"orderId":"7"}' };
    model.mock.on({ userMessage: /order/, hasToolResult: false }, { toolCalls: [call] });
    model.mock.on({ userMessage: /order/, hasToolResult: true }, { content: "it is sent" });
    const ours = { apiVersion: "omnia.altairalabs.ai/v1alpha1" };
    const core = { apiVersion: "v1" };
    const write = async (set: Buffer): Promise<void> => {
      const manifests = [
        { ...core, kind: "Secret", metadata: { name: "llm" }, stringData: { key: "k" } },
        {
          ...core,
          kind: "ConfigMap",
          metadata: { name: "shop" },
          binaryData: { "descriptors.pb": set.toString("base64") },
        },
        {
          ...core,
          kind: "ConfigMap",
          metadata: { name: "pack" },
          data: { "promptpack.json": JSON.stringify(aPack()) },
        },
        {
          ...ours,
          kind: "PromptPack",
          metadata: { name: "pack" },
          spec: { source: { configMapRef: { name: "pack" } } },
        },
        {
          ...ours,
          kind: "ToolRegistry",
          metadata: { name: "tools" },
          spec: {
            tools: [
              {
                name: "shop",
                type: "grpc",
                url: `127.0.0.1:${backend.port}`,
                grpc: { descriptorSetRef: { name: "shop" }, services: ["shop.v1.Shop"] },
              },
            ],
          },
        },
        {
          ...ours,
          kind: "AgentRuntime",
          metadata: { name: "seller" },
          spec: {
            provider: {
              name: "openai",
              model: "m",
              baseURL: `${model.url}/v1`,
              apiKeySecretRef: { name: "llm", key: "key" },
            },
            promptPackRef: { name: "pack" },
            toolRegistryRef: { name: "tools" },
          },
        },
      ];
      const text = manifests.map((manifest) => JSON.stringify(manifest)).join("\n---\n");
      await writeFile(join(folder(), "all.yaml"), text);
    };
    await write(Buffer.from("no descriptors"));
    await using up = startOmnia(["up", "--port", "0", "-f", join(folder(), "all.yaml")], {
      env: { HOME: folder() },
    });
    const [, url = ""] = await up.shows(/Serving at (\S+)/);
    const find = async (kind: string): Promise<Resource | undefined> => {
      const response = await fetch(`${url}/api/v1alpha1/resources`);
      const { items } = (await response.json()) as { items: Resource[] };
      return items.find((item) => item.kind === kind);
    };
    const soon = { timeout: 60_000 };
    await expect
      .poll(async () => JSON.stringify((await find("ToolRegistry"))?.status.conditions), soon)
      .toContain("is no set of descriptors");
    await write(await shopDescriptors());
    await expect.poll(async () => (await find("ToolRegistry"))?.status.phase, soon).toBe("Ready");
    await expect.poll(async () => (await find("AgentRuntime"))?.status.phase, soon).toBe("Running");
    await expect
      .poll(async () => {
        const client = await ChatClient.connect(`${url.replace("http", "ws")}/ws?agent=seller`);
        const { content } = await client.ask("where is my order?");
        client.socket.terminate();
        return content;
      }, soon)
      .toBe("it is sent");
    const [request] = model.requests.slice(-1);
    expect(JSON.stringify(request?.body.messages)).toContain("9007199254740993");
  });
});
