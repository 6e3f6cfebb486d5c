import type { AgentConfig } from "../../agent-config/agent-config.ts";
import { BoundedMemory } from "../bounded-memory.ts";

/** So many configs are kept. */
const MAX_CONFIGS = 32;
/** A config that was made of a longer text is not kept. */
const MAX_LENGTH = 128 * 1024;

const known = new BoundedMemory<AgentConfig>(MAX_CONFIGS);

/**
 * Makes the config of an agent from one that was made of the same for another, since thousands of agents may differ in nothing but their
 * names. Their configs then share all other parts, which nobody may change.
 */
export function configOnce(
  agent: AgentConfig["agent"],
  { digest, length }: { digest: string; length: number },
  make: () => AgentConfig,
): AgentConfig {
  const likeness = known.get(digest);
  if (likeness !== undefined) return { ...likeness, agent };
  const config = make();
  if (length <= MAX_LENGTH) known.set(digest, config);
  return config;
}
