/** A real Kubernetes of one node for the tests of a file, brought up by the command of the documentation. */
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { basename, join } from "node:path";
import { json } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { parse } from "yaml";
import { snippets } from "../support/documents/snippets.ts";
import { Shell } from "../e2e/shell.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Pods reach the machine here. */
export const MACHINE_ADDRESS = "10.99.0.1";
const HOME = "/var/tmp/omnia-node";
const KUBECONFIG = `${HOME}/admin.kubeconfig`;
/** Pods take their time on a busy machine. */
const LIMIT_MS = 120_000;
/** The first time, its programs are built. */
const START_LIMIT_MS = 60 * 60_000;
const POLL_MS = 200;
const RUNTIME = "ctr --address /run/omnia-node/containerd.sock --namespace k8s.io";

// oxlint-disable-next-line typescript/no-explicit-any -- objects of many kinds
export type KubeObject = any;

export class ClusterNode implements AsyncDisposable {
  readonly #running: NodeProcess;
  readonly #api: KubeAPI;
  readonly #documented = snippets(ROOT);

  private constructor(running: NodeProcess, api: KubeAPI) {
    this.#running = running;
    this.#api = api;
  }

  static async start(): Promise<ClusterNode> {
    const running = new NodeProcess();
    try {
      await running.ready;
    } catch (error) {
      await running.end();
      throw error;
    }
    return new ClusterNode(running, await KubeAPI.of(KUBECONFIG));
  }

  /** Runs a block of the documentation as it stands there, with the tools and the cluster of the node. */
  async documented(name: string): Promise<string> {
    const snippet = this.#documented.find((one) => one.name === name);
    if (snippet === undefined) throw new Error(`no block is tested as ${name}`);
    return await this.run(snippet.text);
  }

  async run(commands: string): Promise<string> {
    await using shell = this.start(commands);
    const { code, output } = await shell.ended;
    if (code !== 0) throw new Error(`${commands.trim()} ended with ${code}: ${output}`);
    return output;
  }

  /** Commands that go on until they are interrupted. */
  start(commands: string, input = ""): Shell {
    return new Shell(commands, { cwd: ROOT, env: environment(), input });
  }

  /** Makes the program known to the node as the image `omnia.local/NAME:1`. There is no registry to pull from. */
  async addImage(program: string): Promise<void> {
    const name = basename(program);
    const archive = `${HOME}/${name}.tar`;
    const pack = `node_modules/.bin/node test/node/pack-program.ts omnia.local/${name}:1`;
    await this.run(
      `${pack} ${program} ${archive}; ${RUNTIME} images import ${archive}; rm ${archive}`,
    );
  }

  async kubectl(command: string, input = ""): Promise<string> {
    await using shell = this.start(`kubectl ${command}`, input);
    const { code, output } = await shell.ended;
    if (code !== 0) throw new Error(`kubectl ${command} ended with ${code}: ${output}`);
    return output;
  }

