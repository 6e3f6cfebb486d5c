import { observed, packReference, theReferences, theVersion } from "../builders/a-decision.ts";
import { ECHO, type DecisionCase } from "./decision-case.ts";

export const PROMPT_PACK_CASES: readonly DecisionCase[] = [
  {
    says: "a pack that gives the prompt",
    type: "PromptPackReady",
    reason: "Resolved",
    observed: observed(1, 1),
    phase: "Running",
    message: 'PromptPack "prompts" gives prompt "support" of version 1.0.0',
  },
  {
    says: "a handler that runs no prompt",
    type: "PromptPackReady",
    reason: "NotReferenced",
    spec: ECHO,
    references: {},
    observed: observed(1, 1),
    phase: "Running",
    message: 'Handler "echo" runs no prompt',
  },
  {
    says: "a pack that is not there",
    type: "PromptPackReady",
    reason: "NotFound",
    spec: { promptPackRef: { name: "prompts", namespace: "shared" } },
    references: theReferences({ promptPack: { found: false } }),
    phase: "Pending",
    message: 'PromptPack "prompts" in namespace "shared" is not there',
  },
  {
    says: "a pack that never was valid",
    type: "PromptPackReady",
    reason: "Invalid",
    references: theReferences({ promptPack: packReference({ source: "{" }) }),
    phase: "Pending",
    message: 'PromptPack "prompts" has no valid version. ConfigMap "prompts-content"',
  },
  {
    says: "a pack whose last edit is broken",
    type: "PromptPackReady",
    reason: "Invalid",
    references: theReferences({ promptPack: packReference({ source: "{", kept: [theVersion()] }) }),
    observed: observed(1, 1),
    phase: "Running",
    message: "Version 1.0.0 goes on serving",
  },
  {
    says: "a prompt that the pack does not have",
    type: "PromptPackReady",
    reason: "PromptNotFound",
    spec: { promptPackRef: { name: "prompts", prompt: "sales" } },
    phase: "Pending",
    message:
      'PromptPack "prompts": the pack "customer-service" has no prompt "sales"; it has "support"',
  },
  {
    says: "a canary without the prompt",
    type: "PromptPackReady",
    reason: "PromptNotFound",
    references: theReferences({
      promptPack: packReference({
        kept: [theVersion()],
        canary: theVersion({ version: "2.0.0", prompts: { a: { id: "a" }, b: { id: "b" } } }),
      }),
    }),
    observed: observed(1, 1),
    phase: "Running",
    message: 'The canary version of PromptPack "prompts" cannot be used, and gets no sessions',
  },
  {
    says: "variables without a value",
    type: "PromptPackReady",
    reason: "VariablesMissing",
    references: theReferences({
      promptPack: packReference({
        kept: [theVersion({ prompts: { support: { system_template: "{{a}} {{b}}" } } })],
      }),
    }),
    phase: "Pending",
    message: '"a" is missing; "b" is missing',
  },
];
