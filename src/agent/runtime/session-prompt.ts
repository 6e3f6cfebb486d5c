import { hash } from "node:crypto";
import type { AgentConfig, PromptConfig } from "../../agent-config/agent-config.ts";

/**
 * The prompt of a session: the canary's for `weight` percent of them. A session keeps its side as long as the weight
 * stays, and goes over once at most while it grows. A turn that goes on keeps the version that it was begun with, as long
 * as the config has it.
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

/** Between 0 and 99, the same for a session in every replica. */
function percentileOf(sessionId: string): number {
  return hash("sha256", sessionId, "buffer").readUInt32BE() % 100;
}
