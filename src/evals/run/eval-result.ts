/** What came of evals. */
import type { EvalNotRun } from "./plan-evals.ts";

export interface CheckResult {
  /** The id of the eval. */
  readonly eval: string;
  readonly type: string;
  /** Counted from 1. `undefined`: the whole conversation. */
  readonly turn: number | undefined;
  /** `skipped`: its condition does not hold, or it is not in the sample. */
  readonly outcome: "passed" | "failed" | "skipped";
  readonly score: number | undefined;
  /** For people. */
  readonly message: string;
}

export interface ConversationResult {
  readonly id: string;
  /** Why it went no further, as a sentence for people. Then the whole run has failed. */
  readonly failure: string | undefined;
  /** How many turns were answered. */
  readonly turns: number;
  readonly durationMs: number;
  readonly checks: readonly CheckResult[];
}

export interface EvalRun {
  readonly conversations: readonly ConversationResult[];
  readonly notRun: readonly EvalNotRun[];
}

export interface EvalSummary {
  readonly conversations: number;
  /** Conversations that did not come to their end. */
  readonly broken: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly notRun: number;
  /** Whether all that was asked for was judged, and has passed. */
  readonly ok: boolean;
}

/** `allowsUnknown`: evals that nothing here can run do not count. Evals with a mistake always do. */
export function summaryOf(
  { conversations, notRun }: EvalRun,
  { allowsUnknown }: { readonly allowsUnknown: boolean },
): EvalSummary {
  const checks = conversations.flatMap((conversation) => conversation.checks);
  const count = (outcome: CheckResult["outcome"]): number =>
    checks.filter((check) => check.outcome === outcome).length;
  const broken = conversations.filter(({ failure }) => failure !== undefined).length;
  const failed = count("failed");
  const missing = notRun.filter(({ isUnknown }) => !(isUnknown && allowsUnknown)).length;
  return {
    conversations: conversations.length,
    broken,
    passed: count("passed"),
    failed,
    skipped: count("skipped"),
    notRun: notRun.length,
    ok: broken + failed + missing === 0 && conversations.length > 0,
  };
}
