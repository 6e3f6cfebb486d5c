/**
 * The replicas of one agent as processes of this machine, which is what a Deployment is in a cluster. It may be told what is wanted
 * at any time, brings the processes to that by itself, and tells what it observes.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { REPLICA_VARIABLE, SECRETS_FOLDER } from "../../agent-config/agent-config.ts";
import type { Backoff } from "../../time/backoff.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import type { NotReadyReason } from "../../observability/readiness-answer.ts";
import type { CanaryReplica } from "../../probes/canary-probes.ts";
import { SecretValues } from "../../observability/secrets/secret-values.ts";
import { makePrivateFolder, syncPrivateFolder, writePrivateFile } from "../state/private-files.ts";
import { planReplicas, type ObservedReplica, type ReplicaState } from "./plan.ts";
import { ReplicaProcess } from "./process.ts";
import { RAN_WELL_MS, restartDelay } from "./restart-delay.ts";

/** The time from SIGTERM to SIGKILL. The turns of an agent go on for up to 60 s, and then it closes its connections. */
export const DRAIN_GRACE_MS = 75_000;

/** After the first time, people are told of a replica that is not ready. After the second, it has failed to become ready. */
const SLOW_MS = 3_000;
const READY_DEADLINE_MS = 30_000;

export interface WantedWorkload {
  replicas: number;
  /** What a process cannot take up while it runs. Another value leads to new replicas. */
  revision: string;
  /** The folder of this program, if it is not set. */
  workingFolder?: string | undefined;
  environment: Readonly<Record<string, string>>;
  /** The agent config, as JSON. */
  config: string;
  /**
   * Path below `secrets/` → content. `undefined` keeps the file as it is, because its Secret is gone. The running processes take up
   * a change.
   */
  secrets: ReadonlyMap<string, string | undefined>;
  /** The values of `environment` that are secret. */
  secretVariables: readonly string[];
}

export interface ReplicaView extends ObservedReplica {
  /** Why it is not ready, in the words of its process. */
  message?: string | undefined;
  /** The same, each reason with what it is about. */
  reasons?: readonly NotReadyReason[] | undefined;
  /** How its last process ended, since one was last ready. */
  lastEnd?: string | undefined;
  /** How the process before this one ended, if there was one. */
  lastWords?: string | undefined;
  /** How many processes it had before this one. */
  restarts: number;
  /** When its process was started, in milliseconds since 1970. */
  startedAt?: number | undefined;
  /** How many processes in a row ended without having run well. */
  failures: number;
  /** Whether it was ready once. */
  everReady: boolean;
  /** Whether it has not been ready for longer than a start takes. */
  slow: boolean;
  /** Whether it should have been ready by now. */
  overdue: boolean;
  pid?: number | undefined;
}

/** The address at which a ready replica takes connections. */
export interface ReplicaEndpoint {
  id: string;
  host: string;
  port: number;
}

export interface AgentWorkloadOptions {
  /** The folder of this agent, for its config, secrets and logs. */
  folder: string;
  /** What comes before the arguments of the agent: the path of Node.js and of the program. */
  command: { execPath: string; arguments: readonly string[] };
  clock: Clock;
  random: () => number;
  graceMs: number;
  /** Called when what it observes has changed. */
  onChange: () => void;
  onError: (replica: number, message: string) => void;
  /** Called when a process that was ready has ended by itself, and another one will be started. */
  onEnd: (replica: number, message: string, restartInMs: number) => void;
}

interface Replica {
  readonly id: number;
  readonly revision: string;
  readonly workingFolder: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  process: ReplicaProcess | undefined;
  /** How many processes it has had. */
  incarnation: number;
  startedAt: number | undefined;
  lastWords: string | undefined;
  failures: number;
  readySince: number | undefined;
  restartAt: number;
  restartTimer: Timer | undefined;
  message: string | undefined;
  lastEnd: string | undefined;
  everReady: boolean;
  slow: boolean;
  overdue: boolean;
  deadline: Timer | undefined;
  draining: boolean;
}

const HOST = "127.0.0.1";
const LISTEN_ARGUMENTS = ["--host", HOST, "--port", "0", "--management-port", "0"];
const CONFIG_FILE = "agent.json";

