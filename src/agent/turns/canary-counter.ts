/** Counts the sessions and turns of the version on trial, and of the active one beside it, for who decides whether it is promoted. */
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import {
  emptyFirstChunkBuckets,
  firstChunkBucketOf,
} from "../../agent-config/first-chunk-buckets.ts";
import type { CanaryReport } from "../../observability/canary-report.ts";
import type { ErrorCode } from "../../protocol/frames.ts";
import { promptOfSession } from "../runtime/session-prompt.ts";
import type { StoredEnding } from "./turn-ending.ts";

export interface EndedTurn {
  readonly config: AgentConfig;
  readonly sessionId: string;
  /** The version that the session has, where it keeps one. */
  readonly promptVersion: string | undefined;
  /** Whether its session began with it. */
  readonly isFirst: boolean;
  readonly ending: StoredEnding;
  /** Milliseconds from the message; `undefined` when it had no chunk. */
  readonly firstChunkMs: number | undefined;
}

/** They say that the replica or its store was in need, whatever the version. */
const NO_FAULT_OF_A_VERSION: ReadonlySet<ErrorCode> = new Set(["UNAVAILABLE", "RATE_LIMITED"]);

type Counts = NonNullable<CanaryReport["counts"]>;

export class CanaryCounter {
  readonly #process: string;
  #version: string | undefined;
  #trial: string | undefined;
  #counts: Counts = noCounts();
  #active: string | undefined;
  #activeCounts: Counts = noCounts();

  /** `process` is another one after each restart. */
  constructor(process: string) {
    this.#process = process;
  }

  /** Counts from zero when the config begins another step. */
  take({ prompt }: Pick<AgentConfig, "prompt">): void {
    const { trial, prompt: canary } = prompt?.canary ?? {};
    const active = prompt?.active.version;
    const isSameTrial = trial === this.#trial && canary?.version === this.#version;
    if (!isSameTrial || active !== this.#active) {
      this.#active = active;
      this.#activeCounts = noCounts();
    }
    if (isSameTrial) return;
    this.#trial = trial;
    this.#version = canary?.version;
    this.#counts = noCounts();
  }

  count(turn: EndedTurn): void {
    const { config, ending, isFirst, firstChunkMs } = turn;
    if (this.#trial === undefined || config.handler !== "runtime") return;
    if (config.prompt === undefined) return;
    const counts = this.#countsOf(promptOfSession(config.prompt, turn).version);
    if (counts === undefined) return;
    if (isFirst) counts.sessions += 1;
    const code = ending.type === "error" ? ending.error.code : undefined;
    if (ending.type === "done" && ending.finishReason === "cancelled") return;
    if (code !== undefined && NO_FAULT_OF_A_VERSION.has(code)) return;
    counts.turns += 1;
    const isWarned = ending.type === "done" && (ending.warnings?.length ?? 0) > 0;
    if (isWarned || code === "VALIDATION_FAILED") counts.validationFailures += 1;
    else if (code !== undefined || wasAskedAgain(ending)) counts.errors += 1;
    if (firstChunkMs === undefined) return;
    const bucket = firstChunkBucketOf(firstChunkMs);
    counts.firstChunk[bucket] = (counts.firstChunk[bucket] ?? 0) + 1;
  }

  /** `score`: from 0 to 1, of one eval that was run on a turn of this version. */
  countEval(version: string, score: number): void {
    const counts = this.#trial === undefined ? undefined : this.#countsOf(version);
    if (counts === undefined) return;
    counts.evals += 1;
    counts.evalPoints += Math.round(score * 1_000);
  }

  report(): CanaryReport {
    if (this.#trial === undefined) return { process: this.#process };
    return {
      process: this.#process,
      trial: this.#trial,
      counts: this.#counts,
      activeCounts: this.#activeCounts,
    };
  }

  /** `undefined` for a version that is neither on trial nor active. */
  #countsOf(version: string | undefined): Counts | undefined {
    if (version === this.#version) return this.#counts;
    return version === this.#active ? this.#activeCounts : undefined;
  }
}

/** That the next request was answered does not make up for one that failed: the user waited for both. */
function wasAskedAgain(ending: StoredEnding): boolean {
  return ending.type === "done" && ending.wasAskedAgain === true;
}

function noCounts(): Counts {
  return {
    sessions: 0,
    turns: 0,
    errors: 0,
    validationFailures: 0,
    evals: 0,
    evalPoints: 0,
    firstChunk: emptyFirstChunkBuckets(),
  };
}
