/** `omnia up` as users start it: a real program, real agents, real files. */
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { findLocal } from "../../../src/local/state/find-local.ts";
import { isAlive } from "../../../src/local/state/lock-state-folder.ts";
import { ChatClient } from "../../support/agent/chat-client.ts";
import {
  startOmnia,
  startOmniaAtTerminal,
  omnia,
  type OmniaProcess,
} from "../../support/processes/omnia-process.ts";
import { folderForEachTest } from "../../support/builders/fixtures.ts";

const running: OmniaProcess[] = [];
const home = folderForEachTest();
const manifests = folderForEachTest();
afterEach(async () => {
  for (const up of running.splice(0)) await up[Symbol.asyncDispose]();
});

interface Resource {
  kind: string;
  metadata: { name: string; namespace: string };
  status: {
    phase?: string;
    ready?: string;
    conditions: { type: string; status: string; reason: string; message: string }[];
  };
}

class Up {
  readonly process: OmniaProcess;
  readonly url: string;

  private constructor(process: OmniaProcess, url: string) {
    this.process = process;
    this.url = url;
  }

  static async start(
    args: readonly string[] = ["-f", manifests()],
    env: Record<string, string> = {},
  ): Promise<Up> {
    const process = startOmnia(["up", "--port", "0", ...args], { env: environment(env) });
    running.push(process);
    const [, url = ""] = await process.shows(/Serving at (\S+)/);
    return new Up(process, url);
  }

  agentURL(query: string): string {
    return `${this.url.replace("http", "ws")}/ws?${query}`;
  }

  async resources(): Promise<Resource[]> {
    const response = await fetch(`${this.url}/api/v1alpha1/resources`);
    return ((await response.json()) as { items: Resource[] }).items;
  }

  async agent(name: string): Promise<Resource | undefined> {
    return (await this.resources()).find(
      ({ kind, metadata }) => kind === "AgentRuntime" && metadata.name === name,
    );
  }

  async until(name: string, phase: string, ready: string): Promise<void> {
    await expect
      .poll(async () => (await this.agent(name))?.status, { timeout: 60_000 })
      .toMatchObject({ phase, ready });
  }

  async reason(name: string, type: string): Promise<string | undefined> {
    return (await this.agent(name))?.status.conditions.find((condition) => condition.type === type)
      ?.reason;
  }

  async agentProcesses(): Promise<number[]> {
    const { pid = 0 } = (await findLocal({ env: environment() })) ?? {};
    return childrenOf(pid);
  }
}

const environment = (more: Record<string, string> = {}): Record<string, string> => ({
  HOME: home(),
  OMNIA_DEMO_PAUSES: "off",
  ...more,
});

async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8")),
  );
  return lists
    .flatMap((list) => list.trim().split(" "))
    .filter((text) => text !== "")
    .map(Number);
}

const echo = (name: string, more = ""): string => `
apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata: {name: ${name}}
spec:
  facade: {handler: echo}
${more}`;

const file = (name: string): string => join(manifests(), name);

