/** Asks the replicas that run a version on trial what they counted of it, again and again. */
import { type CanaryReport, readCanaryReport } from "../observability/canary-report.ts";
import type { Clock } from "../time/clock.ts";
import { Deadline } from "../time/deadline.ts";
import { Wake } from "../time/wake.ts";
import { getAnswer, type ReplicaAddress } from "./get-answer.ts";

/** A round begins this long after the one before, or later when there are many replicas. */
const ROUND_MS = 2_000;
const ROUND_MS_PER_REPLICA = 10;
const TIMEOUT_MS = 2_000;
const MAX_ASKED_AT_ONCE = 64;

export interface CanaryReplica extends ReplicaAddress {
  /** Names the replica among all replicas, but not the process in it. */
  readonly replica: string;
  /** Whether it takes sessions. */
  readonly isReady: boolean;
}

export interface CanaryAnswer {
  readonly replica: string;
  readonly isReady: boolean;
  /** `undefined` when it gave no answer to the last question, or was not asked yet. */
  readonly report: CanaryReport | undefined;
}

/** Resolves to `undefined` when the replica did not answer. */
export type AskCanary = (
  address: ReplicaAddress,
  signal: AbortSignal,
) => Promise<CanaryReport | undefined>;

export interface CanaryProbesOptions {
  readonly clock: Clock;
  /** Called with the key of a pack when its replicas have been asked, whatever they answered. */
  readonly onRound: (pack: string) => void;
  /** @default it asks the replica itself */
  readonly ask?: AskCanary | undefined;
}

interface Followed {
  replicas: readonly CanaryReplica[];
  readonly reports: Map<string, CanaryReport>;
}

export class CanaryProbes {
  readonly #clock: Clock;
  readonly #onRound: (pack: string) => void;
  readonly #ask: AskCanary;
  readonly #packs = new Map<string, Followed>();
  readonly #someAreFollowed = new Wake();

  constructor({ clock, onRound, ask }: CanaryProbesOptions) {
    this.#clock = clock;
    this.#onRound = onRound;
    this.#ask = ask ?? ((address, signal) => askCanary(address, clock, signal));
  }

  /** What the replicas of a pack answered last. From now on these are asked, until the next call or `forget`. */
  of(pack: string, replicas: readonly CanaryReplica[]): CanaryAnswer[] {
    const followed = this.#packs.get(pack) ?? { replicas, reports: new Map() };
    followed.replicas = replicas;
    const present = new Set(replicas.map(({ replica }) => replica));
    for (const replica of followed.reports.keys()) {
      if (!present.has(replica)) followed.reports.delete(replica);
    }
    if (!this.#packs.has(pack)) {
      this.#packs.set(pack, followed);
      this.#someAreFollowed.raise();
    }
    return replicas.map(({ replica, isReady }) => ({
      replica,
      isReady,
      report: followed.reports.get(replica),
    }));
  }

  forget(pack: string): void {
    this.#packs.delete(pack);
  }

  /** Asks until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#packs.size === 0) await this.#someAreFollowed.wait(signal);
      if (signal.aborted) return;
      const asked = await this.#round(signal);
      const pauseMs = Math.max(ROUND_MS, asked * ROUND_MS_PER_REPLICA);
      await this.#clock.sleep(pauseMs, signal).catch(() => {});
    }
  }

  /** Resolves to the number of replicas that were asked. */
  async #round(signal: AbortSignal): Promise<number> {
    const packs = [...this.#packs];
    const due = packs.flatMap(([, followed]) =>
      followed.replicas.map((replica) => ({ followed, replica })),
    );
    const questions = due.values();
    const askInTurn = async (): Promise<void> => {
      for (const { followed, replica } of questions) {
        const report = await this.#ask(replica, signal).catch(() => undefined);
        if (signal.aborted) return;
        if (!followed.replicas.some((one) => one.replica === replica.replica)) continue;
        if (report === undefined) followed.reports.delete(replica.replica);
        else followed.reports.set(replica.replica, report);
      }
    };
    const atOnce = Math.min(MAX_ASKED_AT_ONCE, due.length);
    await Promise.all(Array.from({ length: atOnce }, askInTurn));
    if (signal.aborted) return due.length;
    for (const [pack, followed] of packs) {
      if (this.#packs.get(pack) === followed) this.#onRound(pack);
    }
    return due.length;
  }
}

/** Resolves to `undefined` when no answer came in time, or one that is no report. */
async function askCanary(
  address: ReplicaAddress,
  clock: Pick<Clock, "setTimer">,
  signal: AbortSignal,
): Promise<CanaryReport | undefined> {
  using deadline = new Deadline({ ms: TIMEOUT_MS, clock, signal });
  const answer = await getAnswer(address, "/canary", deadline.signal);
  return answer?.status === 200 ? readCanaryReport(answer.body) : undefined;
}
