/**
 * The replicas of one agent, as processes of this machine: what a Deployment is in a cluster. It is told what is wanted as
 * often as one likes, brings the processes there by itself, and says what it observes.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Timer } from "../observability/clock.ts";
import { makePrivateFolder, syncPrivateFolder, writePrivateFile } from "./private-files.ts";
import { planReplicas, type ObservedReplica, type ReplicaState } from "./replica-plan.ts";
import { ReplicaProcess } from "./replica-process.ts";
import { RAN_WELL_MS, restartDelayMs } from "./restart-delay.ts";

/** From SIGTERM to SIGKILL: an agent's turns go on for up to 60 s, and then it has its connections to close. */
export const DRAIN_GRACE_MS = 75_000;

export interface WantedWorkload {
  replicas: number;
  /** What a process cannot take up while it runs; another value rolls the replicas. */
  revision: string;
  environment: Readonly<Record<string, string>>;
  /** The agent config, as JSON. */
  config: string;
  /** Folder below `secrets/` → file → content. A change is taken up by the running processes. */
  secrets: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

export interface ReplicaView extends ObservedReplica {
  /** Why it is not ready, as the process itself or its end says. */
  message?: string;
  /** Ends in a row without having run well. */
  failures: number;
  pid?: number;
}

/** Where a ready replica takes connections. */
export interface ReplicaEndpoint {
  id: string;
  host: string;
  port: number;
}

export interface AgentWorkloadOptions {
  /** Belongs to this agent: config, secrets, logs. */
  folder: string;
  /** What is put before the arguments of the agent: a Node and the program. */
  command: { execPath: string; arguments: readonly string[] };
  clock: Clock;
  random: () => number;
  graceMs: number;
  /** What it observes is different. */
  onChange: () => void;
  onError: (replica: number, message: string) => void;
}

interface Replica {
  readonly id: number;
  readonly revision: string;
  readonly environment: Readonly<Record<string, string>>;
  process: ReplicaProcess | undefined;
  /** Counts its processes. */
  incarnation: number;
  failures: number;
  readySince: number | undefined;
  restartAt: number;
  restartTimer: Timer | undefined;
  message: string | undefined;
  draining: boolean;
}

const HOST = "127.0.0.1";
const LISTEN_ARGUMENTS = ["--host", HOST, "--port", "0", "--management-port", "0"];
const CONFIG_FILE = "agent.json";
const SECRETS_FOLDER = "secrets";

export class AgentWorkload {
  readonly #options: AgentWorkloadOptions;
  readonly #replicas = new Map<number, Replica>();
  readonly #secretFolders = new Set<string>();
  #wanted: WantedWorkload | undefined;
  #stopped: (() => void) | undefined;

  constructor(options: AgentWorkloadOptions) {
    this.#options = options;
  }

  get configFile(): string {
    return join(this.#options.folder, CONFIG_FILE);
  }

  /** Writes what the processes read, then starts and drains what is to be. Not to be called before the last has settled. */
  async apply(wanted: WantedWorkload): Promise<void> {
    await makePrivateFolder(this.#options.folder);
    // A config may name a secret that is new: the secret is there first. One that is gone goes last.
    for (const [folder, files] of wanted.secrets) await this.#syncSecrets(folder, files);
    await writePrivateFile(this.configFile, wanted.config);
    for (const folder of this.#secretFolders) {
      if (!wanted.secrets.has(folder)) await this.#syncSecrets(folder, new Map());
    }
    this.#wanted = wanted;
    this.#step();
  }

  async #syncSecrets(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
    this.#secretFolders.add(folder);
    await syncPrivateFolder(join(this.#options.folder, SECRETS_FOLDER, folder), files);
  }

  replicas(): ReplicaView[] {
    return [...this.#replicas.values()].map((replica) => ({
      id: replica.id,
      revision: replica.revision,
      state: stateOf(replica),
      restartAt: replica.restartAt,
      failures: replica.failures,
      ...(replica.message === undefined ? {} : { message: replica.message }),
      ...(replica.process?.pid === undefined ? {} : { pid: replica.process.pid }),
    }));
  }

  endpoints(): ReplicaEndpoint[] {
    return [...this.#replicas.values()].flatMap((replica) => {
      const state = replica.process?.state;
      if (replica.draining || state?.state !== "ready") return [];
      return [
        {
          id: `${this.#options.folder}#${replica.id}.${replica.incarnation}`,
          host: HOST,
          port: state.facadePort,
        },
      ];
    });
  }

