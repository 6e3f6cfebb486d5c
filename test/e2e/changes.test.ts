/** What changes while agents run: files, keys, processes. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { startModelServer, type ModelServer } from "../support/agent/model-server.ts";
import { eventually } from "./eventually.ts";
import { Manifests, OmniaUp, ROOT } from "./omnia-up.ts";
import { forAllTests } from "../support/builders/fixtures.ts";

const model = forAllTests(
  () => startModelServer(),
  (model) => model.close(),
);

beforeEach(async () => {
  model().mock.reset();
  model().mock.onMessage(/./, { content: "Well." });
});

const SECRET = (key: string): string => `apiVersion: v1
kind: Secret
metadata:
  name: anthropic-credentials
stringData:
  api-key: ${key}
`;

async function anthropic(): Promise<Manifests> {
  const manifests = await Manifests.copyOf("anthropic");
  await manifests.edit("agent.yaml", /model: claude-.*/, `$&\n    baseURL: ${model().url}`);
  await manifests.write("secret.yaml", SECRET("key-1"));
  return manifests;
}

/** Asks until the model was asked like this. */
async function askUntil(
  up: OmniaUp,
  isAsked: (request: ModelServer["requests"][number]) => boolean,
): Promise<void> {
  const client = await up.connect("anthropic");
  await eventually("a turn with the change", async () => {
    await client.ask("hello");
    const request = model().requests.at(-1);
    return request !== undefined && isAsked(request) ? true : undefined;
  });
}

describe("while a connection is open", () => {
  it("an edit of the pack's ConfigMap is the prompt of the next turn", async () => {
    await using manifests = await anthropic();
    await using up = await OmniaUp.start({ files: [manifests.folder] });
    await up.runs("anthropic");
    const client = await up.connect("anthropic");
    const first = await client.ask("hello");
    expect(JSON.stringify(model().requests.at(-1)?.body.system)).toMatch(/helpful assistant/);
    const pids = await up.replicaPids();

    await manifests.edit("agent.yaml", "You are a helpful assistant.", "You are a pirate.");
    await askUntil(up, ({ body }) => JSON.stringify(body.system).includes("You are a pirate."));
    const second = await client.ask("hello again");
    expect(second.session_id).toBe(first.session_id);
    expect(JSON.stringify(model().requests.at(-1)?.body.system)).toMatch(/You are a pirate/);
    expect(await up.replicaPids()).toEqual(pids);
  });

  it("a rotated key is the key of the next turn", async () => {
    await using manifests = await anthropic();
    await using up = await OmniaUp.start({ files: [manifests.folder] });
    await up.runs("anthropic");
    const client = await up.connect("anthropic");
    await client.ask("hello");
    expect(model().requests.at(-1)?.headers["x-api-key"]).toBe("key-1");

    await manifests.write("secret.yaml", SECRET("key-2"));
    await askUntil(up, ({ headers }) => headers["x-api-key"] === "key-2");
    await client.ask("hello again");
    expect(model().requests.at(-1)?.headers["x-api-key"]).toBe("key-2");
  });

  it("a file that goes bad is told with its place, and what ran goes on", async () => {
    await using manifests = await anthropic();
    await using up = await OmniaUp.start({ files: [manifests.folder] });
    await up.runs("anthropic");
    const client = await up.connect("anthropic");
    await manifests.edit("agent.yaml", "name: anthropic\n    model", "nam: anthropic\n    model");
    await up.process.shows(/agent\.yaml:8:5: .*nam/);
    expect(await client.ask("hello")).toMatchObject({ content: "Well." });
    await manifests.edit("agent.yaml", "nam: anthropic", "name: anthropic");
    await up.runs("anthropic");
  });
});

describe("files", () => {
  it("that are bad do not keep the good ones beside them from running", async () => {
    await using manifests = await Manifests.copyOf("echo");
    await manifests.write("bad.yaml", "kind: AgentRuntime\n\tapiVersion: x\n");
    await manifests.write("wrong.yaml", await wrongManifest());
    await using up = await OmniaUp.start({ files: [manifests.folder] });
    await up.process.shows(/bad\.yaml:2:1: /);
    await up.process.shows(/wrong\.yaml:7:11: .*8081/);
    await up.runs("echo");
    const client = await up.connect("echo");
    expect(await client.ask("hello")).toMatchObject({ content: "hello" });
  });

  it("that come later bring their agents", async () => {
    await using manifests = await Manifests.copyOf("echo");
    await using up = await OmniaUp.start({ files: [manifests.folder] });
    await up.runs("echo");
    const quickstart = await readFile(join(ROOT, "examples/quickstart/agent.yaml"), "utf8");
    await manifests.write("more.yaml", quickstart);
    await up.runs("quickstart");
  });
});

async function wrongManifest(): Promise<string> {
  return (await readFile(join(ROOT, "examples/echo/agent.yaml"), "utf8"))
    .replace(/^#.*\n/, "")
    .replace("name: echo", "name: wrong")
    .replace("handler: echo", "port: 8081\n    handler: echo");
}

describe("processes", () => {
  it("that are killed are started again, and the agent answers", async () => {
    await using up = await OmniaUp.start({ files: [join(ROOT, "examples/echo")] });
    await up.runs("echo");
    const [killed = 0] = await up.replicaPids();
    process.kill(killed, "SIGKILL");
    await eventually("another process", async () => {
      const [pid] = await up.replicaPids();
      return pid === undefined || pid === killed ? undefined : pid;
    });
    await up.runs("echo");
    const client = await up.connect("echo");
    expect(await client.ask("hello")).toMatchObject({ content: "hello" });
  });

  it("finish their turns at Ctrl-C, then close, and leave nothing behind", async () => {
    await using up = await OmniaUp.start({ env: { OMNIA_DEMO_PAUSES: "on" } });
    await up.runs("quickstart");
    const [replica = 0] = await up.replicaPids();
    const client = await up.connect("quickstart");
    client.say("What is the weather like in Oslo?");
    await client.nextOf("tool_call");
    const ended = up.interrupt(5_000);
    expect(await client.nextOf("done")).toMatchObject({ finish_reason: "stop" });
    expect(await client.closed).toMatchObject({ code: 1001 });
    expect(await ended).toMatchObject({ code: 0, err: "" });
    expect(() => process.kill(replica, 0)).toThrow(/ESRCH/);
  });

  it("end at once at a second Ctrl-C", async () => {
    await using up = await OmniaUp.start({ env: { OMNIA_DEMO_PAUSES: "on" } });
    await up.runs("quickstart");
    const client = await up.connect("quickstart");
    client.say("What is the weather like in Oslo?");
    await client.nextOf("tool_call");
    up.process.kill("SIGINT");
    await up.process.shows(/Ending/);
    up.process.kill("SIGINT");
    await up.process.ended;
    await client.closed;
    expect(client.frames.some(({ type }) => type === "done")).toBe(false);
  });

  it("end when whoever started them is killed", async () => {
    await using up = await OmniaUp.start();
    await up.runs("quickstart");
    const [replica = 0] = await up.replicaPids();
    up.process.kill("SIGKILL");
    await eventually("the end of the replica", () => {
      try {
        process.kill(replica, 0);
        return undefined;
      } catch {
        return true;
      }
    });
  });
});
