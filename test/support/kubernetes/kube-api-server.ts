/**
 * A real kube-apiserver with its etcd, of a test's own: free ports of loopback, a temporary folder, gone afterwards. It
 * takes some five seconds to start: one for a test file. There are no controllers: nothing is garbage-collected, no
 * Deployment makes pods.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { findKubePrograms } from "./kube-programs.ts";
import { ProcessGuard } from "../processes/process-guard.ts";

const run = promisify(execFile);

/** For the hook that starts a server: building the programs takes minutes where they are missing. */
export const KUBE_API_SERVER_TIMEOUT_MS = 20 * 60_000;
const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const PORT_ATTEMPTS = 4;
const OUTPUT_LIMIT = 16_384;

export interface KubeAPIServerOptions {
  /** More flags of kube-apiserver, like `--audit-log-path=…`. */
  flags?: readonly string[];
  /** Users besides the administrator: name → groups. Their tokens are in `tokens`. */
  users?: Readonly<Record<string, readonly string[]>>;
}

export interface KubeAnswer {
  readonly status: number;
  /** Parsed when it is JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into many shapes
  readonly body: any;
}

export interface KubeAPIServer {
  readonly url: string;
  /** Of an administrator. */
  readonly token: string;
  /** Of `options.users`, by name. */
  readonly tokens: Readonly<Record<string, string>>;
  /** The certificate to trust (PEM). */
  readonly ca: string;
  /** Of that certificate: for what stands in the place of the server. */
  readonly key: string;
  /** Path of a file with all of it. */
  readonly kubeconfig: string;
  /** As the administrator. A string is sent as YAML. */
  request(method: string, path: string, body?: object | string): Promise<KubeAnswer>;
  /** Answers what the command prints; rejects when it fails. `input` is its standard input. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Kills kube-apiserver without warning; etcd goes on, and keeps what was written. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, at the same address, and settles when it is ready. */
  start(): Promise<void>;
  /** Has etcd forget every version of an object but the newest. */
  compact(): Promise<void>;
  stop(): Promise<void>;
}

export async function startKubeAPIServer(
  options: KubeAPIServerOptions = {},
): Promise<KubeAPIServer> {
  const programs = await findKubePrograms(["kube-apiserver", "etcd", "kubectl"]);
  for (let attempt = 1; ; attempt++) {
    const folder = await mkdtemp(join(tmpdir(), "omnia-kube-"));
    const guard = new ProcessGuard(folder);
    try {
      return await start(programs, folder, options, guard);
    } catch (error) {
      await guard.end();
      // Another process may have taken a port in between.
      if (attempt < PORT_ATTEMPTS && String(error).includes("address already in use")) continue;
      throw error;
    }
  }
}

async function start(
  programs: string,
  folder: string,
  { flags = [], users = {} }: KubeAPIServerOptions,
  guard: ProcessGuard,
): Promise<KubeAPIServer> {
  const [etcdPort, peerPort, port] = await Promise.all([freePort(), freePort(), freePort()]);
  const etcdURL = `http://127.0.0.1:${etcdPort}`;
  const peerURL = `http://127.0.0.1:${peerPort}`;
  const etcd = new ServerProcess(guard, join(programs, "etcd"), [
    `--data-dir=${join(folder, "etcd")}`,
    `--listen-client-urls=${etcdURL}`,
    `--advertise-client-urls=${etcdURL}`,
    `--listen-peer-urls=${peerURL}`,
    `--initial-advertise-peer-urls=${peerURL}`,
    `--initial-cluster=default=${peerURL}`,
    "--unsafe-no-fsync",
    "--log-level=error",
  ]);

  const token = randomBytes(16).toString("hex");
  const tokens = Object.fromEntries(
    Object.keys(users).map((name) => [name, randomBytes(16).toString("hex")]),
  );
  const tokenFile = join(folder, "tokens.csv");
  const tokenLines = Object.entries(users).map(
    ([name, groups]) => `${tokens[name]},${name},${name},"${groups.join(",")}"`,
  );
  const keyFile = join(folder, "service-account.key");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await Promise.all([
    writeFile(tokenFile, [`${token},admin,admin,"system:masters"`, ...tokenLines].join("\n")),
    writeFile(keyFile, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 }),
  ]);
  const certificates = join(folder, "certificates");
  const apiServerArguments = [
    `--etcd-servers=${etcdURL}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    "--endpoint-reconciler-type=none",
    `--secure-port=${port}`,
    // It makes itself a certificate here.
    `--cert-dir=${certificates}`,
    `--token-auth-file=${tokenFile}`,
    "--authorization-mode=RBAC",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${keyFile}`,
    `--service-account-signing-key-file=${keyFile}`,
    "--service-cluster-ip-range=10.0.0.0/24",
    // No controller makes the service accounts that it would ask for.
    "--disable-admission-plugins=ServiceAccount",
    "--allow-privileged=true",
    ...flags,
  ];
  const url = `https://127.0.0.1:${port}`;
  let apiServer: ServerProcess;
  const startAPIServer = async (): Promise<string> => {
    apiServer = new ServerProcess(guard, join(programs, "kube-apiserver"), apiServerArguments);
    return await becomesReady(url, token, join(certificates, "apiserver.crt"), [etcd, apiServer]);
  };
  const ca = await startAPIServer();
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, JSON.stringify(kubeconfigOf(url, ca, token)), { mode: 0o600 });
  const agent = new Agent({ ca, keepAlive: true });
  return {
    url,
    token,
    tokens,
    ca,
    key: await readFile(join(certificates, "apiserver.key"), "utf8"),
    kubeconfig,
    request: (method, path, body) => send(agent, new URL(path, url), token, method, body),
    async kubectl(args, input) {
      const child = run(join(programs, "kubectl"), ["--kubeconfig", kubeconfig, ...args], {
        maxBuffer: 64 * 1024 * 1024,
        env: { ...process.env, HOME: folder },
      });
      child.child.stdin?.end(input);
      return (await child).stdout;
    },
    kill: () => apiServer.kill(),
    async start() {
      await startAPIServer();
    },
    compact: () => compact(etcdURL),
    async stop() {
      agent.destroy();
      await guard.end();
    },
  };
}

