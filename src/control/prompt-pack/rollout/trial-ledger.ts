/** What the replicas counted in one step of a trial, summed up: of the canary, and of the active version beside it. */
import type { CanaryCounts } from "../../../api/prompt-pack.ts";
import {
  type ObservedCanary,
  type ReplicaAnswer,
  ReplicaLedger,
  type ReplicaReport,
} from "./replica-ledger.ts";

/** What was counted by processes that have ended. */
export interface EndedCounts {
  readonly canary: CanaryCounts;
  readonly active: CanaryCounts;
}

export interface TrialReport extends ReplicaReport {
  /** `undefined` from a replica of a release that did not count them. */
  readonly activeCounts?: CanaryCounts | undefined;
}

export interface TrialAnswer extends ReplicaAnswer {
  readonly report: TrialReport | undefined;
}

export interface ObservedTrial extends ObservedCanary {
  /** What was counted of the active version in the same time. `undefined` while no replica has told it. */
  readonly active?: Pick<ObservedCanary, "counts" | "ended"> | undefined;
}

export class TrialLedger {
  readonly trial: string;
  readonly #canary: ReplicaLedger;
  readonly #active: ReplicaLedger;
  #isActiveTold: boolean;

  constructor(trial: string, ended: EndedCounts) {
    this.trial = trial;
    this.#canary = new ReplicaLedger(trial, ended.canary);
    this.#active = new ReplicaLedger(trial, ended.active);
    this.#isActiveTold = ended.active.turns > 0 || ended.active.sessions > 0;
  }

  /** `answers` has every replica that there is. */
  take(answers: readonly TrialAnswer[]): ObservedTrial {
    const observed = this.#canary.take(answers);
    const { counts, ended, counting } = this.#active.take(
      answers.map(({ report, ...answer }) => ({
        ...answer,
        report: report && { ...report, counts: report.activeCounts },
      })),
    );
    this.#isActiveTold ||= counting > 0;
    return { ...observed, active: this.#isActiveTold ? { counts, ended } : undefined };
  }
}
