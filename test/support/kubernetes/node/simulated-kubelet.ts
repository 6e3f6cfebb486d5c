/**
 * Brings pods to life without containers: binds them to a node that it makes, gives them their files, reports that they run, and
 * lets them go when they are deleted. With `startContainer`, what they run is a real process.
 *
 * It sees files as a real kubelet does: at once when a pod's annotations change, and otherwise only after `fileRefreshMs`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { Cache } from "../../../../src/kube/watch/cache.ts";
import { KubeClient } from "../../../../src/kube/client/client.ts";
import { RateLimiter } from "../../../../src/kube/client/rate-limiter.ts";
import { keyOf } from "../../../../src/kube/client/object.ts";
import { Reflector } from "../../../../src/kube/watch/reflector.ts";
import { createTransport } from "../../../../src/kube/client/transport.ts";
import { systemClock } from "../../../../src/time/clock.ts";
import type { KubeAPIServer } from "../kube-api-server.ts";
import { type Pod, PODS } from "./pod.ts";
import { type PodBehaviour, SimulatedPod, type StartContainer } from "./simulated-pod.ts";

const NODE_NAME = "node-1";
const READY_AFTER_MS = 100;
const FILE_REFRESH_MS = 60_000;
const REQUESTS_PER_SECOND = 1_000;

export interface SimulatedKubeletOptions {
  server: KubeAPIServer;
  /** False: pods get no files and start whatever is missing. */
  givesFiles?: boolean;
  startContainer?: StartContainer;
  readyAfterMs?: number;
  fileRefreshMs?: number;
}

export class SimulatedKubelet {
  readonly #options: SimulatedKubeletOptions;
  readonly #folder: string;
  readonly #pods = new Cache<Pod>();
  readonly #running = new Map<string, { pod: SimulatedPod; ended: Promise<void> }>();
  readonly #behaviours = new Map<string, (pod: Pod) => PodBehaviour>();
  readonly #stop = new AbortController();
  #watching: Promise<void> | undefined;
  #lastIP = 0;

  private constructor(options: SimulatedKubeletOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
  }

  static async start(options: SimulatedKubeletOptions): Promise<SimulatedKubelet> {
    const kubelet = new SimulatedKubelet(options, await mkdtemp(join(tmpdir(), "omnia-pods-")));
    await kubelet.#start();
    return kubelet;
  }

  async #start(): Promise<void> {
    const { server } = this.#options;
    const { status, body } = await server.request("POST", "/api/v1/nodes", {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: NODE_NAME },
    });
    if (status !== 201) throw new Error(`the node was refused: ${JSON.stringify(body)}`);
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(server.kubeconfig);
    const reflector = new Reflector<Pod>({
      client: new KubeClient({
        transport: createTransport(kubeConfig),
        rateLimiter: new RateLimiter({
          clock: systemClock,
          perSecond: REQUESTS_PER_SECOND,
          burst: REQUESTS_PER_SECOND,
        }),
        fieldManager: "kubelet",
      }),
      type: PODS,
      cache: this.#pods,
      clock: systemClock,
      random: Math.random,
      // It tries again, as the API server may be gone for a while.
      onError: () => {},
    });
    this.#pods.subscribe(({ before, after }) => this.#look(after ?? before));
    this.#watching = reflector.run(this.#stop.signal);
    await reflector.synced;
  }

  /** What becomes of the pods of an agent ("namespace/name") from now on, those that run included. */
  setBehaviour(agent: string, behaviour: PodBehaviour | ((pod: Pod) => PodBehaviour)): void {
    this.#behaviours.set(agent, typeof behaviour === "function" ? behaviour : () => behaviour);
    for (const { pod } of this.#running.values()) pod.wake();
  }

  /** The pods of an agent that are not about to end. */
  podsOf(agent: string): Pod[] {
    return [...this.#pods.all()].filter(
      (pod) => agentOf(pod) === agent && pod.metadata.deletionTimestamp === undefined,
    );
  }

  /** Where absolute paths of the containers of a pod begin. */
  rootOf(pod: Pod): string {
    return this.#simulated(pod).root;
  }

  /** Where the facade of a pod's container listens, once it does. */
  facadePortOf(pod: Pod): number | undefined {
    return this.#simulated(pod).container?.facadePort;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    await rm(this.#folder, { recursive: true, force: true });
  }

  #simulated(pod: Pod): SimulatedPod {
    const running = this.#running.get(pod.metadata.uid ?? "");
    if (running === undefined) throw new Error(`pod ${pod.metadata.name} is gone`);
    return running.pod;
  }

  #look(changed: Pod | undefined): void {
    const uid = changed?.metadata.uid;
    if (changed === undefined || uid === undefined) return;
    const known = this.#running.get(uid);
    if (known !== undefined) return known.pod.wake();
    const key = keyOf(changed.metadata);
    const { server, givesFiles = true, startContainer } = this.#options;
    const { namespace } = changed.metadata;
    this.#lastIP += 1;
    const pod = new SimulatedPod({
      key,
      podIP: `10.244.${this.#lastIP >> 8}.${this.#lastIP & 255}`,
      nodeName: NODE_NAME,
      folder: givesFiles ? join(this.#folder, uid) : undefined,
      startContainer,
      readyAfterMs: this.#options.readyAfterMs ?? READY_AFTER_MS,
      fileRefreshMs: this.#options.fileRefreshMs ?? FILE_REFRESH_MS,
      current: () => {
        const current = this.#pods.get(key);
        return current?.metadata.uid === uid ? current : undefined;
      },
      behaviour: (current) =>
        this.#behaviours.get(agentOf(current))?.(current) ?? { state: "ready" },
      request: (method, path, body) => server.request(method, path, body),
      read: async (plural, name) => {
        const path = `/api/v1/namespaces/${namespace}/${plural}/${name}`;
        const { status, body } = await server.request("GET", path);
        if (status !== 200 && status !== 404) throw new Error(`${path}: ${status}`);
        return status === 200 ? body : undefined;
      },
      signal: this.#stop.signal,
    });
    const ended = pod.run().finally(() => this.#running.delete(uid));
    this.#running.set(uid, { pod, ended });
  }
}

function agentOf({ metadata }: Pod): string {
  return `${metadata.namespace}/${metadata.labels?.["app.kubernetes.io/instance"] ?? ""}`;
}
