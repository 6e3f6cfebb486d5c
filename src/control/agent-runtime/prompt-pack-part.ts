import type { RuntimeSpec } from "../../api/agent-runtime.ts";
import type { AgentConfig, PromptConfig, StepConfig } from "../../agent-config/agent-config.ts";
import type { PromptResolution, ResolvedPrompt } from "../../promptpack/render/resolve-prompt.ts";
import type { ResolvedStep } from "../../promptpack/render/resolve-step.ts";
import { isPackToolName } from "../../promptpack/document/pack-tool-names.ts";
import { liveEvals } from "../../evals/run/live-evals.ts";
import { withEvalsNotRun } from "../prompt-pack/evals-not-run.ts";
import {
  notRunRemark,
  type PartNotRun,
  partsNotRun,
} from "../../promptpack/check/parts-not-run.ts";
import type { PromptPackDocument } from "../../promptpack/document/prompt-pack-document.ts";
import type { AgentFacts, AgentPart } from "./agent-facts.ts";
import { type Finding, holds } from "../condition.ts";
import type { PackVersion } from "../prompt-pack/pack-version.ts";
import { listNames, notFound, objectName } from "../object-name.ts";
import type { PromptPackReference } from "./references.ts";
import { resolveOnce } from "./resolve-once.ts";

/** `resolved` is `undefined` where the last good prompt is kept. Its tools are kept then too. */
export interface PromptPackPartValue {
  readonly prompt: AgentConfig["prompt"];
  /** Whether sessions keep the version that they began with. */
  readonly keepsVersions?: boolean | undefined;
  readonly resolved?:
    | { readonly active: ResolvedPrompt; readonly canary: ResolvedPrompt | undefined }
    | undefined;
}

export type PromptPackPart = AgentPart<"PromptPackReady", PromptPackPartValue>;
type WantedEvals = Extract<PromptPackReference, { found: true }>["evals"];
type PromptFinding = Omit<Finding<"AgentRuntime", "PromptPackReady">, "type">;

/** Finds whether the pack gives the prompt that the agent asks for. `model` picks the pack's overrides. */
export function promptPackPart(facts: AgentFacts, model: string | undefined): PromptPackPart {
  const { agentRuntime, runtime, references, previous } = facts;
  const type = "PromptPackReady";
  if (runtime === undefined) {
    const message = `Handler "${agentRuntime.spec.facade.handler}" runs no prompt`;
    return {
      finding: { type, reason: "NotReferenced", message },
      result: { value: { prompt: undefined }, secretFiles: [] },
    };
  }
  const pack = objectName("PromptPack", runtime.promptPackRef, agentRuntime.metadata.namespace);
  const agent = agentRuntime.metadata;
  const { finding, value } = judge(pack, { runtime, agent, model }, references.promptPack);
  const kept = previous.config?.prompt;
  const usable = value ?? (kept === undefined ? undefined : { prompt: kept });
  return {
    finding: { type, ...finding },
    result: usable === undefined ? undefined : { value: usable, secretFiles: [] },
  };
}

interface Judgement {
  finding: PromptFinding;
  value?: PromptPackPartValue | undefined;
}

interface PromptUser {
  readonly runtime: RuntimeSpec;
  readonly agent: { readonly name: string; readonly namespace: string };
  readonly model: string | undefined;
}