  /** Drains every replica. Settles when all have ended; then their secrets are gone from the disk. */
  async stop(): Promise<void> {
    this.#wanted = undefined;
    await new Promise<void>((resolve) => {
      this.#stopped = resolve;
      for (const replica of this.#replicas.values()) this.#drain(replica);
      this.#resolveIfStopped();
    });
    await rm(join(this.#options.folder, SECRETS_FOLDER), { recursive: true, force: true });
  }

  /** Ends every process at once; also when this program is about to end. */
  kill(): void {
    this.#wanted = undefined;
    for (const replica of this.#replicas.values()) {
      this.#drain(replica);
      replica.process?.kill();
    }
  }

  #step(): void {
    if (this.#wanted === undefined) return;
    const { replicas: count, revision, environment } = this.#wanted;
    const actions = planReplicas(
      { count, revision },
      this.replicas(),
      this.#options.clock.monotonic(),
    );
    for (const { type, id } of actions) {
      const replica = this.#replicas.get(id);
      if (type === "start") {
        const started = newReplica(id, revision, environment);
        this.#replicas.set(id, started);
        this.#start(started);
      } else if (replica !== undefined) {
        if (type === "restart") this.#start(replica);
        else this.#drain(replica);
      }
    }
    if (actions.length > 0) this.#options.onChange();
  }

  #start(replica: Replica): void {
    const { command, folder, clock, onError } = this.#options;
    replica.incarnation += 1;
    replica.readySince = undefined;
    const process: ReplicaProcess = new ReplicaProcess({
      execPath: command.execPath,
      arguments: [...command.arguments, "agent", "--config", this.configFile, ...LISTEN_ARGUMENTS],
      environment: replica.environment,
      logFile: join(folder, `replica-${replica.id}.log`),
      clock,
      onError: (message) => onError(replica.id, message),
      onChange: () => this.#onProcessChange(replica, process),
    });
    replica.process = process;
  }

  #onProcessChange(replica: Replica, { state }: ReplicaProcess): void {
    const now = this.#options.clock.monotonic();
    if (state.state === "ready") {
      replica.readySince ??= now;
      replica.message = undefined;
    } else {
      replica.message = state.message;
    }
    if (state.state === "ended") {
      replica.process = undefined;
      if (replica.draining) this.#replicas.delete(replica.id);
      else this.#waitForRestart(replica, now);
    }
    this.#step();
    this.#options.onChange();
    this.#resolveIfStopped();
  }

  #waitForRestart(replica: Replica, now: number): void {
    const ranWell = replica.readySince !== undefined && now - replica.readySince >= RAN_WELL_MS;
    replica.failures = ranWell ? 1 : replica.failures + 1;
    const delay = restartDelayMs(replica.failures, this.#options.random);
    replica.restartAt = now + delay;
    replica.restartTimer = this.#options.clock.setTimer(delay, () => {
      // The timer decides: it may fire a little before its time on the clock.
      replica.restartAt = 0;
      this.#step();
    });
  }

  #drain(replica: Replica): void {
    replica.draining = true;
    replica.restartTimer?.cancel();
    if (replica.process === undefined) this.#replicas.delete(replica.id);
    else replica.process.drain(this.#options.graceMs);
  }

  #resolveIfStopped(): void {
    if (this.#replicas.size === 0) this.#stopped?.();
  }
}

function newReplica(
  id: number,
  revision: string,
  environment: Readonly<Record<string, string>>,
): Replica {
  return {
    id,
    revision,
    environment,
    process: undefined,
    incarnation: 0,
    failures: 0,
    readySince: undefined,
    restartAt: 0,
    restartTimer: undefined,
    message: undefined,
    draining: false,
  };
}

function stateOf({ draining, process }: Replica): ReplicaState {
  if (draining) return "draining";
  const state = process?.state.state ?? "ended";
  return state === "ended" ? "waiting" : state;
}
