/** An agent of LangChain.js that Omnia hosts. Omnia keeps the conversation and sends all of it with each message. */
import { readFile } from "node:fs/promises";
import { isAIMessageChunk } from "@langchain/core/messages";
import { MultiServerMCPClient } from "@langchain/mcp-adapters";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent } from "langchain";

const { OMNIA_PROVIDER_MODEL, OMNIA_PROVIDER_BASE_URL, OMNIA_PROVIDER_API_KEY_FILE } = process.env;

export async function* run({ messages, forwardedProps }, { signal }) {
  const { prompt, toolsMcpUrl } = forwardedProps.omnia;
  // The tools of the registry. Omnia journals their calls, and shows them to whoever chats.
  const registry = new MultiServerMCPClient({ omnia: { url: toolsMcpUrl } });
  try {
    const agent = createAgent({
      model: await createModel(),
      tools: await registry.getTools(),
      systemPrompt: prompt,
    });
    const said = messages.filter(({ role }) => role !== "system").map(toLangChain);
    const options = { streamMode: "messages", signal };
    for await (const [message] of await agent.stream({ messages: said }, options)) {
      if (isAIMessageChunk(message)) yield message.text;
    }
  } finally {
    await registry.close();
  }
}

/** The key is read each time, so that another one is used without a restart. */
async function createModel() {
  const apiKey = await readFile(OMNIA_PROVIDER_API_KEY_FILE, "utf8");
  return new ChatOpenAI({
    model: OMNIA_PROVIDER_MODEL,
    apiKey: apiKey.trim(),
    configuration: { baseURL: OMNIA_PROVIDER_BASE_URL },
  });
}

function toLangChain({ role, content = "", toolCalls = [], toolCallId }) {
  if (role === "tool") return { role, content, tool_call_id: toolCallId };
  const calls = toolCalls.map(({ id, function: { name, arguments: json } }) => ({
    id,
    name,
    args: JSON.parse(json),
    type: "tool_call",
  }));
  return calls.length === 0 ? { role, content } : { role, content, tool_calls: calls };
}
