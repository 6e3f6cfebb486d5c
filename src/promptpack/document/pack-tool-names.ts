/** The names of the tools that an agent offers because of its pack, beside those of a registry. */

/** Gives the instructions of a skill. */
export const LOAD_SKILL = "load_skill";

const PACK_TOOL = /^load_skill$/;

/** Whether a name in a list of blocked tools may be that of such a tool. */
export function isPackToolName(name: string): boolean {
  return PACK_TOOL.test(name);
}
