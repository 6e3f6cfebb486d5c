/** `omnia up` with agents to talk to in a browser: `echo`, `demo`, and `bot`, which answers by a scripted model and has a tool. */
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { aPack, aPrompt } from "../builders/a-pack.ts";
import { startOmnia } from "../processes/omnia-process.ts";

const GROUP = "omnia.altairalabs.ai/v1alpha1";
/** A machine with much to do takes long to start a few processes. */
const START = { timeout: 60_000, interval: 100 };

export interface TalkingUpOptions {
  /** The address of the model of `bot`. */
  readonly modelURL: string;
  /** The address of the tool `pay` of `bot`, which waits for an approval, and of `look`, which does not. */
  readonly toolURL: string;
  /** Sessions of `bot` are kept there, and it has two replicas. Without it they are kept in memory. */
  readonly redisURL?: string | undefined;
}

export interface TalkingUp extends AsyncDisposable {
  readonly url: string;
  /** The process that has a connection to the port of a server, such as the replica that waits for a model. */
  processTalkingTo(port: number): Promise<number | undefined>;
  stop(): Promise<void>;
}

export async function startTalkingUp(options: TalkingUpOptions): Promise<TalkingUp> {
  const folder = await mkdtemp(join(tmpdir(), "omnia-talking-"));
  const file = join(folder, "agents.yaml");
  await writeFile(file, manifests(options));
  const process = startOmnia(
    ["up", "--no-open", "--port", "0", "--state", join(folder, "state"), "-f", file],
    { env: { HOME: folder, OPENAI_API_KEY: "k", REDIS_URL: options.redisURL ?? "" } },
  );
  async function stop(): Promise<void> {
    await process[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }
  try {
    const [, url = ""] = await process.shows(/Serving at (\S+)/);
    await vi.waitFor(
      async () => expect(await readyAgents(url)).toEqual(["bot", "demo", "echo"]),
      START,
    );
    return {
      url,
      stop,
      [Symbol.asyncDispose]: stop,
      processTalkingTo: async (port) => {
        const inodes = await socketsTo(port);
        const pids = await descendantsOf(process.pid);
        const found = await Promise.all(pids.map((pid) => hasSocket(pid, inodes)));
        return pids.find((_pid, index) => found[index]);
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function readyAgents(url: string): Promise<string[]> {
  const response = await fetch(`${url}/api/v1alpha1/agents`);
  const { items } = (await response.json()) as {
    items: { name: string; ready: number; wanted: number }[];
  };
  const ready = items.filter((item) => item.ready > 0 && item.ready === item.wanted);
  return ready.map(({ name }) => name).toSorted();
}

async function descendantsOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8")),
  );
  const children = lists.flatMap((list) => list.split(" ").filter(Boolean).map(Number));
  const below = await Promise.all(children.map(descendantsOf));
  return [...children, ...below.flat()];
}

/** The inodes of the sockets that are connected to a port of this machine. */
async function socketsTo(port: number): Promise<Set<string>> {
  const table = await readFile("/proc/net/tcp", "utf8");
  const rows = table.split("\n").map((line) => line.trim().split(/\s+/));
  const remote = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const established = rows.filter((row) => row[2]?.endsWith(remote) && row[3] === "01");
  return new Set(established.flatMap((row) => row[9] ?? []));
}

async function hasSocket(pid: number, inodes: ReadonlySet<string>): Promise<boolean> {
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(
    files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => "")),
  );
  return links.some((link) => inodes.has(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? ""));
}

function manifests({ modelURL, toolURL, redisURL }: TalkingUpOptions): string {
  const pack = aPack({ prompts: { support: aPrompt() } });
  const session =
    redisURL === undefined
      ? { type: "memory" }
      : { type: "redis", storeRef: { name: "store", key: "url" } };
  const inputSchema = { type: "object", properties: { amount: { type: "number" } } };
  return [
    agent("echo", { facade: { handler: "echo" } }),
    agent("demo", { facade: { handler: "demo" } }),
    agent("bot", {
      replicas: redisURL === undefined ? 1 : 2,
      session,
      provider: {
        name: "openai",
        model: "scripted",
        baseURL: modelURL,
        apiKeySecretRef: { name: "llm", key: "k" },
        prices: { inputPerMillionTokens: 2.5, outputPerMillionTokens: 10, currency: "USD" },
      },
      promptPackRef: { name: "prompts" },
      toolRegistryRef: { name: "tools" },
    }),
    resource(GROUP, "PromptPack", "prompts", {
      spec: { source: { configMapRef: { name: "prompts" } } },
    }),
    resource("v1", "ConfigMap", "prompts", { data: { "promptpack.json": JSON.stringify(pack) } }),
    resource(GROUP, "ToolRegistry", "tools", {
      spec: {
        tools: [
          { name: "pay", url: toolURL, description: "Pays.", inputSchema, approval: "always" },
          { name: "look", url: toolURL, description: "Looks.", inputSchema },
        ],
      },
    }),
  ].join("\n---\n");
}

function agent(name: string, spec: object): string {
  return resource(GROUP, "AgentRuntime", name, { spec });
}

function resource(apiVersion: string, kind: string, name: string, rest: object): string {
  return JSON.stringify({ apiVersion, kind, metadata: { name }, ...rest });
}