async function compact(etcdURL: string): Promise<void> {
  const ask = async (path: string, body: object): Promise<{ header: { revision: string } }> => {
    const response = await fetch(`${etcdURL}/v3${path}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`etcd: ${await response.text()}`);
    return (await response.json()) as { header: { revision: string } };
  };
  const { header } = await ask("/kv/range", { key: Buffer.from("/").toString("base64") });
  await ask("/kv/compaction", { revision: header.revision, physical: true });
}

/** Answers the certificate to trust. */
async function becomesReady(
  url: string,
  token: string,
  certificate: string,
  processes: readonly ServerProcess[],
): Promise<string> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    for (const one of processes) one.throwIfEnded();
    try {
      const ca = await readFile(certificate, "utf8");
      const agent = new Agent({ ca });
      const { status } = await send(agent, new URL("/readyz", url), token, "GET").finally(() =>
        agent.destroy(),
      );
      if (status === 200) return ca;
    } catch (error) {
      if (performance.now() > deadline) {
        const output = processes.map(({ output: written }) => written).join("\n");
        throw new Error(`kube-apiserver was not ready in time:\n${output}`, { cause: error });
      }
    }
    await delay(100);
  }
}

function send(
  agent: Agent,
  url: URL,
  token: string,
  method: string,
  body?: object | string,
): Promise<KubeAnswer> {
  const answer = Promise.withResolvers<KubeAnswer>();
  const isPatch = method === "PATCH";
  const type = typeof body === "string" ? "application/yaml" : "application/json";
  const sent = request(
    url,
    {
      agent,
      method,
      timeout: REQUEST_TIMEOUT_MS,
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": isPatch ? "application/merge-patch+json" : type,
      },
    },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", answer.reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        // Not by the content type: the documentation of the API comes as text/plain.
        const isJSON = text.startsWith("{");
        answer.resolve({
          status: response.statusCode ?? 0,
          body: isJSON ? JSON.parse(text) : text,
        });
      });
    },
  );
  sent.on("timeout", () => sent.destroy(new Error(`${method} ${url.pathname}: no answer`)));
  sent.on("error", answer.reject);
  sent.end(typeof body === "object" ? JSON.stringify(body) : body);
  return answer.promise;
}

/** Ends with the test, whatever way that ends. What it holds is thrown away, so there is nothing to shut down in order. */
class ServerProcess {
  output = "";
  readonly #child: ChildProcess;
  #failure: string | undefined;

  constructor(guard: ProcessGuard, program: string, args: readonly string[]) {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    guard.watch(child);
    const read = (chunk: Buffer): void => {
      this.output = (this.output + chunk.toString()).slice(-OUTPUT_LIMIT);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", (error) => (this.#failure = error.message));
    child.once("exit", (code, signal) => {
      this.#failure ??= `${program} ended (${signal ?? code})`;
    });
  }

  throwIfEnded(): void {
    if (this.#failure !== undefined) throw new Error(`${this.#failure}:\n${this.output}`);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const exit = once(child, "exit", { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
    child.kill("SIGKILL");
    await exit;
  }
}

function kubeconfigOf(server: string, ca: string, token: string): object {
  const certificate = Buffer.from(ca).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server, "certificate-authority-data": certificate } }],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
    "current-context": "test",
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