  /** Without a program of its own, since tests ask again and again. */
  async get(path: string): Promise<KubeObject> {
    const { status, body } = await this.#api.ask(path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /** Settles with the first answer that is not `undefined`. */
  async eventually<T>(
    what: string,
    ask: () => Promise<T | undefined>,
    limitMs = LIMIT_MS,
  ): Promise<T> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      if (performance.now() > deadline) throw new Error(`this did not come: ${what}`);
      await delay(POLL_MS);
    }
  }

  async create(...objects: readonly object[]): Promise<void> {
    await this.kubectl("create -f -", objects.map((one) => JSON.stringify(one)).join("\n---\n"));
  }

  /** The pods of an agent, without those that are about to go. */
  async podsOf(agent: string): Promise<KubeObject[]> {
    return await this.podsWith("default", `app.kubernetes.io/instance=${agent}`);
  }

  async podsWith(namespace: string, label: string): Promise<KubeObject[]> {
    const query = `labelSelector=${encodeURIComponent(label)}`;
    const { items } = await this.get(`/api/v1/namespaces/${namespace}/pods?${query}`);
    return items.filter(({ metadata }: KubeObject) => metadata.deletionTimestamp === undefined);
  }

  /** The address of a Service, which this machine reaches as pods do. */
  async addressOf(service: string, namespace = "default"): Promise<string> {
    const { spec } = await this.get(`/api/v1/namespaces/${namespace}/services/${service}`);
    return `${spec.clusterIP}:${spec.ports[0].port}`;
  }

  /** Ends the process of a pod's container as the loss of its machine would: at once, and without a word to anybody. */
  async kill(pod: KubeObject): Promise<void> {
    process.kill(await this.#processOf(pod), "SIGKILL");
  }

  /** What the kubelet counts of the memory of the pod, in MB, which is what its limit is for: `kubectl top` shows it. */
  async workingSetOf(pod: KubeObject): Promise<number> {
    const { pods } = await this.get("/api/v1/nodes/node1/proxy/stats/summary");
    const found = pods.find(({ podRef }: KubeObject) => podRef.uid === pod.metadata.uid);
    return Math.round((found?.containers[0].memory.workingSetBytes ?? Number.NaN) / 1e6);
  }

  /** What of the memory of this machine the process of the pod's container has, in MB, pages of its program that others share included. */
  async residentMemoryOf(pod: KubeObject): Promise<number> {
    const status = await readFile(`/proc/${await this.#processOf(pod)}/status`, "utf8");
    const [, kilobytes = ""] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
    return Math.round((Number(kilobytes) * 1_024) / 1e6);
  }

  async #processOf(pod: KubeObject): Promise<number> {
    const [{ containerID }] = pod.status.containerStatuses;
    const tasks = await this.run(`${RUNTIME} tasks ls`);
    const container = String(containerID).replace("containerd://", "");
    const [, id] = new RegExp(`^${container} +(\\d+) +RUNNING`, "m").exec(tasks) ?? [];
    if (id === undefined) throw new Error(`the pod ${pod.metadata.name} has no process`);
    return Number(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.end();
  }
}

class KubeAPI {
  readonly #server: string;
  readonly #agent: Agent;

  private constructor(server: string, agent: Agent) {
    this.#server = server;
    this.#agent = agent;
  }

  static async of(path: string): Promise<KubeAPI> {
    const { clusters, users } = parse(await readFile(path, "utf8"));
    const decoded = (base64: string): Buffer => Buffer.from(base64, "base64");
    const agent = new Agent({
      keepAlive: true,
      ca: decoded(clusters[0].cluster["certificate-authority-data"]),
      cert: decoded(users[0].user["client-certificate-data"]),
      key: decoded(users[0].user["client-key-data"]),
    });
    return new KubeAPI(clusters[0].cluster.server, agent);
  }

  ask(path: string): Promise<{ status: number; body: KubeObject }> {
    return new Promise((resolve, reject) => {
      request(new URL(path, this.#server), { agent: this.#agent }, (response) => {
        json(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      })
        .once("error", reject)
        .end();
    });
  }
}

/** `make node`, which ends with its standard input, and so also when the tests are killed. */
class NodeProcess {
  readonly #shell: Shell;
  readonly ready: Promise<unknown>;

  constructor() {
    const snippet = snippets(ROOT).find(({ name }) => name === "node");
    if (snippet === undefined) throw new Error("no block is tested as node");
    this.#shell = new Shell(snippet.text, { cwd: ROOT, env: environment(), keepsInput: true });
    this.ready = this.#come();
  }

  async #come(): Promise<void> {
    const ended = this.#shell.ended.then(({ output }) => {
      throw new Error(`the node did not come up: ${output}`);
    });
    ended.catch(() => {});
    await Promise.race([ended, this.#shell.shows(/^.*admin\.kubeconfig$/m, START_LIMIT_MS)]);
  }

  async end(): Promise<void> {
    this.#shell.endInput();
    await this.#shell.ended;
  }
}

/** Not part of the make that may have started the tests: its flags are not for commands in them. */
function environment(): Record<string, string> {
  const { MAKEFLAGS: _flags, MAKELEVEL: _level, MFLAGS: _old, ...env } = process.env;
  const given = Object.entries(env).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  return {
    ...Object.fromEntries(given),
    PATH: `${HOME}/bin:${process.env["PATH"] ?? ""}`,
    KUBECONFIG,
  };
}
