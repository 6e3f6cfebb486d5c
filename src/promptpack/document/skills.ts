/** Instructions that a pack brings along: as a folder, or written out. */
import { z } from "zod";

export const skillSchema = z.union(
  [
    z.string(),
    z.strictObject({ path: z.string(), preload: z.boolean().optional() }),
    z.strictObject({
      name: z.string().min(1),
      description: z.string().min(1),
      instructions: z.string().min(1),
    }),
  ],
  { error: "must be a path, {path, preload} or {name, description, instructions}" },
);

/** A skill whose instructions are known. */
export interface PackSkill {
  readonly name: string;
  readonly description: string;
  readonly instructions: string;
  /** Where the pack says that it is, such as `skills/billing`. A skill that is written out has no path. */
  readonly path?: string | undefined;
  /** Its instructions are a part of every prompt, and not loaded on demand. */
  readonly preload?: boolean | undefined;
  /** Its other files: name to text. A name has "." in place of "/". */
  readonly files?: Readonly<Record<string, string>> | undefined;
}

/** An entry of the list. One that is still a path could not be read. */
export type SkillEntry = string | { path: string; preload?: boolean | undefined } | PackSkill;

/** A path as keys of a ConfigMap have it: "." in place of "/". */
export function keyOfPath(path: string): string {
  return path
    .replace(/^(\.\/)+/, "")
    .replace(/(^|\/)SKILL\.md$/, "")
    .replace(/\/+$/, "")
    .replaceAll("/", ".");
}

export function isReadSkill(entry: SkillEntry): entry is PackSkill {
  return typeof entry === "object" && "instructions" in entry;
}
