/** The names of the tools that an agent offers because of its pack, beside those of a registry. */

/** Gives the instructions of a skill. */
export const LOAD_SKILL = "load_skill";

/** Moves a session to another state of its workflow. Other runtimes of packs have this name for it too. */
export const TRANSITION = "workflow__transition";

const PACK_TOOLS: readonly string[] = [LOAD_SKILL, TRANSITION];

/** Whether a name in a list of blocked tools may be that of such a tool. */
export function isPackToolName(name: string): boolean {
  return PACK_TOOLS.includes(name);
}
