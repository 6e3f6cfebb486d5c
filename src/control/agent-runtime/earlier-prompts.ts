/**
 * Decides which prompts an agent keeps for the sessions that began with them. They come from the last config, and not from the
 * pack: so they are what these sessions were told, and no old version has to be read again.
 */
import type { AgentConfig, PromptConfig, ToolConfig } from "../../agent-config/agent-config.ts";

/** Sessions of older versions go on with the version that a new session would get. */
export const MAX_EARLIER_PROMPTS = 8;
/** The agent config has to fit into a ConfigMap of 1 MiB, together with the prompts of the newest versions. */
export const MAX_EARLIER_BYTES = 256 * 1024;

type Prompts = NonNullable<AgentConfig["prompt"]>;

/** The prompts of earlier versions, newest first. `tools` are those of the active prompt now. */
export function earlierPrompts(
  current: Pick<Prompts, "active" | "canary">,
  tools: readonly ToolConfig[],
  previous: Pick<AgentConfig, "prompt" | "tools"> | undefined,
): PromptConfig[] {
  const last = previous?.prompt;
  if (previous === undefined || last === undefined) return [];
  const ended = [last.canary?.prompt, last.active, ...(last.earlier ?? [])];
  const versions = new Set([current.active.version, current.canary?.prompt.version]);
  const earlier: PromptConfig[] = [];
  let bytes = 0;
  for (const prompt of ended) {
    // Another pack, or another prompt of it, is not an earlier version: the spec asks for it, and so all sessions get it.
    if (prompt === undefined || !isSamePrompt(prompt, current.active)) continue;
    if (versions.has(prompt.version)) continue;
    const kept = pinned(prompt, previous.tools, tools);
    bytes += Buffer.byteLength(JSON.stringify(kept));
    if (earlier.length === MAX_EARLIER_PROMPTS || bytes > MAX_EARLIER_BYTES) break;
    versions.add(prompt.version);
    earlier.push(kept);
  }
  return earlier;
}

/** With the tools of each of its prompts, since those of the agent are no longer the same. `before` were those of the agent. */
function pinned(
  prompt: PromptConfig,
  before: readonly ToolConfig[],
  tools: readonly ToolConfig[],
): PromptConfig {
  const others = Object.entries(prompt.others ?? {}).map(
    ([key, step]) =>
      [
        key,
        step.tools === undefined ? step : { ...step, tools: newest(step.tools, tools) },
      ] as const,
  );
  return {
    ...prompt,
    tools: newest(prompt.tools ?? before, tools),
    ...(others.length > 0 && { others: Object.fromEntries(others) }),
  };
}

function isSamePrompt(one: PromptConfig, other: PromptConfig): boolean {
  return one.pack === other.pack && one.prompt === other.prompt;
}

/**
 * An earlier version offers the tools that it offered, in the words that it had for them. How a tool is reached is no matter of the
 * version: where it is still offered, its newest address and credential count.
 */
function newest(offered: readonly ToolConfig[], tools: readonly ToolConfig[]): ToolConfig[] {
  const byName = new Map(tools.map((tool) => [tool.registryName, tool]));
  return offered.map((tool) => {
    const { name, description, inputSchema, allow, block } = tool;
    const now = byName.get(tool.registryName);
    return now === undefined ? tool : { ...now, name, description, inputSchema, allow, block };
  });
}
