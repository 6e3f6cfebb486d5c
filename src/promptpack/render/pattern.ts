/** The patterns of packs. The author of a pack must not be able to block a control plane with a pattern that takes for ever. */
import { createContext, Script } from "node:vm";

/** A pattern that needs longer counts as not matching. */
export const PATTERN_TIMEOUT_MS = 100;

const TEST = new Script("new RegExp(source, flags).test(value)");

/** Why the text is not a valid pattern. */
export function patternProblem(pattern: string): string | undefined {
  try {
    const { source, flags } = readPattern(pattern);
    RegExp(source, flags);
    return undefined;
  } catch (error) {
    const [, reason = "not understood"] = /: ([^:]*)$/.exec((error as Error).message) ?? [];
    return `is no regular expression: ${reason.toLowerCase()}`;
  }
}

export function matchesPattern(pattern: string, value: string): boolean {
  try {
    // Only a timeout of `node:vm` can stop a regular expression.
    const context = createContext({ ...readPattern(pattern), value });
    return TEST.runInContext(context, { timeout: PATTERN_TIMEOUT_MS }) === true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return false;
    throw error;
  }
}

/** Packs that were written for Go begin with flags: `(?i)yes|no`. */
function readPattern(pattern: string): { source: string; flags: string } {
  const [written = "", flags = ""] = /^\(\?([ims]+)\)/.exec(pattern) ?? [];
  return { source: pattern.slice(written.length), flags: [...new Set(flags)].join("") };
}
