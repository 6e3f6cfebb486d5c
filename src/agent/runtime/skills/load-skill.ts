/** The tool with which the model asks for the instructions of a skill of its pack, and the skills that it is told in any case. */
import type { SkillConfig } from "../../../agent-config/agent-config.ts";
import { LOAD_SKILL } from "../../../promptpack/document/pack-tool-names.ts";
import type { ToolOutcome } from "../../../tool-servers/server/tool-outcome.ts";
import { MAX_LISTED_SKILL_CHARACTERS } from "../../contracts/limits.ts";
import type { OfferedTool } from "../tools/offered-tool.ts";

/** A call answers at once. */
const TIMEOUT_MS = 1_000;

/** By list, which lives as long as the agent config that it is a part of, so that the tool has the same schema in every turn. */
const made = new WeakMap<readonly SkillConfig[], OfferedTool>();

/** Undefined when there is no skill to load. */
export function loadSkillTool(skills: readonly SkillConfig[]): OfferedTool | undefined {
  const loadable = skills.filter(({ preload }) => preload !== true);
  if (!skills.some(isOffered)) return undefined;
  const tool = made.get(skills) ?? toTool(skills, loadable);
  made.set(skills, tool);
  return tool;
}

/** The system prompt with the skills that are a part of it. */
export function withPreloaded(system: string, skills: readonly SkillConfig[]): string {
  const preloaded = skills.filter(({ preload }) => preload === true);
  return [system, ...preloaded.map((skill) => `# ${skill.name}\n\n${told(skill)}`)].join("\n\n");
}

/** The files of a skill are loaded on demand in any case. */
function isOffered({ preload, files }: SkillConfig): boolean {
  return preload !== true || files !== undefined;
}

function toTool(skills: readonly SkillConfig[], loadable: readonly SkillConfig[]): OfferedTool {
  const listed = loadable.map(({ name, description }) => `- ${name}: ${shortened(description)}`);
  return {
    name: LOAD_SKILL,
    calledName: LOAD_SKILL,
    description: `Gives the instructions of a skill. Load a skill before you do what it is for. The skills are:\n${listed.join("\n")}`,
    inputSchema: {
      type: "object",
      properties: {
        name: {
          type: "string",
          enum: skills.filter(isOffered).map(({ name }) => name),
          description: "The name of the skill.",
        },
        ...(skills.some(({ files }) => files !== undefined) && {
          file: {
            type: "string",
            description: "One of the files of the skill, in place of its instructions.",
          },
        }),
      },
      required: ["name"],
    },
    timeoutMs: TIMEOUT_MS,
    isJudgedByServer: false,
    server: {
      list: () => Promise.resolve([]),
      call: (_name, { name, file }) => Promise.resolve(load(skills, name, file)),
    },
  };
}

function load(skills: readonly SkillConfig[], name: unknown, file: unknown): ToolOutcome {
  const skill = skills.find((each) => each.name === name);
  if (skill === undefined) return { error: `there is no skill ${JSON.stringify(name)}` };
  if (typeof file !== "string" || file === "") return { result: told(skill) };
  const { files = {} } = skill;
  const key = file.replace(/^(\.\/)+/, "").replaceAll("/", ".");
  const text = Object.hasOwn(files, key) ? files[key] : undefined;
  if (text !== undefined) return { result: text };
  const names = Object.keys(files).join(", ") || "none";
  return { error: `the skill has no file ${JSON.stringify(file)}; its files are: ${names}` };
}

function told({ name, instructions, files = {} }: SkillConfig): string {
  const names = Object.keys(files);
  if (names.length === 0) return instructions;
  return `${instructions}\n\nFiles of this skill, which ${LOAD_SKILL} gives with the name "${name}" and \`file\`: ${names.join(", ")}`;
}

function shortened(description: string): string {
  const line = description.replaceAll(/\s+/g, " ").trim();
  if (line.length <= MAX_LISTED_SKILL_CHARACTERS) return line;
  return `${line.slice(0, MAX_LISTED_SKILL_CHARACTERS).toWellFormed()}…`;
}
