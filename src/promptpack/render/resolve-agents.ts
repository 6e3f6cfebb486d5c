/** The agents of a pack: which of its prompts may ask which others, as tools. */
import type { PromptPackDocument } from "../document/prompt-pack-document.ts";
import { memberToolName } from "../document/pack-tool-names.ts";

export interface ResolvedAgents {
  /** Member → what it is for. */
  members: Readonly<Record<string, string>>;
  /** Prompt → the members that it may ask. */
  asks: Readonly<Record<string, readonly string[]>>;
}

/** Undefined where the pack has no agents, or none of `reachable` is their entry. */
export function resolveAgents(
  { agents, prompts }: PromptPackDocument,
  reachable: ReadonlySet<string>,
): ResolvedAgents | undefined {
  if (agents === undefined || !reachable.has(agents.entry)) return undefined;
  const names = Object.keys(agents.members).filter((name) => name !== agents.entry);
  const members: Record<string, string> = {};
  const asks: Record<string, readonly string[]> = {};
  for (const name of names) {
    const prompt = prompts[name];
    members[name] =
      agents.members[name]?.description ?? prompt?.description ?? prompt?.name ?? name;
    const named = membersIn(prompt?.tools, names).filter((other) => other !== name);
    if (named.length > 0) asks[name] = named;
  }
  const named = membersIn(prompts[agents.entry]?.tools, names);
  asks[agents.entry] = named.length > 0 ? named : names;
  return { members, asks };
}

/** The tools of a prompt that are no members. */
export function withoutMembers(tools: readonly string[], { members }: ResolvedAgents): string[] {
  return tools.filter((tool) => membersIn([tool], Object.keys(members)).length === 0);
}

/** A prompt names a member by its key, or by the name of its tool. */
function membersIn(tools: readonly string[] = [], names: readonly string[]): string[] {
  return names.filter((name) => tools.includes(name) || tools.includes(memberToolName(name)));
}
