/** What an event says of tools that their server describes in another way than before. */
import type { ToolRegistryDecision } from "../tool-registry/decide-tool-registry.ts";

/** The reason of the event. Other programs act on it. */
export const TOOL_CHANGED = "ToolChanged";

const MAX_CHANGED_TOOLS = 10;

/** They name the tools, and repeat nothing of what the server says: that may be what is to mislead. */
export function changedToolNotes(changed: ToolRegistryDecision["changed"]): string[] {
  const notes = changed
    .slice(0, MAX_CHANGED_TOOLS)
    .map(
      ({ server, tool }) =>
        `Tool "${tool}" of the server of "${server}" has another description or other arguments than when it was read before. ` +
        "See what its server says of it now; leave it out of allow if it is not to be trusted",
    );
  const more = changed.length - notes.length;
  return more > 0 ? [...notes, `Other tools have changed too: ${more} of them`] : notes;
}
