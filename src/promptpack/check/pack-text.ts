/**
 * The text of a pack together with the files of its skills, as one text: that is what is kept of a version. The files come after a
 * character that neither JSON nor YAML may have, so that a text without files is the text itself.
 */
import { isObject } from "../schema/schema-node.ts";

const SEPARATOR = "\u001E";
const SKILL_FILE = "SKILL.md";

/** Key of a ConfigMap to text. */
export type PackFiles = Readonly<Record<string, string>>;

/** `data`: the whole ConfigMap. Its keys have "." where the path of a file has "/": `skills.billing.SKILL.md`. */
export function withSkillFiles(key: string, text: string, data: PackFiles): string {
  // A version that was put back from where it was kept has the files that it had.
  if (splitPackText(text).text !== text) return text;
  const folders = Object.keys(data).flatMap((each) =>
    each !== key && each.endsWith(`.${SKILL_FILE}`) ? each.slice(0, -SKILL_FILE.length) : [],
  );
  const files = Object.entries(data).filter(
    ([each]) => each !== key && folders.some((folder) => each.startsWith(folder)),
  );
  if (files.length === 0) return text;
  const sorted = files.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `${text}${SEPARATOR}${JSON.stringify(Object.fromEntries(sorted))}`;
}

export function splitPackText(whole: string): { text: string; files: PackFiles } {
  const at = whole.lastIndexOf(SEPARATOR);
  if (at < 0) return { text: whole, files: {} };
  const files = readFiles(whole.slice(at + 1));
  return files === undefined ? { text: whole, files: {} } : { text: whole.slice(0, at), files };
}

function readFiles(text: string): PackFiles | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const isFiles = Object.values(value).every((each) => typeof each === "string");
  return isFiles ? (value as PackFiles) : undefined;
}