describe("omnia up", () => {
  it("runs the bundled quickstart, which answers, and says how to talk to it", async () => {
    const up = await Up.start([]);
    await up.process.shows(/Talk to it: \S*omnia chat quickstart\n/);
    const client = await ChatClient.connect(up.agentURL("agent=quickstart"));
    expect((await client.ask("hello")).content).toMatch(/^Hello/);
    const command = await omnia(["chat", "quickstart", "-m", "What is the weather?"], {
      env: environment(),
    });
    expect(command).toMatchObject({ code: 0 });
    expect(command.out).toContain("°C");
  });

  it("ends on a signal: connections are closed as going away, and nothing is left but logs", async () => {
    await writeFile(
      file("a.yaml"),
      `${echo("one", "  replicas: 2")}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {client: s3cret}\n`,
    );
    const up = await Up.start();
    await up.until("one", "Running", "2/2");
    const agents = await up.agentProcesses();
    expect(agents).toHaveLength(2);
    const client = await ChatClient.connect(up.agentURL("agent=one"));
    await client.ask("hello");
    up.process.kill("SIGTERM");
    expect(await client.closed).toMatchObject({ code: 1001 });
    expect(await up.process.ended).toMatchObject({ code: 0, err: "" });
    expect(up.process.out).toContain(
      "Ending: the agents finish what they do. Ctrl-C again ends at once.",
    );
    expect(agents.filter(isAlive)).toEqual([]);
    const left = await readdir(join(home(), ".local/state/omnia"), {
      recursive: true,
      withFileTypes: true,
    });
    const files = left.filter((entry) => entry.isFile()).map(({ name }) => name);
    expect(files.toSorted()).toEqual(["lock-1", "replica-1.log", "replica-2.log"]);
    expect(await findLocal({ env: environment() })).toBeUndefined();
  });

  it("leaves no agent behind when it is killed", async () => {
    await writeFile(file("a.yaml"), echo("one", "  replicas: 2"));
    const up = await Up.start();
    await up.until("one", "Running", "2/2");
    const agents = await up.agentProcesses();
    up.process.kill("SIGKILL");
    await expect.poll(() => agents.filter(isAlive)).toEqual([]);
    // What it had is taken over by the next.
    const next = await Up.start();
    await next.until("one", "Running", "2/2");
  });

  it("shows a table on a terminal, drains on Ctrl-C and ends at once on the second", async () => {
    await writeFile(file("a.yaml"), echo("one"));
    await writeFile(file("slow.yaml"), echo("slow").replace("echo", "demo"));
    await writeFile(file("bad.yaml"), "kind: [");
    const up = startOmniaAtTerminal(["up", "--no-open", "--port", "0", "-f", manifests()], {
      env: environment({ OMNIA_DEMO_PAUSES: "on" }),
    });
    running.push(up);
    await up.shows(/AGENT\s+NAMESPACE\s+PHASE\s+READY\s+HANDLER\s+MODEL\s+REASON/);
    await up.shows(/one\s+default\s+Running\s+1\/1\s+echo/);
    await up.shows(/slow\s+default\s+Running\s+1\/1\s+demo/);
    const [shown] = await up.shows(/Problems in the files\s+\S+bad\.yaml:1:\d+: [^\n]+/);
    expect(shown).toContain("not valid YAML");
    const [, url = ""] = await up.shows(/Serving at:\s+(\S+)/);
    const client = await ChatClient.connect(`${url.replace("http", "ws")}/ws?agent=slow`);
    client.say("hello");
    await client.nextOf("chunk");
    up.write("\u0003");
    await up.shows(/Ending: the agents finish what they do/);
    up.write("\u0003");
    expect(await client.closed).toMatchObject({ code: 1006 });
    await up.ended;
    expect(await findLocal({ env: environment() })).toBeUndefined();
  });

  it("says that its port is taken, and what to do", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const result = await omnia(["up", "--port", String(port)], { env: environment() });
    other.close();
    expect(result).toEqual({
      code: 1,
      out: "",
      err: `omnia: Port ${port} is in use.\nChoose another with --port, or end what uses it.\n`,
    });
  });

  it("refuses files that are not there, and a state folder that another one has", async () => {
    const missing = await omnia(["up", "-f", file("none.yaml")], { env: environment() });
    expect(missing).toMatchObject({
      code: 1,
      err: expect.stringContaining("no such file or folder") as string,
    });
    const state = join(home(), "state");
    await writeFile(file("a.yaml"), echo("one"));
    const up = await Up.start(["-f", manifests(), "--state", state]);
    await up.until("one", "Running", "1/1");
    const second = await omnia(["up", "-f", manifests(), "--port", "0", "--state", state], {
      env: environment(),
    });
    expect(second).toMatchObject({
      code: 1,
      err: expect.stringMatching(/in use by another omnia up .*\n.*--state/) as string,
    });
    // It is found all the same by those that were not told of its folder.
    expect(await findLocal({ env: environment() })).toMatchObject({ url: up.url });
    expect(await findLocal({ env: environment(), stateFolder: state })).toMatchObject({
      url: up.url,
    });
  });

  it("lets several live side by side", async () => {
    await writeFile(file("a.yaml"), echo("one"));
    const [first, second] = [await Up.start(), await Up.start()];
    await first.until("one", "Running", "1/1");
    await second.until("one", "Running", "1/1");
    for (const up of [first, second]) {
      const client = await ChatClient.connect(up.agentURL("agent=one"));
      expect((await client.ask("hello")).content).toBe("hello");
    }
  });
});

