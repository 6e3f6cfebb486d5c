/** The names of the tools that an agent offers because of its pack, beside those of a registry. */
import { createHash } from "node:crypto";

/** Gives the instructions of a skill. */
export const LOAD_SKILL = "load_skill";

/** Moves a session to another state of its workflow. Other runtimes of packs have this name for it too. */
export const TRANSITION = "workflow__transition";

const MEMBER_PREFIX = "ask_";
const MAX_NAME_CHARACTERS = 64;
const HASH_CHARACTERS = 8;

/** Asks a member of the pack. The name holds only what every provider takes. */
export function memberToolName(member: string): string {
  const plain = MEMBER_PREFIX + member.replaceAll(/[^a-zA-Z0-9_-]/g, "_");
  if (plain === MEMBER_PREFIX + member && plain.length <= MAX_NAME_CHARACTERS) return plain;
  const digest = createHash("sha256").update(member).digest("hex").slice(0, HASH_CHARACTERS);
  return `${plain.slice(0, MAX_NAME_CHARACTERS - HASH_CHARACTERS - 1)}_${digest}`;
}

const PACK_TOOLS: readonly string[] = [LOAD_SKILL, TRANSITION];

/** Whether a name in a list of blocked tools may be that of such a tool. */
export function isPackToolName(name: string): boolean {
  return PACK_TOOLS.includes(name) || name.startsWith(MEMBER_PREFIX);
}