export class AgentWorkload {
  readonly #options: AgentWorkloadOptions;
  readonly #restartDelay: Backoff;
  readonly #replicas = new Map<number, Replica>();
  /** All that the processes were ever given, since one may print a key that was rotated since. */
  readonly #secretValues = new SecretValues();
  #wanted: WantedWorkload | undefined;

  constructor(options: AgentWorkloadOptions) {
    this.#options = options;
    this.#restartDelay = restartDelay(options.random);
  }

  get configFile(): string {
    return join(this.#options.folder, CONFIG_FILE);
  }

  /** Writes what the processes read, then starts and drains them as wanted. It must not be called before the last call has settled. */
  async apply(wanted: WantedWorkload): Promise<void> {
    const { folder } = this.#options;
    await makePrivateFolder(folder);
    for (const secret of [...wanted.secrets.values(), ...wanted.secretVariables]) {
      if (secret !== undefined) this.#secretValues.add(secret);
    }
    const secrets = join(folder, SECRETS_FOLDER);
    // A process that was killed left these files, and nobody knows whether they still hold.
    if (this.#wanted === undefined && this.#replicas.size === 0)
      await rm(secrets, { recursive: true, force: true });
    const before = this.#wanted?.secrets ?? new Map<string, undefined>();
    const kept = [...before.keys()].map((path): [string, undefined] => [path, undefined]);
    // A config may name a new secret, so secrets are written first. Secrets that it no longer names are removed last.
    await syncPrivateFolder(secrets, new Map([...kept, ...wanted.secrets]));
    await writePrivateFile(this.configFile, wanted.config);
    await syncPrivateFolder(secrets, wanted.secrets);
    this.#wanted = wanted;
    this.#step();
  }

  replicas(): ReplicaView[] {
    return [...this.#replicas.values()].map((replica) => ({
      id: replica.id,
      revision: replica.revision,
      state: stateOf(replica),
      restartAt: replica.restartAt,
      failures: replica.failures,
      everReady: replica.everReady,
      slow: replica.slow,
      overdue: replica.overdue,
      lastEnd: replica.lastEnd,
      lastWords: replica.lastWords,
      restarts: Math.max(0, replica.incarnation - 1),
      startedAt: replica.process === undefined ? undefined : replica.startedAt,
      message: replica.message,
      reasons: replica.process?.reasons,
      pid: replica.process?.pid,
    }));
  }

