import type { PromptPackStatus } from "../../api/prompt-pack.ts";

/**
 * The hash of the version that was active before `active`, which a rollback goes back to. `last` is the status that was written last.
 * The order in which versions were kept does not tell it: a version that was gone back to was kept long before.
 */
export function previousVersion(
  last: Pick<PromptPackStatus, "activeVersion" | "previousVersion"> | undefined,
  active: string | undefined,
): string | undefined {
  const before = last?.activeVersion;
  const isReplaced = before !== undefined && active !== undefined && before !== active;
  const previous = isReplaced ? before : last?.previousVersion;
  return previous === active ? undefined : previous;
}
