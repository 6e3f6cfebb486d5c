/** What an agent may be called, and a name for it from other words. */
import { serviceName } from "../../api/fields/names.ts";

export const DEFAULT_AGENT_NAME = "assistant";
const MAX_LENGTH = 63;
const NAME = serviceName();

/** Returns what is wrong with the name; `undefined` when nothing is. */
export function agentNameProblem(name: string): string | undefined {
  if (NAME.safeParse(name).success) return undefined;
  const suggestion = suggestAgentName(name);
  return `"${name}" cannot be the name of an agent: it has to begin with a letter, to be of a-z, 0-9 and "-", to end with a letter or digit, and to have at most ${MAX_LENGTH} characters. "${suggestion}" would do.`;
}

/** A valid name that is as close to the text as it gets. */
export function suggestAgentName(text: string): string {
  const words = text
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-");
  const name = words
    .replace(/^[^a-z]+/, (start) => (/\d/.test(start) ? `agent-${start.replace(/^-/, "")}` : ""))
    .slice(0, MAX_LENGTH)
    .replace(/-+$/, "");
  return name === "" ? DEFAULT_AGENT_NAME : name;
}
