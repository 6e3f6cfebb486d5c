/** Decides which evals of a pack are run on the turns of an agent, as they are had. */
import type { PromptPackDocument } from "../../promptpack/document/prompt-pack-document.ts";
import { MODEL_TYPES } from "../judges/read-judge.ts";
import {
  evalsOfPrompt,
  type EvalNotRun,
  isInGroups,
  planWrittenEvals,
  type PlannedEval,
  type WrittenEval,
} from "./plan-evals.ts";

/** Evals of one prompt that are run on the turns of an agent. */
export const MAX_LIVE_EVALS = 50;

export interface LiveEvals {
  /** As they are written, to be read where they are run. */
  readonly written: readonly WrittenEval[];
  readonly notRun: readonly EvalNotRun[];
}

/** Empty `groups`: those of all groups. */
export function liveEvals(
  pack: PromptPackDocument,
  { prompt, groups }: { readonly prompt: string; readonly groups: readonly string[] },
): LiveEvals {
  const written: WrittenEval[] = [];
  const notRun: EvalNotRun[] = [];
  for (const one of evalsOfPrompt(pack, prompt)) {
    if (one.enabled === false || !isInGroups(one, groups)) continue;
    const reason = whyNotLive(one, written.length);
    if (reason === undefined) {
      const plan = planWrittenEvals([one], { isSampled: true });
      notRun.push(...plan.notRun);
      if (plan.evals.length > 0) written.push(one);
    } else notRun.push({ id: one.id, type: one.type, reason, isUnknown: true });
  }
  return { written, notRun };
}

/** Reads evals that `liveEvals` found. */
export function readLiveEvals(written: readonly WrittenEval[]): readonly PlannedEval[] {
  return planWrittenEvals(written, { isSampled: true }).evals;
}

/** An agent sees one turn at a time, and asks no model beside the one that answers. */
function whyNotLive(
  { trigger, type, params = {}, when = {} }: WrittenEval,
  others: number,
): string | undefined {
  if (others >= MAX_LIVE_EVALS) return `an agent runs ${MAX_LIVE_EVALS} evals of a prompt at most`;
  if (trigger !== "every_turn" && trigger !== "sample_turns") {
    return `its trigger is "${trigger}", and an agent judges single turns (every_turn, sample_turns)`;
  }
  const inner = type === "assertion" ? String(params["eval_type"]) : type;
  if (MODEL_TYPES.has(inner)) return "it asks a model, which an agent does not do";
  if (inner.endsWith("_session")) return "it looks at a whole session, and an agent judges turns";
  const outside = Object.keys(when).find((name) => OF_A_CONVERSATION.has(name));
  return outside && `its condition ${outside} is about a whole session, and an agent judges turns`;
}

const OF_A_CONVERSATION = new Set(["turn_count_gte", "turn_count_lte", "has_variable"]);
