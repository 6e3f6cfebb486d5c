/** The names under which the tools of all servers are offered to a model, which knows of no servers. */
import { createHash } from "node:crypto";

export interface NamedTool {
  /** The server's own name of the tool. */
  readonly name: string;
  /** The name of the server's entry in the ToolRegistry. */
  readonly registryName: string;
  /** Whether the registry has named the tool itself: it is offered under this name and no other. */
  readonly isFixed: boolean;
}

/** Every provider accepts such a name, if it begins with a letter or `_`, as Google wants it. */
const MAX_NAME_CHARACTERS = 64;
const HASH_CHARACTERS = 8;

/**
 * A tool has its own name. Where another server has a tool of the same name, the name of the entry stands before it. The names depend
 * on nothing but the tools, in whatever order they come: a conversation that goes on with another replica meets the same ones.
 */
export function offeredNames(tools: readonly NamedTool[]): string[] {
  const own = tools.map(({ name }) => plainName(name));
  const isTaken = clashes(own);
  const prefixed = tools.map(({ name, registryName, isFixed }, index) =>
    !isFixed && isTaken(own[index]) ? plainName(`${registryName}_${name}`) : (own[index] ?? name),
  );
  const isStillTaken = clashes(prefixed);
  return tools.map(({ name, registryName, isFixed }, index) => {
    const chosen = prefixed[index] ?? name;
    return isFixed || !isStillTaken(chosen) ? chosen : withHash(chosen, [registryName, name]);
  });
}

/** Which names more than one tool has, as models write them: "_" may stand for "-". */
function clashes(names: readonly string[]): (name: string | undefined) => boolean {
  const counts = new Map<string, number>();
  for (const name of names.map(underscored)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return (name = "") => (counts.get(underscored(name)) ?? 0) > 1;
}

/** The end of a name tells more than its beginning, which the tools of a server often have in common. */
function plainName(name: string): string {
  const plain = name.replaceAll(/[^a-zA-Z0-9_-]/g, "_").replace(/^(?=[0-9-])/, "_");
  return plain.length <= MAX_NAME_CHARACTERS ? plain : withHash(plain, [name]);
}

function withHash(plain: string, parts: readonly string[]): string {
  const digest = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  const longest = MAX_NAME_CHARACTERS - HASH_CHARACTERS - 1;
  const end = plain.length <= longest ? plain : plain.slice(-longest).replace(/^[0-9-]/, "_");
  return `${end}_${digest.slice(0, HASH_CHARACTERS)}`;
}

function underscored(name: string): string {
  return name.replaceAll("-", "_");
}
