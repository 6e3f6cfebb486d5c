/**
 * Finds the skills that a pack names by their paths among the files that came with it. A folder of a skill has a `SKILL.md`: a
 * head with `name` and `description` between lines of `---`, and the instructions. Other files of the folder belong to the skill.
 */
import { parseYAMLDocuments } from "../../api/manifest/yaml-documents.ts";
import { isObject } from "../schema/schema-node.ts";
import { isReadSkill, keyOfPath, type PackSkill, type SkillEntry } from "../document/skills.ts";
import type { PackFiles } from "./pack-text.ts";

const SKILL_FILE = "SKILL.md";

/** Puts the skills that were found in place of their paths. A path that stays leads to nothing that can be read. */
export function readSkills(entries: readonly SkillEntry[], files: PackFiles): SkillEntry[] {
  return entries.flatMap((entry): SkillEntry[] => {
    if (isReadSkill(entry)) return [entry];
    const { path, preload } = typeof entry === "string" ? { path: entry } : entry;
    const found = foldersOf(path, files).flatMap((folder) => readSkill(folder, files, preload));
    return found.length === 0 ? [entry] : found;
  });
}

/** What the entry of a path that could not be read says, for people. */
export function unreadProblem(entry: SkillEntry): string {
  const path = typeof entry === "string" ? entry : "path" in entry ? entry.path : undefined;
  const key = `${keyOfPath(path ?? "")}.${SKILL_FILE}`;
  const cure = /^[-._a-zA-Z0-9]+$/.test(key)
    ? `put a ${SKILL_FILE} with a name and a description in its head under the key "${key}"`
    : "an agent reads no packages; write the skill out";
  return `is not run: the ConfigMap of the pack does not hold the skill; ${cure}`;
}

/** The beginnings of keys that stand for a folder of a skill: the path itself, or those in it. */
function foldersOf(path: string, files: PackFiles): string[] {
  const prefix = `${keyOfPath(path)}.`;
  return Object.keys(files)
    .filter((key) => key.startsWith(prefix) && key.endsWith(`.${SKILL_FILE}`))
    .map((key) => key.slice(0, -SKILL_FILE.length));
}

function readSkill(folder: string, files: PackFiles, preload: boolean | undefined): PackSkill[] {
  const [, head, body = ""] = HEAD.exec(files[`${folder}${SKILL_FILE}`] ?? "") ?? [];
  const value = head === undefined ? undefined : parseYAMLDocuments(head, 1)?.[0]?.value;
  if (!isObject(value)) return [];
  const { name, description } = value;
  const instructions = body.trim();
  if (typeof name !== "string" || typeof description !== "string") return [];
  if (name === "" || description === "" || instructions === "") return [];
  const others = Object.entries(files).filter(
    ([key]) => key.startsWith(folder) && key !== `${folder}${SKILL_FILE}`,
  );
  return [
    {
      name,
      description,
      instructions,
      path: folder.slice(0, -1),
      ...(preload === true && { preload }),
      ...(others.length > 0 && {
        files: Object.fromEntries(others.map(([key, text]) => [key.slice(folder.length), text])),
      }),
    },
  ];
}

const HEAD = /^\uFEFF?---[^\S\n]*\r?\n(.*?)\r?\n---[^\S\n]*(?:\r?\n(.*))?$/s;
