/** `omnia up` as users run it: the launcher and the bundle, with files, a state folder and an environment of its own. */
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ChatClient } from "../support/agent/chat-client.ts";
import { timeFor } from "../support/processes/busy-machine.ts";
import { OmniaProcess, type OmniaResult } from "../support/processes/omnia-process.ts";
import { eventually } from "./eventually.ts";

export const ROOT = join(import.meta.dirname, "../..");
const LAUNCHER = join(ROOT, "omnia");
const END_TIMEOUT_MS = 8_000;

export interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly status: {
    readonly phase?: string;
    readonly readyReplicas?: number;
    readonly conditions?: readonly {
      type: string;
      status: string;
      reason: string;
      message: string;
    }[];
  };
}

/** A folder of manifests that a test may edit. */
export class Manifests implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async copyOf(example: string): Promise<Manifests> {
    const manifests = new Manifests(await mkdtemp(join(tmpdir(), "omnia-manifests-")));
    await cp(join(ROOT, "examples", example), manifests.folder, { recursive: true });
    return manifests;
  }

  /** `folder` is there, and the caller removes it. */
  static in(folder: string): Manifests {
    return new Manifests(folder);
  }

  /** As an editor saves: the file is another one afterwards. */
  async write(file: string, text: string): Promise<void> {
    const path = join(this.folder, file);
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  }

  async edit(file: string, from: string | RegExp, to: string): Promise<void> {
    const before = await readFile(join(this.folder, file), "utf8");
    const after = before.replace(from, to);
    if (after === before) throw new Error(`${file} holds no ${String(from)}`);
    await this.write(file, after);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}

export interface OmniaUpOptions {
  /** Default: none, which is the quickstart. */
  readonly files?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class OmniaUp implements AsyncDisposable {
  readonly process: OmniaProcess;
  readonly url: string;
  readonly #home: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(
    process: OmniaProcess,
    url: string,
    home: string,
    env: Readonly<Record<string, string>>,
  ) {
    this.process = process;
    this.url = url;
    this.#home = home;
    this.#env = env;
  }

  static async start({ files = [], env = {} }: OmniaUpOptions = {}): Promise<OmniaUp> {
    const home = await mkdtemp(join(tmpdir(), "omnia-up-"));
    const whole = { HOME: home, OMNIA_DEMO_PAUSES: "off", ...env };
    const named = files.flatMap((file) => ["-f", file]);
    const process = new OmniaProcess([LAUNCHER, "up", "--port", "0", "--no-open", ...named], {
      env: whole,
    });
    const [, url = ""] = await process.shows(/Serving at (http:\/\/\S+)/);
    return new OmniaUp(process, url, home, whole);
  }

  /** Another command of the same user. */
  async run(...args: string[]): Promise<OmniaResult> {
    const child = new OmniaProcess([LAUNCHER, ...args], { env: this.#env });
    child.endInput();
    return await child.ended;
  }

  connect(agent: string, query: Readonly<Record<string, string>> = {}): Promise<ChatClient> {
    const parameters = new URLSearchParams({ agent, ...query });
    return ChatClient.connect(`${this.url.replace(/^http/, "ws")}/ws?${parameters.toString()}`);
  }

  async resources(): Promise<readonly Resource[]> {
    const response = await fetch(`${this.url}/api/v1alpha1/resources`);
    return ((await response.json()) as { items: readonly Resource[] }).items;
  }

  /** Settles with the AgentRuntime once it is as wanted. */
  agentBecomes(name: string, isWanted: (agent: Resource) => boolean): Promise<Resource> {
    return eventually(`AgentRuntime ${name} as wanted`, async () =>
      (await this.resources()).find(
        (resource) =>
          resource.kind === "AgentRuntime" && resource.metadata.name === name && isWanted(resource),
      ),
    );
  }

  async runs(name: string, replicas = 1): Promise<void> {
    await this.agentBecomes(
      name,
      ({ status }) => status.phase === "Running" && status.readyReplicas === replicas,
    );
  }

  /** The processes of the replicas. */
  async replicaPids(): Promise<number[]> {
    const up = await this.#pid();
    const children = await readFile(`/proc/${up}/task/${up}/children`, "utf8");
    return children.split(" ").filter(Boolean).map(Number);
  }

  async #pid(): Promise<number> {
    const states = join(this.#home, ".local/state/omnia");
    const [folder = ""] = await readdir(states);
    const { pid } = JSON.parse(await readFile(join(states, folder, "up.json"), "utf8")) as {
      pid: number;
    };
    return pid;
  }

  /** Ctrl-C. Rejects when it does not end soon; `turnMs` is for a turn that may run on. */
  async interrupt(turnMs = 0): Promise<OmniaResult> {
    this.process.kill("SIGINT");
    const waiting = new AbortController();
    const late = delay(timeFor(END_TIMEOUT_MS) + turnMs, undefined, {
      signal: waiting.signal,
    }).then(() => {
      throw new Error(`it did not end after Ctrl-C:\n${this.process.out}`);
    });
    try {
      return await Promise.race([this.process.ended, late]);
    } finally {
      waiting.abort();
      late.catch(() => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Its replicas end with it, however it ends.
    await this.process[Symbol.asyncDispose]();
    await rm(this.#home, { recursive: true, force: true, maxRetries: 5 });
  }
}
