import { hash } from "node:crypto";
import type { AgentConfig, PromptConfig } from "../../agent-config/agent-config.ts";

/**
 * The prompt of a session: the canary's for `weight` percent of the sessions. A session keeps its prompt as long as the weight
 * stays, and changes to the canary's at most once while the weight grows. A turn that goes on after a takeover keeps the
 * version that it was begun with, as long as the config has it.
 */
export function promptForSession(
  prompts: NonNullable<AgentConfig["prompt"]>,
  sessionId: string,
  begunWith?: string,
): PromptConfig {
  const { active, canary } = prompts;
  if (begunWith !== undefined && active.version === begunWith) return active;
  if (begunWith !== undefined && canary?.prompt.version === begunWith) return canary.prompt;
  return canary !== undefined && percentileOf(sessionId) < canary.weight ? canary.prompt : active;
}

/** Between 0 and 99. Every replica gets the same for a session. */
function percentileOf(sessionId: string): number {
  return hash("sha256", sessionId, "buffer").readUInt32BE() % 100;
}
