/** The prompt of a state, with what belongs to the whole pack. */
import type { PromptConfig, SkillConfig } from "../../../agent-config/agent-config.ts";

export function promptOfState(version: PromptConfig, state: string): PromptConfig {
  const { prompt, skills: folder } = version.workflow?.states[state] ?? {};
  const ofState = promptOfPack(version, prompt ?? version.prompt);
  const { skills = [] } = version;
  return folder === undefined || skills.length === 0
    ? ofState
    : { ...ofState, skills: skillsIn(skills, folder) };
}

/** One of the prompts of the version, in place of the one that a session begins with. */
export function promptOfPack(version: PromptConfig, key: string): PromptConfig {
  const step = version.others?.[key];
  if (step === undefined) return version;
  const { bindings: _b, validators: _v, blockedPackTools: _t, ...ofPack } = version;
  return { ...ofPack, ...step, tools: step.tools ?? version.tools };
}

function skillsIn(skills: readonly SkillConfig[], folder: string): SkillConfig[] {
  return skills.filter(({ path }) => path === folder || path?.startsWith(`${folder}.`) === true);
}
