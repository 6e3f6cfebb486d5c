/**
 * Runs the evals of a pack on a sample of the turns that its sessions have. A turn is judged after its end, when nothing else
 * waits, so that no client waits for an eval.
 */
import type { PromptConfig } from "../../agent-config/agent-config.ts";
import type { Verdict } from "../../evals/judges/judge.ts";
import type { Log } from "../../observability/log.ts";
import { nextTurn } from "../../time/next-turn.ts";
import type { AgentMetrics } from "../contracts/agent-metrics.ts";
import { MAX_TURNS_TO_JUDGE } from "../contracts/limits.ts";
import { type JudgedTurn, recordOf } from "./judged-turn.ts";

export interface LiveEvalsOptions {
  readonly metrics: Pick<AgentMetrics, "evalsTotal" | "evalScoreTotal">;
  readonly log: Log;
  /** Told of each eval that was run on a turn of a version: its score, from 0 to 1. */
  readonly onScore: (version: string, score: number) => void;
}

/** The code of evals is loaded when an agent has some. */
async function loadEvals() {
  const [{ readLiveEvals }, { isInSample }, { hasPassed }] = await Promise.all([
    import("../../evals/run/live-evals.ts"),
    import("../../evals/run/sample.ts"),
    import("../../evals/run/threshold.ts"),
  ]);
  return { readLiveEvals, isInSample, hasPassed };
}

type EvalCode = Awaited<ReturnType<typeof loadEvals>>;
type PlannedEvals = ReturnType<EvalCode["readLiveEvals"]>;
type WrittenEvals = NonNullable<PromptConfig["evals"]>;

export class LiveEvals {
  readonly #options: LiveEvalsOptions;
  readonly #waiting: JudgedTurn[] = [];
  readonly #planned = new WeakMap<WrittenEvals, PlannedEvals>();
  /** No judge of an agent waits for anything. */
  readonly #signal = new AbortController().signal;
  #judging: Promise<void> | undefined;

  constructor(options: LiveEvalsOptions) {
    this.#options = options;
  }

  /** Has the turn judged later. Turns beyond `MAX_TURNS_TO_JUDGE` that wait are not judged, and are counted as dropped. */
  judge(turn: JudgedTurn): void {
    const { evals, version } = turn.prompt;
    if (evals === undefined) return;
    if (this.#waiting.length >= MAX_TURNS_TO_JUDGE) {
      for (const { id } of evals.written) this.#count(id, version, "dropped");
      return;
    }
    this.#waiting.push(turn);
    this.#judging ??= this.#judgeAll().finally(() => {
      this.#judging = undefined;
    });
  }

  /** Settles when nothing waits to be judged. */
  async idle(): Promise<void> {
    while (this.#judging !== undefined) await this.#judging;
  }

  async #judgeAll(): Promise<void> {
    try {
      const code = await loadEvals();
      for (;;) {
        await nextTurn();
        const turn = this.#waiting.shift();
        if (turn === undefined) return;
        await this.#judgeTurn(turn, code);
      }
    } catch (error) {
      this.#waiting.length = 0;
      this.#options.log.error({ error }, "The evals of the pack cannot be run");
    }
  }

  async #judgeTurn(turn: JudgedTurn, code: EvalCode): Promise<void> {
    const { evals, version } = turn.prompt;
    if (evals === undefined) return;
    const record = recordOf(turn);
    const subject = { turns: [record], soFar: [record] };
    for (const planned of this.#evalsOf(evals, code)) {
      const share = evals.samplePercentage ?? planned.samplePercentage ?? 100;
      if (!code.isInSample(`${turn.turnId}/${planned.id}`, share)) continue;
      if (!planned.condition({ turns: [record], turnCount: 1, variables: {} })) {
        this.#count(planned.id, version, "skipped");
        continue;
      }
      const context = { ask: undefined, signal: this.#signal };
      const found = await this.#verdictOf(() => planned.judge(subject, context), planned.id);
      const passed = code.hasPassed(found, planned.isEnough);
      const score = passed ? 1 : partOf(found.score);
      this.#count(planned.id, version, passed ? "passed" : "failed");
      this.#options.metrics.evalScoreTotal.add(score, { eval: planned.id, version });
      this.#options.onScore(version, score);
    }
  }

  /** An eval that throws has failed, as one that cannot be judged has. */
  async #verdictOf(judge: () => Verdict | Promise<Verdict>, id: string): Promise<Verdict> {
    try {
      return await judge();
    } catch (error) {
      this.#options.log.warn({ eval: id, error }, "An eval could not be run on a turn");
      return { score: undefined, passed: false, why: "it could not be run" };
    }
  }

  #evalsOf(evals: WrittenEvals, { readLiveEvals }: EvalCode): PlannedEvals {
    const known = this.#planned.get(evals) ?? readLiveEvals(evals.written);
    this.#planned.set(evals, known);
    return known;
  }

  #count(id: string, version: string, outcome: "passed" | "failed" | "skipped" | "dropped"): void {
    this.#options.metrics.evalsTotal.add(1, { eval: id, version, outcome });
  }
}

/** What failed may be right in part. A score outside of 0 to 1 is something that was counted. */
function partOf(score: number | undefined): number {
  return score !== undefined && score > 0 && score < 1 ? score : 0;
}
