/** Which version of the prompt pack a session has, and so which prompt. */
import { hash } from "node:crypto";
import type { AgentConfig, PromptConfig } from "../../agent-config/agent-config.ts";
import type { PromptVersions } from "../sessions/session-store.ts";

type Prompts = NonNullable<AgentConfig["prompt"]>;

/**
 * Gives the version that a new session gets, and those that sessions keep. Of new sessions `weight` percent get the canary. Where the
 * config has `earlier`, a session keeps its version to its end; otherwise all go on with the active one.
 */
export function promptVersions(
  { handler, prompt }: Pick<AgentConfig, "handler" | "prompt">,
  sessionId: string,
): PromptVersions | undefined {
  if (handler !== "runtime" || prompt === undefined) return undefined;
  const fresh = promptForNew(prompt, sessionId).version;
  return { fresh, kept: prompt.earlier === undefined ? [] : all(prompt).map(versionOf) };
}

/** The prompt of the session's version. A config that does not have that version any more gives the one of a new session. */
export function promptOfSession(
  prompts: Prompts,
  { sessionId, promptVersion }: { sessionId: string; promptVersion: string | undefined },
): PromptConfig {
  const own = all(prompts).find(({ version }) => version === promptVersion);
  return own ?? promptForNew(prompts, sessionId);
}

/** The version of the pack that a turn of the session runs with. Undefined of an agent that does without a pack. */
export function packVersionOf(
  { handler, prompt }: Pick<AgentConfig, "handler" | "prompt">,
  session: { sessionId: string; promptVersion: string | undefined },
): string | undefined {
  if (handler !== "runtime" || prompt === undefined) return undefined;
  return promptOfSession(prompt, session).version;
}

/** The versions that sessions may have. */
export function packVersionsOf({ prompt }: Pick<AgentConfig, "prompt">): readonly string[] {
  return prompt === undefined ? [] : all(prompt).map(versionOf);
}

function promptForNew({ active, canary }: Prompts, sessionId: string): PromptConfig {
  return canary !== undefined && percentileOf(sessionId) < canary.weight ? canary.prompt : active;
}

function all({ active, canary, earlier = [] }: Prompts): PromptConfig[] {
  return [active, ...(canary === undefined ? [] : [canary.prompt]), ...earlier];
}

function versionOf({ version }: PromptConfig): string {
  return version;
}

/** Between 0 and 99. Every replica gets the same for a session. */
function percentileOf(sessionId: string): number {
  return hash("sha256", sessionId, "buffer").readUInt32BE() % 100;
}