describe("the files of omnia up", () => {
  it("are followed: agents come, change and go with them", async () => {
    await writeFile(file("a.yaml"), echo("one"));
    const up = await Up.start();
    await up.until("one", "Running", "1/1");
    await writeFile(file("b.yaml"), echo("two"));
    await up.until("two", "Running", "1/1");
    await writeFile(file("a.yaml"), echo("one", "  replicas: 2"));
    await up.until("one", "Running", "2/2");
    await writeFile(file("a.yaml"), echo("one", "  replicas: 0"));
    await expect.poll(() => up.reason("one", "Available")).toBe("ScaledToZero");
    await rm(file("b.yaml"));
    await expect.poll(() => up.agent("two")).toBeUndefined();
    await expect.poll(() => up.agentProcesses()).toEqual([]);
  });

  it("that go bad are shown with their place, and what they declared runs on", async () => {
    await writeFile(file("a.yaml"), echo("one"));
    const up = await Up.start();
    await up.until("one", "Running", "1/1");
    const client = await ChatClient.connect(up.agentURL("agent=one"));
    await client.ask("before");
    await writeFile(file("a.yaml"), echo("one", "  replicas: many"));
    await up.process.shows(/a\.yaml:7:13: spec\.replicas: /);
    await writeFile(file("b.yaml"), echo("two"));
    await up.until("two", "Running", "1/1");
    expect((await client.ask("after")).content).toBe("after");
    await writeFile(file("a.yaml"), echo("one"));
    await up.process.shows(/a\.yaml: no problems any more/);
  });

  it("may name two agents alike: the first runs, and the second is an error", async () => {
    await writeFile(file("a.yaml"), echo("one"));
    await writeFile(file("b.yaml"), echo("one", "  replicas: 2"));
    const up = await Up.start();
    await up.until("one", "Running", "1/1");
    await up.process.shows(/b\.yaml:4:\d+: metadata\.name: .*a\.yaml:4/);
  });

  it("may give variables from elsewhere: an edit there rolls the replicas, and there is always one that answers", async () => {
    const withVariable = echo(
      "one",
      "  env: [{name: LOG_LEVEL, valueFrom: {configMapKeyRef: {name: settings, key: level}}}]",
    );
    await writeFile(file("a.yaml"), withVariable);
    const up = await Up.start();
    await expect.poll(() => up.reason("one", "Available")).toBe("PodsFailing");
    expect(up.process.out).toContain(
      "env LOG_LEVEL: there is no ConfigMap settings in namespace default; add it to the files",
    );

    const settings = (level: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {level: ${level}}\n`;
    await writeFile(file("settings.yaml"), settings("info"));
    await up.until("one", "Running", "1/1");
    const [before = 0] = await up.agentProcesses();
    expect(await environmentOf(before)).toContain("LOG_LEVEL=info");

    await writeFile(file("settings.yaml"), settings("debug"));
    let refused = 0;
    await expect
      .poll(
        async () => {
          const client = await ChatClient.connect(up.agentURL("agent=one")).catch(() => undefined);
          if (client === undefined) refused += 1;
          client?.socket.terminate();
          return isAlive(before);
        },
        { timeout: 60_000 },
      )
      .toBe(false);
    expect(refused).toBe(0);
    const [after = 0] = await up.agentProcesses();
    expect(await environmentOf(after)).toContain("LOG_LEVEL=debug");
  });
});

async function environmentOf(pid: number): Promise<string[]> {
  return (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
}

describe("an agent's process", () => {
  it("that is killed is started again, and said so", async () => {
    await writeFile(file("a.yaml"), echo("one"));
    const up = await Up.start();
    await up.until("one", "Running", "1/1");
    const [pid = 0] = await up.agentProcesses();
    process.kill(pid, "SIGKILL");
    await up.process.shows(
      /AgentRuntime default\/one: replica 1: it was ended by SIGKILL; another one starts in 0\.\d s/,
    );
    await up.until("one", "Running", "1/1");
    expect(await up.agentProcesses()).not.toContain(pid);
  });

  it("gets nothing of the environment that it does not need", async () => {
    await writeFile(file("a.yaml"), echo("one"));
    const up = await Up.start(undefined, {
      ANTHROPIC_API_KEY: "sk-ant-leak",
      HTTPS_PROXY: "http://proxy:3128",
      OTHER: "x",
    });
    await up.until("one", "Running", "1/1");
    const [pid = 0] = await up.agentProcesses();
    const names = (await environmentOf(pid)).map((line) => line.split("=")[0]);
    expect(names).toEqual(
      expect.arrayContaining(["PATH", "HOME", "HTTPS_PROXY", "OMNIA_AGENT_NAME", "OMNIA_CONFIG"]),
    );
    expect(names).not.toEqual(expect.arrayContaining(["ANTHROPIC_API_KEY"]));
    expect(names).not.toEqual(expect.arrayContaining(["OTHER"]));
  });
});
