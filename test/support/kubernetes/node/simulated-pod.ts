/** One pod on the simulated kubelet: bound, given its files, started, reported on, and ended. */
import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { ContainerState, Pod, PodStatus } from "./pod.ts";
import { podEnvironment } from "./pod-environment.ts";
import { PodVolumes, type ReadObject } from "./pod-volumes.ts";

const RETRY_MS = 250;

/** What becomes of a pod. */
export type PodBehaviour =
  | { state: "ready"; afterMs?: number }
  /** It runs, and its readiness probe fails. */
  | { state: "unready" }
  /** `message` is the container's last word. */
  | { state: "crash-loop"; message: string; reason?: string; exitCode?: number }
  /** The container is never made. */
  | { state: "start-fails"; reason: string; message: string }
  | { state: "image-pull-fails"; message?: string }
  | { state: "unschedulable"; message?: string }
  /** Nothing is heard of the node any more. */
  | { state: "node-silent" }
  /** The pod is ended by its node, for good. */
  | { state: "evicted"; message: string };

/** A container that really runs. */
export interface Container {
  readonly isReady: boolean;
  /** Where its facade listens; `undefined` until it does. */
  readonly facadePort: number | undefined;
  /** Drains, and settles when it has ended. */
  stop(): Promise<void>;
}

export type StartContainer = (options: {
  /** Absolute paths of the container begin here. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The container is ready, or no longer. */
  readonly onChange: () => void;
}) => Container;

export interface SimulatedPodOptions {
  readonly key: string;
  readonly podIP: string;
  readonly nodeName: string;
  /** `undefined`: pods get no files and are not run. */
  readonly folder: string | undefined;
  readonly startContainer: StartContainer | undefined;
  readonly readyAfterMs: number;
  readonly fileRefreshMs: number;
  /** The pod as the API server has it; `undefined` once it is gone. */
  readonly current: () => Pod | undefined;
  readonly behaviour: (pod: Pod) => PodBehaviour;
  readonly request: (method: string, path: string, body?: object) => Promise<{ status: number }>;
  readonly read: ReadObject;
  readonly signal: AbortSignal;
}

export class SimulatedPod {
  readonly #options: SimulatedPodOptions;
  readonly #path: string;
  readonly #volumes: PodVolumes | undefined;
  readonly #created = new Date().toISOString();
  container: Container | undefined;
  #startedAt: number | undefined;
  #restarts = 0;
  #annotations: string | undefined;
  #refreshed = 0;
  /** Why its container could not be started. */
  #problem: string | undefined;
  #reported = "";
  #wake = Promise.withResolvers<void>();

  constructor(options: SimulatedPodOptions) {
    this.#options = options;
    const [namespace, name] = options.key.split("/");
    this.#path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    this.#volumes = options.folder === undefined ? undefined : new PodVolumes(options.folder);
  }

  /** The pod changed, or what is to become of it. */
  wake = (): void => this.#wake.resolve();