function judge(
  pack: string,
  { runtime, agent, model = runtime.provider?.model }: PromptUser,
  reference: PromptPackReference | undefined,
): Judgement {
  if (reference === undefined || !reference.found) {
    const message = notFound(pack, "promptPackRef", reference?.hint);
    return { finding: { reason: "NotFound", message } };
  }
  const { validity, versions, evals } = reference;
  const { active, canary } = versions;
  if (active === undefined) {
    const message = `${pack} has no valid version. ${validity.message}`;
    return { finding: { reason: "Invalid", message } };
  }
  const resolve = ({ document }: PackVersion): PromptResolution =>
    resolveOnce(document, {
      prompt: runtime.promptPackRef.prompt,
      variables: runtime.promptPackRef.variables,
      model,
      agent,
    });
  const activePrompt = resolve(active);
  if (!activePrompt.ok) {
    return {
      finding: { reason: activePrompt.reason, message: `${pack}: ${activePrompt.message}` },
    };
  }
  const canaryPrompt = canary === undefined ? undefined : resolve(canary.version);
  const value: PromptPackPartValue = {
    keepsVersions: reference.strategy === "canary",
    prompt: {
      active: toPromptConfig(runtime, active, activePrompt.value, evals),
      canary:
        canary === undefined || canaryPrompt?.ok !== true
          ? undefined
          : {
              weight: canary.weight,
              prompt: toPromptConfig(runtime, canary.version, canaryPrompt.value, evals),
              ...(canary.trial !== undefined && { trial: canary.trial }),
            },
    },
    resolved: {
      active: activePrompt.value,
      canary: canaryPrompt?.ok === true ? canaryPrompt.value : undefined,
    },
  };
  if (canaryPrompt?.ok === false) {
    const { reason, message } = canaryPrompt;
    const canaryMessage = `The canary version of ${pack} cannot be used, and gets no sessions: ${message}`;
    return { finding: { reason, message: canaryMessage }, value };
  }
  if (!holds("PromptPack", validity)) {
    return { finding: { reason: "Invalid", message: `${pack}: ${validity.message}` }, value };
  }
  return {
    finding: { reason: "Resolved", message: describe(pack, active, activePrompt.value, evals) },
    value,
  };
}

function describe(
  pack: string,
  { semver, document }: PackVersion,
  prompt: ResolvedPrompt,
  evals: WantedEvals,
): string {
  const { name, unusedVariables } = prompt;
  const unused =
    unusedVariables.length === 0
      ? ""
      : `. It does not use the variables ${listNames(unusedVariables)} of promptPackRef.variables`;
  const names = new Set([name, ...Object.keys(prompt.others)]);
  const parts = withEvalsNotRun(partsOf(document), document, evals);
  const notRun: { name: string }[] = parts.filter(
    (part) => part.prompt === undefined || names.has(part.prompt),
  );
  if (document.agents !== undefined && prompt.agents === undefined) {
    notRun.unshift({ name: "agents" });
  }
  if (document.workflow !== undefined && prompt.workflow === undefined) {
    notRun.unshift({ name: "workflow" });
  }
  return `${pack} gives prompt "${name}" of version ${semver}${unused}${notRunRemark(notRun)}`;
}

/** Thousands of agents may have the same version. */
const knownParts = new WeakMap<PromptPackDocument, PartNotRun[]>();

function partsOf(document: PromptPackDocument): PartNotRun[] {
  const parts = knownParts.get(document) ?? partsNotRun(document);
  knownParts.set(document, parts);
  return parts;
}

function toPromptConfig(
  { promptPackRef }: RuntimeSpec,
  { hash, semver, document }: PackVersion,
  prompt: ResolvedPrompt,
  evals: WantedEvals,
): PromptConfig {
  const written =
    evals && liveEvals(document, { prompt: prompt.name, groups: evals.groups ?? [] }).written;
  const { skills, others, workflow, agents } = prompt;
  const otherSteps = Object.entries(others).map(
    ([key, step]) => [key, toStepConfig(step)] as const,
  );
  return {
    pack: promptPackRef.name,
    version: hash,
    semver,
    ...toStepConfig(prompt),
    ...(skills.length > 0 && {
      skills: skills.map((skill) => ({ ...skill, files: skill.files && { ...skill.files } })),
    }),
    ...(written !== undefined &&
      written.length > 0 && {
        evals: {
          ...(evals?.samplePercentage !== undefined && {
            samplePercentage: evals.samplePercentage,
          }),
          written: [...written],
        },
      }),
    ...(otherSteps.length > 0 && { others: Object.fromEntries(otherSteps) }),
    ...(workflow !== undefined && { workflow: structuredClone(workflow) }),
    ...(agents !== undefined && {
      agents: {
        members: agents.members,
        asks: Object.fromEntries(Object.entries(agents.asks).map(([key, all]) => [key, [...all]])),
      },
    }),
  };
}

function toStepConfig(step: ResolvedStep): StepConfig {
  const { name, system, bindings, validators, parameters } = step;
  const { toolChoice, maxRounds, maxToolCallsPerTurn } = step;
  const blockedPackTools = step.blocklist.filter(isPackToolName);
  return {
    prompt: name,
    system,
    ...(bindings.length > 0 && { bindings: [...bindings] }),
    ...(validators.length > 0 && { validators: [...validators] }),
    parameters,
    toolChoice,
    maxRounds,
    maxToolCallsPerTurn,
    ...(blockedPackTools.length > 0 && { blockedPackTools }),
  };
}
