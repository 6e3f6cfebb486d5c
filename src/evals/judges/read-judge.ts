/** The types of evals that are run, under all their names. */
import type { JudgeReader, Params, ReadJudge } from "./judge.ts";
import { MEASURE_JUDGES } from "./measure-judges.ts";
import { MODEL_JUDGES } from "./model-judge.ts";
import { byValidator, TEXT_JUDGES, VALIDATOR_TYPES } from "./text-judges.ts";
import { TOOL_JUDGES } from "./tool-judges.ts";

const READERS = new Map<string, JudgeReader>([
  ...Object.entries(TEXT_JUDGES),
  ...VALIDATOR_TYPES.map((type) => [type, byValidator(type)] as const),
  ...Object.entries(TOOL_JUDGES),
  ...Object.entries(MEASURE_JUDGES),
  ...Object.entries(MODEL_JUDGES),
]);

/** Other names in use, by packs and by PromptKit. */
const OTHER_NAMES = new Map([
  ["content_includes", "contains"],
  ["content_includes_any", "contains_any"],
  ["content_not_includes", "content_excludes"],
  ["content_matches", "regex"],
  ["regex_match", "regex"],
  ["is_valid_json", "json_valid"],
  ["valid_json", "json_valid"],
  ["tool_called", "tools_called"],
  ["tool_not_called", "tools_not_called"],
  ["llm_judge_conversation", "llm_judge_session"],
]);

/** Those that a model answers, which costs tokens and time. */
export const MODEL_TYPES: ReadonlySet<string> = new Set([
  ...Object.keys(MODEL_JUDGES),
  "llm_judge_conversation",
]);

export const EVAL_TYPES: readonly string[] = [...READERS.keys()].toSorted();

/** `isUnknown`: no eval of this type can be run here, whatever its params are. */
export type ReadEvalType = ReadJudge & { readonly isUnknown?: boolean };

export function readJudge(type: string, params: Params): ReadEvalType {
  const reader = READERS.get(OTHER_NAMES.get(type) ?? type);
  if (reader === undefined) {
    const problem = `the type "${type}" is not known here; known are ${EVAL_TYPES.join(", ")}`;
    return { ok: false, isUnknown: true, problem };
  }
  return reader(params);
}
