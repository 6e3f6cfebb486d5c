/**
 * The name of the offered tool that a model's server means. Some servers leave in a name what the model wrote around it: marks of its
 * language (`weather<|channel|>commentary`), or quotes.
 */

/** Answers `name` itself when no tool is meant: a name that the model made up is for the model to mend. */
export function offeredName(name: string, offered: ReadonlySet<string>): string {
  if (offered.has(name)) return name;
  const bare = name.replace(MARK, "").replaceAll(AROUND, "");
  return offered.has(bare) ? bare : name;
}

/** From the first mark on, nothing belongs to the name. */
const MARK = /<[|｜/][^]*$/;
const AROUND = /^[\s"'`]+|[\s"'`]+$/g;