  endpoints(): ReplicaEndpoint[] {
    return [...this.#replicas.values()].flatMap((replica) => {
      const state = replica.process?.state;
      if (replica.draining || state?.state !== "ready") return [];
      return [
        {
          id: this.#nameOf(replica),
          host: HOST,
          port: state.facadePort,
        },
      ];
    });
  }

  /** The processes that may be asked what they counted. One that drains goes on with its turns. */
  canaryReplicas(): CanaryReplica[] {
    return [...this.#replicas.values()].flatMap((replica) => {
      const port = replica.process?.managementPort;
      if (port === undefined) return [];
      const isReady = !replica.draining && replica.process?.state.state === "ready";
      return [{ replica: this.#nameOf(replica), host: HOST, port, isReady }];
    });
  }

  #nameOf({ id, incarnation }: Replica): string {
    return `${this.#options.folder}#${id}.${incarnation}`;
  }

  /** Drains every replica. Another `apply` may come before they have ended. */
  retire(): void {
    this.#wanted = undefined;
    for (const replica of this.#replicas.values()) this.#drain(replica);
  }

  /** Removes the config and the secrets from the disk, and keeps the logs. No replica may be left. */
  async clean(): Promise<void> {
    await rm(join(this.#options.folder, SECRETS_FOLDER), { recursive: true, force: true });
    await rm(this.configFile, { force: true });
  }

  /** Ends every process at once. It may be called while this program ends. */
  kill(): void {
    this.retire();
    for (const replica of this.#replicas.values()) replica.process?.kill();
  }

  #step(): void {
    if (this.#wanted === undefined) return;
    const { replicas: count, revision } = this.#wanted;
    const actions = planReplicas(
      { count, revision },
      this.replicas(),
      this.#options.clock.monotonic(),
    );
    for (const { type, id } of actions) {
      const replica = this.#replicas.get(id);
      if (type === "start") {
        this.#add(newReplica(id, this.#wanted));
      } else if (replica !== undefined) {
        if (type === "restart") this.#start(replica);
        else this.#drain(replica);
      }
    }
    if (actions.length > 0) this.#options.onChange();
  }

  #add(replica: Replica): void {
    this.#replicas.set(replica.id, replica);
    this.#awaitReadiness(replica);
    this.#start(replica);
  }

  #awaitReadiness(replica: Replica): void {
    const { clock, onChange } = this.#options;
    replica.deadline ??= clock.setTimer(SLOW_MS, () => {
      replica.slow = true;
      replica.deadline = clock.setTimer(READY_DEADLINE_MS - SLOW_MS, () => {
        replica.overdue = true;
        onChange();
      });
      onChange();
    });
  }

  #start(replica: Replica): void {
    const { command, folder, clock, onError } = this.#options;
    replica.incarnation += 1;
    replica.startedAt = clock.now();
    replica.readySince = undefined;
    const process: ReplicaProcess = new ReplicaProcess({
      execPath: command.execPath,
      arguments: [...command.arguments, "agent", "--config", this.configFile, ...LISTEN_ARGUMENTS],
      environment: { ...replica.environment, [REPLICA_VARIABLE]: `replica-${replica.id}` },
      workingFolder: replica.workingFolder,
      logFile: join(folder, `replica-${replica.id}.log`),
      clock,
      secretValues: this.#secretValues,
      onError: (message) => onError(replica.id, message),
      onChange: () => this.#onProcessChange(replica, process),
    });
    replica.process = process;
  }

  #onProcessChange(replica: Replica, { state }: ReplicaProcess): void {
    const now = this.#options.clock.monotonic();
    replica.message = "message" in state && state.state !== "ended" ? state.message : undefined;
    if (state.state === "ready") {
      replica.deadline?.cancel();
      replica.deadline = undefined;
      replica.readySince ??= now;
      replica.everReady = true;
      replica.slow = false;
      replica.overdue = false;
      replica.lastEnd = undefined;
    }
    // A process that drains says that it is not ready, as it should.
    if (state.state === "unready" && !replica.draining) this.#awaitReadiness(replica);
    if (state.state === "ended") {
      replica.lastEnd = state.message;
      replica.lastWords = state.message;
      replica.process = undefined;
      if (replica.draining) this.#replicas.delete(replica.id);
      else this.#waitForRestart(replica, now);
    }
    this.#step();
    this.#options.onChange();
  }

  #waitForRestart(replica: Replica, now: number): void {
    const ranWell = replica.readySince !== undefined && now - replica.readySince >= RAN_WELL_MS;
    replica.failures = ranWell ? 1 : replica.failures + 1;
    const delay = this.#restartDelay(replica.failures);
    replica.restartAt = now + delay;
    if (replica.readySince !== undefined)
      this.#options.onEnd(replica.id, replica.lastEnd ?? "it ended", delay);
    replica.restartTimer = this.#options.clock.setTimer(delay, () => {
      // The timer may fire a little before its time on the clock, and it decides.
      replica.restartAt = 0;
      this.#step();
    });
  }

  #drain(replica: Replica): void {
    if (replica.draining) return;
    replica.draining = true;
    replica.restartTimer?.cancel();
    replica.deadline?.cancel();
    if (replica.process === undefined) this.#replicas.delete(replica.id);
    else replica.process.drain(this.#options.graceMs);
  }
}

function newReplica(id: number, { revision, workingFolder, environment }: WantedWorkload): Replica {
  return {
    id,
    revision,
    workingFolder,
    environment,
    process: undefined,
    incarnation: 0,
    startedAt: undefined,
    lastWords: undefined,
    failures: 0,
    readySince: undefined,
    restartAt: 0,
    restartTimer: undefined,
    message: undefined,
    lastEnd: undefined,
    everReady: false,
    slow: false,
    overdue: false,
    deadline: undefined,
    draining: false,
  };
}

function stateOf({ draining, process }: Replica): ReplicaState {
  if (draining) return "draining";
  const state = process?.state.state ?? "ended";
  return state === "ended" ? "waiting" : state;
}
