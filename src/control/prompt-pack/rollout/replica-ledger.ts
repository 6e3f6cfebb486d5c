/**
 * What the replicas counted of a canary in one step, summed up. A replica counts from zero in each step and after each restart, and
 * the counts of a process that has ended still belong to the step.
 */
import type { CanaryCounts } from "../../../api/prompt-pack.ts";
import { sumOfCounts } from "./canary-counts.ts";

/** What one replica answered when it was asked last. */
export interface ReplicaAnswer {
  /** Names the replica, but not the process in it. */
  readonly replica: string;
  /** Whether it takes sessions, so that it has to be heard before the counts are whole. */
  readonly isReady: boolean;
  /** `undefined` when it gave no answer. */
  readonly report: ReplicaReport | undefined;
}

export interface ReplicaReport {
  /** Another one after each restart. */
  readonly process: string;
  /** The step that it counts for; `undefined` when it knows of no canary. */
  readonly trial?: string | undefined;
  readonly counts?: CanaryCounts | undefined;
}

export interface ObservedCanary {
  readonly counts: CanaryCounts;
  /** The part of `counts` that is of processes that have ended. */
  readonly ended: CanaryCounts;
  /** The number of replicas that count for this step. */
  readonly counting: number;
  /** The number of ready replicas that did not answer. While there is one, `counts` may lack something. */
  readonly silent: number;
}

/** The number of ended processes that are known one by one. */
const MAX_ENDED_PROCESSES = 256;

export class ReplicaLedger {
  readonly trial: string;
  /** Of processes that are known no more. */
  #forgotten: CanaryCounts;
  readonly #counts = new Map<string, CanaryCounts>();
  #processes: ReadonlyMap<string, string> = new Map();

  /** `ended` is what was counted in this step by processes that had ended before. */
  constructor(trial: string, ended: CanaryCounts) {
    this.trial = trial;
    this.#forgotten = ended;
  }

  /** `answers` has every replica that there is. */
  take(answers: readonly ReplicaAnswer[]): ObservedCanary {
    let counting = 0;
    const processes = new Map<string, string>();
    for (const { replica, report } of answers) {
      const process = report?.process ?? this.#processes.get(replica);
      if (process !== undefined) processes.set(replica, process);
      if (report?.trial !== this.trial || report.counts === undefined) continue;
      counting += 1;
      this.#counts.set(report.process, report.counts);
    }
    this.#processes = processes;
    const live = new Set(processes.values());
    this.#forget([...this.#counts.keys()].filter((process) => !live.has(process)));
    const gone = [...this.#counts].filter(([process]) => !live.has(process));
    const ended = sumOfCounts([this.#forgotten, ...gone.map(([, counts]) => counts)]);
    const running = [...this.#counts].filter(([process]) => live.has(process));
    return {
      counts: sumOfCounts([ended, ...running.map(([, counts]) => counts)]),
      ended,
      counting,
      silent: answers.filter(({ isReady, report }) => isReady && report === undefined).length,
    };
  }

  #forget(ended: readonly string[]): void {
    for (const process of ended.slice(0, Math.max(0, ended.length - MAX_ENDED_PROCESSES))) {
      const counts = this.#counts.get(process);
      if (counts !== undefined) this.#forgotten = sumOfCounts([this.#forgotten, counts]);
      this.#counts.delete(process);
    }
  }
}