  /** Where absolute paths of the container begin. */
  get root(): string {
    if (this.#volumes === undefined) throw new Error("this kubelet gives no files");
    return this.#volumes.root;
  }

  /** Until the pod is gone, or the signal is aborted. */
  async run(): Promise<void> {
    const { signal, folder } = this.#options;
    try {
      while (!signal.aborted) {
        this.#wake = Promise.withResolvers();
        const pod = this.#options.current();
        if (pod === undefined) return;
        const waitMs = await this.#sync(pod).catch(() => RETRY_MS);
        const waited = new AbortController();
        const due = delay(waitMs, undefined, {
          signal: AbortSignal.any([signal, waited.signal]),
        }).catch(() => {});
        await Promise.race([this.#wake.promise, due]);
        waited.abort();
      }
    } finally {
      await this.container?.stop();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    }
  }

  /** Answers after how many milliseconds to look again. */
  async #sync(pod: Pod): Promise<number> {
    const { request, nodeName, fileRefreshMs } = this.#options;
    if (pod.metadata.deletionTimestamp !== undefined) {
      await this.container?.stop();
      const { status } = await request("DELETE", `${this.#path}?gracePeriodSeconds=0`);
      if (status !== 200 && status !== 404) return RETRY_MS;
      return fileRefreshMs;
    }
    const behaviour = this.#options.behaviour(pod);
    if (pod.status?.phase === "Failed") return fileRefreshMs;
    if (behaviour.state === "evicted") {
      await this.#report(pod, { phase: "Failed", reason: "Evicted", message: behaviour.message });
      return fileRefreshMs;
    }
    if (pod.spec.nodeName === undefined) {
      if (behaviour.state === "unschedulable") {
        await this.#report(pod, unschedulable(behaviour.message));
        return fileRefreshMs;
      }
      await request("POST", `${this.#path}/binding`, {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name: pod.metadata.name },
        target: { apiVersion: "v1", kind: "Node", name: nodeName },
      });
    }
    await this.#refreshFiles(pod);
    const waitMs = await this.#runContainer(pod, behaviour);
    await this.#report(pod, this.#status(pod, behaviour));
    return this.#problem === undefined ? waitMs : RETRY_MS;
  }

  /** A kubelet looks at a pod's files when the pod changes, and once in a while. */
  async #refreshFiles(pod: Pod): Promise<void> {
    if (this.#volumes === undefined) return;
    const { read, fileRefreshMs } = this.#options;
    const annotations = JSON.stringify(pod.metadata.annotations ?? {});
    const isDue = performance.now() - this.#refreshed >= fileRefreshMs;
    if (annotations === this.#annotations && !isDue && this.#problem === undefined) return;
    try {
      await this.#volumes.materialise(pod, read);
      this.#problem = undefined;
    } catch (error) {
      // What runs already keeps the files that it has.
      if (this.#startedAt === undefined) this.#problem = (error as Error).message;
    }
    this.#annotations = annotations;
    this.#refreshed = performance.now();
  }

  async #runContainer(pod: Pod, behaviour: PodBehaviour): Promise<number> {
    const { readyAfterMs, startContainer, read, fileRefreshMs } = this.#options;
    const untilRefresh = Math.max(0, this.#refreshed + fileRefreshMs - performance.now());
    if (this.#problem !== undefined) return RETRY_MS;
    if (behaviour.state === "image-pull-fails" || behaviour.state === "start-fails") {
      return untilRefresh;
    }
    if (behaviour.state === "crash-loop") {
      if (this.#restarts === 0) this.#restarts = 1;
      await this.container?.stop();
      this.container = undefined;
      this.#startedAt = undefined;
      return untilRefresh;
    }
    if (this.#startedAt === undefined) {
      if (this.#volumes !== undefined) {
        const environment = await podEnvironment(pod, read);
        this.container ??= startContainer?.({
          root: this.#volumes.root,
          environment,
          onChange: this.wake,
        });
      }
      this.#startedAt = performance.now();
    }
    const afterMs = (behaviour.state === "ready" ? behaviour.afterMs : undefined) ?? readyAfterMs;
    const untilReady = this.#startedAt + afterMs - performance.now();
    return untilReady > 0 ? Math.min(untilReady, untilRefresh) : untilRefresh;
  }

  #status(pod: Pod, behaviour: PodBehaviour): PodStatus {
    const { podIP, readyAfterMs } = this.#options;
    const afterMs = (behaviour.state === "ready" ? behaviour.afterMs : undefined) ?? readyAfterMs;
    const isUp = this.#startedAt !== undefined && performance.now() - this.#startedAt >= afterMs;
    const isSilent = behaviour.state === "node-silent";
    const isReady =
      (behaviour.state === "ready" || isSilent) && isUp && this.container?.isReady !== false;
    const startedAt = this.#created;
    let state: ContainerState = { running: { startedAt } };
    let lastState: ContainerState = {};
    if (behaviour.state === "image-pull-fails") {
      const image = pod.spec.containers[0]?.image ?? "";
      const message = behaviour.message ?? `Back-off pulling image "${image}"`;
      state = { waiting: { reason: "ImagePullBackOff", message } };
    } else if (behaviour.state === "start-fails") {
      state = { waiting: { reason: behaviour.reason, message: behaviour.message } };
    } else if (behaviour.state === "crash-loop") {
      const message = "back-off 5m0s restarting failed container";
      state = { waiting: { reason: "CrashLoopBackOff", message } };
      const ended = { startedAt, finishedAt: startedAt, message: behaviour.message };
      const { reason = "Error", exitCode = 1 } = behaviour;
      lastState = { terminated: { reason, exitCode, ...ended } };
    } else if (this.#problem !== undefined) {
      state = { waiting: { reason: "ContainerCreating" } };
    }
    const isRunning = state.running !== undefined;
    const said = (type: string, holds: boolean, reason?: string): object => ({
      type,
      status: holds ? "True" : "False",
      lastTransitionTime: this.#created,
      ...(holds || reason === undefined ? {} : { reason }),
    });
    return {
      phase: isRunning || behaviour.state === "crash-loop" ? "Running" : "Pending",
      startTime: this.#created,
      ...(isRunning ? { podIP, podIPs: [{ ip: podIP }] } : {}),
      conditions: [
        said("PodScheduled", true),
        said("Initialized", true),
        said("ContainersReady", isReady, "ContainersNotReady"),
        said("Ready", isReady && !isSilent, isSilent ? undefined : "ContainersNotReady"),
      ],
      containerStatuses: pod.spec.containers.map(({ name, image = "" }) => ({
        name,
        image,
        imageID: image,
        ready: isReady,
        started: isRunning,
        restartCount: this.#restarts,
        state,
        lastState,
      })),
    } as PodStatus;
  }

  async #report(pod: Pod, status: PodStatus): Promise<void> {
    const text = JSON.stringify(status);
    if (text === this.#reported) return;
    const { status: code } = await this.#options.request("PATCH", `${this.#path}/status`, {
      metadata: { uid: pod.metadata.uid },
      status,
    });
    if (code === 200) this.#reported = text;
    else throw new Error(`the status of ${this.#options.key} was answered with ${code}`);
  }
}

function unschedulable(message = "0/1 nodes are available: 1 Insufficient memory."): PodStatus {
  return {
    phase: "Pending",
    conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }],
  };
}
