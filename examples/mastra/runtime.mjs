/** An agent of Mastra that Omnia hosts. Omnia keeps the conversation and sends all of it with each message. */
import { readFile } from "node:fs/promises";
import { createOpenAI } from "@ai-sdk/openai";
import { Agent } from "@mastra/core/agent";
import { MCPClient } from "@mastra/mcp";

const { OMNIA_PROVIDER_MODEL, OMNIA_PROVIDER_BASE_URL, OMNIA_PROVIDER_API_KEY_FILE } = process.env;

export async function* run({ runId, messages, forwardedProps }, { signal }) {
  const { prompt, toolsMcpUrl } = forwardedProps.omnia;
  // The tools of the registry. Omnia journals their calls, and shows them to whoever chats.
  const registry = new MCPClient({ id: runId, servers: { omnia: { url: new URL(toolsMcpUrl) } } });
  try {
    const agent = new Agent({
      id: "assistant",
      name: "assistant",
      instructions: prompt,
      model: await createModel(),
      tools: await registry.listTools(),
    });
    const said = messages.flatMap(toMastra);
    const { textStream } = await agent.stream(said, { abortSignal: signal, maxSteps: 10 });
    yield* textStream;
  } finally {
    await registry.disconnect();
  }
}

/** The key is read each time, so that another one is used without a restart. */
async function createModel() {
  const apiKey = await readFile(OMNIA_PROVIDER_API_KEY_FILE, "utf8");
  const openai = createOpenAI({ apiKey: apiKey.trim(), baseURL: OMNIA_PROVIDER_BASE_URL });
  return openai.chat(OMNIA_PROVIDER_MODEL);
}

/** Of earlier turns the agent is told what was said; the outcome of tools is in the answers. */
function toMastra({ role, content = "" }) {
  return (role === "user" || role === "assistant") && content !== "" ? [{ role, content }] : [];
}
