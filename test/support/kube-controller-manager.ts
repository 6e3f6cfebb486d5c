/**
 * A real kube-controller-manager beside a test's API server: with it Deployments make pods, Services get their EndpointSlices,
 * and what loses its owner is deleted.
 *
 * The program is that of KUBEBUILDER_ASSETS, else the one that `kube-api-server-build` puts into the cache.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

const PROGRAM = "kube-controller-manager";
const OUTPUT_LIMIT = 16_384;
const STOP_TIMEOUT_MS = 10_000;

/** Those that an operator's work meets. The fewer there are, the sooner they have begun. */
const CONTROLLERS = [
  "deployment-controller",
  "disruption-controller",
  "endpointslice-controller",
  "garbage-collector-controller",
  "namespace-controller",
  "replicaset-controller",
];

export interface KubeControllerManager {
  stop(): Promise<void>;
}

/**
 * Kinds that are defined later than it starts are garbage-collected half a minute later than others: install them first.
 * Its API server may go and come back.
 */
export async function startKubeControllerManager(
  kubeconfig: string,
): Promise<KubeControllerManager> {
  const program = await findProgram();
  const child = spawn(
    program,
    [
      `--kubeconfig=${kubeconfig}`,
      `--controllers=${CONTROLLERS.join(",")}`,
      "--leader-elect=false",
      "--secure-port=0",
      "--use-service-account-credentials=false",
      // Nothing here is to wait for it.
      "--kube-api-qps=1000",
      "--kube-api-burst=2000",
      "--concurrent-deployment-syncs=20",
      "--concurrent-replicaset-syncs=20",
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  const read = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_LIMIT);
  };
  child.stdout.on("data", read);
  child.stderr.on("data", read);
  let stopping = false;
  const killWithTest = (): boolean => child.kill("SIGKILL");
  process.once("exit", killWithTest);
  child.once("exit", (code, signal) => {
    process.removeListener("exit", killWithTest);
    if (!stopping) process.stderr.write(`${PROGRAM} ended (${signal ?? code}):\n${output}\n`);
  });
  await once(child, "spawn");
  return {
    async stop() {
      stopping = true;
      await kill(child);
    },
  };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit", { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
  child.kill("SIGKILL");
  await exit;
}

let found: Promise<string> | undefined;

function findProgram(): Promise<string> {
  found ??= locateProgram();
  return found;
}

async function locateProgram(): Promise<string> {
  const cache =
    process.env["OMNIA_CACHE"] ??
    join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "omnia");
  const folder = join(cache, "kube");
  const places = [process.env["KUBEBUILDER_ASSETS"] ?? "", folder]
    .filter((place) => place !== "")
    .map((place) => join(place, PROGRAM));
  for (const place of places) if (await isProgram(place)) return place;
  const build = spawn("bash", [join(import.meta.dirname, "kube-api-server-build"), folder], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  await once(build, "exit");
  for (const place of places) if (await isProgram(place)) return place;
  throw new Error(`these tests need a real ${PROGRAM}: run test/support/kube-api-server-build`);
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
