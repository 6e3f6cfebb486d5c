/** Holds one scripted conversation, and judges it. */
import type { Clock } from "../../time/clock.ts";
import type { ScriptedConversation } from "../conversation/read-conversations.ts";
import type { TurnRecord } from "../conversation/transcript.ts";
import type { JudgeContext, Subject } from "../judges/judge.ts";
import type { CheckResult, ConversationResult } from "./eval-result.ts";
import { planExpectations, type PlannedEval } from "./plan-evals.ts";
import { isInSample } from "./sample.ts";
import { hasPassed } from "./threshold.ts";

/** Someone who answers the messages of one conversation, one after the other. */
export interface Talk extends AsyncDisposable {
  /** Rejects with a sentence for people when there is no answer. */
  turn(message: string, signal: AbortSignal): Promise<TurnRecord>;
}

export interface ConversationOptions {
  readonly evals: readonly PlannedEval[];
  readonly turn: (message: string) => Promise<TurnRecord>;
  readonly ask: JudgeContext["ask"];
  readonly clock: Pick<Clock, "monotonic">;
  readonly signal: AbortSignal;
  /** The answers so far, and why it went no further, once it has ended. */
  readonly onEnd?: (turns: readonly TurnRecord[], failure: string | undefined) => Promise<void>;
}

/** Rejects only when `signal` is aborted, or for a fault of the program. */
export async function runConversation(
  script: ScriptedConversation,
  options: ConversationOptions,
): Promise<ConversationResult> {
  const { evals, clock, signal } = options;
  const began = clock.monotonic();
  const turns: TurnRecord[] = [];
  const checks: CheckResult[] = [];
  let failure: string | undefined;
  const judgeAll = async (
    planned: readonly PlannedEval[],
    subject: Subject,
    turn: number | undefined,
  ): Promise<void> => {
    for (const one of planned) checks.push(await judgeOne(one, subject, turn, script, options));
  };
  for (const [index, { user, expect }] of script.turns.entries()) {
    signal.throwIfAborted();
    try {
      turns.push(await options.turn(user));
    } catch (error) {
      signal.throwIfAborted();
      failure = `turn ${index + 1}: ${error instanceof Error ? error.message : String(error)}`;
      break;
    }
    const subject = { turns: turns.slice(-1), soFar: [...turns] };
    const expected = planExpectations(expect, "").evals;
    const ofTurns = evals.filter(({ scope }) => scope === "turn");
    await judgeAll([...expected, ...ofTurns], subject, index + 1);
  }
  if (failure === undefined) {
    const ofConversation = evals.filter(({ scope }) => scope === "conversation");
    await judgeAll(ofConversation, { turns, soFar: turns }, undefined);
  }
  await options.onEnd?.(turns, failure);
  const durationMs = Math.round(clock.monotonic() - began);
  return { id: script.id, failure, turns: turns.length, durationMs, checks };
}

async function judgeOne(
  planned: PlannedEval,
  subject: Subject,
  turn: number | undefined,
  { id: conversation, variables }: ScriptedConversation,
  { ask, signal }: ConversationOptions,
): Promise<CheckResult> {
  const { id, type, samplePercentage, message, isEnough, threshold } = planned;
  const about = { eval: id, type, turn };
  const skipped = (why: string): CheckResult => ({
    ...about,
    outcome: "skipped",
    score: undefined,
    message: why,
  });
  const name = turn === undefined ? conversation : `${conversation}/${turn}`;
  if (samplePercentage !== undefined && !isInSample(name, samplePercentage)) {
    return skipped("it is not in the sample");
  }
  const { turns, soFar } = subject;
  if (!planned.condition({ turns, turnCount: soFar.length, variables })) {
    return skipped("its condition does not hold");
  }
  const found = await planned.judge(subject, { ask, signal });
  const passed = hasPassed(found, isEnough);
  const scored =
    found.score === undefined || threshold === ""
      ? ""
      : ` (score ${found.score}, wanted ${threshold})`;
  const why = `${found.why}${passed ? "" : scored}`;
  return {
    ...about,
    outcome: passed ? "passed" : "failed",
    score: found.score,
    message: passed || message === undefined ? why : `${message}: ${why}`,
  };
}
