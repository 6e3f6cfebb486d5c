/** What the skills of a pack change about a prompt: its text, and the tools that it offers. */
import type { PromptConfig } from "../../../agent-config/agent-config.ts";
import type { OfferedTool } from "../tools/offered-tool.ts";
import { loadSkillTool, withPreloaded } from "./load-skill.ts";

/** The prompt with the skills that are a part of it. */
export function withSkills(prompt: PromptConfig): PromptConfig {
  const { skills = [] } = prompt;
  if (!skills.some(({ preload }) => preload === true)) return prompt;
  return { ...prompt, system: withPreloaded(prompt.system, skills) };
}

/** The tool that loads skills, where the prompt may call it. */
export function skillTools({
  skills = [],
  toolChoice,
  blockedPackTools = [],
}: Pick<PromptConfig, "skills" | "toolChoice" | "blockedPackTools">): OfferedTool[] {
  if (toolChoice === "none") return [];
  const tool = loadSkillTool(skills);
  return tool === undefined || blockedPackTools.includes(tool.name) ? [] : [tool];
}
