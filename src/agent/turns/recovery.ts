/** What becomes of a turn whose replica died: it goes on, or it ends with what is known of it. */
import type { EarlierRun, Handler } from "../contracts/handler.ts";
import { MAX_TURN_TAKEOVERS } from "../contracts/limits.ts";
import { OUTCOME_NOT_KNOWN } from "../sessions/unended-record.ts";
import { type CallInDoubt, type JournalReading } from "./read-journal.ts";
import { INTERRUPTED } from "./turn-ending.ts";
import { TurnError } from "../contracts/turn-error.ts";

export type Recovery = "goes-on" | "call-in-doubt" | "cancelled" | "given-up";

export function decideRecovery(
  { inDoubt, takeovers }: JournalReading,
  { isCancelled, hasHarmlessCalls }: { isCancelled: boolean; hasHarmlessCalls: boolean },
): Recovery {
  if (isCancelled) return "cancelled";
  if (inDoubt.length > 0 && !hasHarmlessCalls) return "call-in-doubt";
  // Its replicas may have died of the turn itself.
  return takeovers > MAX_TURN_TAKEOVERS ? "given-up" : "goes-on";
}

/** A handler that ends a turn which does not go on. */
export function closingHandler(
  recovery: Exclude<Recovery, "goes-on">,
  { earlier, inDoubt }: JournalReading,
): Handler {
  switch (recovery) {
    case "cancelled":
      return { run: () => Promise.resolve(resultOf(earlier)) };
    case "given-up":
      return { run: () => Promise.reject(new TurnError(INTERRUPTED.code, INTERRUPTED.message)) };
    case "call-in-doubt":
      return {
        async run(turn) {
          for (const { id, name, isTold } of inDoubt) {
            if (isTold) continue;
            await turn.emit({ type: "tool-result", id, error: OUTCOME_NOT_KNOWN });
            turn.record({
              role: "tool",
              turnId: turn.id,
              toolCallId: id,
              toolName: name,
              error: OUTCOME_NOT_KNOWN,
            });
          }
          throw new TurnError("TOOL_ERROR", sentenceOn(inDoubt), {
            details: { tool_calls: inDoubt.map(({ id, name }) => ({ id, name })) },
          });
        },
      };
  }
}

function resultOf({ usage }: EarlierRun): Awaited<ReturnType<Handler["run"]>> {
  return { finishReason: "stop", usage };
}

function sentenceOn(calls: readonly CallInDoubt[]): string {
  const named = calls.map(({ id, name }) => `${id} of the tool ${name}`).join(" and ");
  const [subject, verb] = calls.length === 1 ? ["call", "was"] : ["calls", "were"];
  return `The replica that ran the turn ended while the ${subject} ${named} ${verb} under way. Whether there was an effect is not known; nothing is called again.`;
}
