import { AVAILABLE_CASES } from "./available-cases.ts";
import { PROMPT_PACK_CASES } from "./prompt-pack-cases.ts";
import { TOOL_REGISTRY_CASES } from "./tool-registry-cases.ts";
import { PROVIDER_CASES } from "./provider-cases.ts";
import { SESSION_STORE_CASES } from "./session-store-cases.ts";
import { PROGRESSING_CASES } from "./progressing-cases.ts";
import { AUTOSCALING_CASES } from "./autoscaling-cases.ts";
import type { DecisionCase } from "./decision-case.ts";

/** At least one for each reason of each condition. */
export const DECISION_CASES: readonly DecisionCase[] = [
  ...AVAILABLE_CASES,
  ...PROMPT_PACK_CASES,
  ...TOOL_REGISTRY_CASES,
  ...PROVIDER_CASES,
  ...SESSION_STORE_CASES,
  ...PROGRESSING_CASES,
  ...AUTOSCALING_CASES,
];
