/** The request of one step in AG-UI 1.0: the prompt, the history that was chosen, and the tools of the registry. */
import type { LanguageModelV4Message, LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { Parameters, PromptConfig } from "../../../agent-config/agent-config.ts";
import { toPrompt } from "../providers/prompt.ts";
import type { StepRequest } from "../steps/step-source.ts";
import { functionTools, type OfferedTool } from "../tools/offered-tool.ts";

const PROTOCOL_VERSION = "1.0";

export interface RunAgentInput {
  readonly threadId: string;
  readonly runId: string;
  readonly protocolVersion: string;
  readonly state: object;
  readonly messages: readonly AgUiMessage[];
  readonly tools: readonly { name: string; description: string; parameters: unknown }[];
  readonly context: readonly [];
  readonly forwardedProps: {
    readonly omnia: {
      /** Not every adapter hands a leading system message on. */
      readonly prompt: string;
      readonly toolChoice: string;
      readonly parameters: Parameters;
      /** Where the tools are served as MCP while this request runs. */
      readonly toolsMcpUrl?: string | undefined;
    };
  };
}

export type AgUiMessage =
  | { readonly id: string; readonly role: "system" | "user"; readonly content: string }
  | {
      readonly id: string;
      readonly role: "assistant";
      readonly content?: string;
      readonly toolCalls?: readonly AgUiToolCall[];
    }
  | {
      readonly id: string;
      readonly role: "tool";
      readonly toolCallId: string;
      readonly content: string;
      readonly error?: string;
    };

interface AgUiToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

export interface RunAgentInputOptions {
  readonly prompt: Pick<PromptConfig, "system">;
  readonly parameters: Parameters;
  readonly tools: readonly OfferedTool[];
  /** Makes an id that no other request has. A framework that remembers threads must not know this one. */
  readonly newId: () => string;
}

export function runAgentInput(
  { messages, toolChoice, instruction }: StepRequest,
  { prompt, parameters, tools, newId }: RunAgentInputOptions,
  toolsMcpUrl?: string,
): RunAgentInput {
  const system = instruction === undefined ? prompt.system : `${prompt.system}\n\n${instruction}`;
  const runId = newId();
  return {
    threadId: newId(),
    runId,
    protocolVersion: PROTOCOL_VERSION,
    state: {},
    messages: agUiMessages(
      // Frameworks ask models in turn, so they are given what every provider takes.
      toPrompt(system, messages, { provider: "openai", model: "", offersTools: true }),
      runId,
    ),
    tools:
      toolChoice === "none"
        ? []
        : functionTools(tools).map(({ name, description = "", inputSchema }) => ({
            name,
            description,
            parameters: inputSchema,
          })),
    context: [],
    forwardedProps: { omnia: { prompt: system, toolChoice, parameters, toolsMcpUrl } },
  };
}

function agUiMessages(prompt: LanguageModelV4Prompt, runId: string): AgUiMessage[] {
  const messages = prompt.flatMap((message): Omit<AgUiMessage, "id">[] => agUiMessagesOf(message));
  return messages.map((message, index) => ({ id: `${runId}-${index}`, ...message }) as AgUiMessage);
}

function agUiMessagesOf(message: LanguageModelV4Message): Omit<AgUiMessage, "id">[] {
  switch (message.role) {
    case "system":
      return [{ role: "system", content: message.content }];
    case "user":
      return [{ role: "user", content: textOf(message.content) }];
    case "assistant": {
      const content = textOf(message.content);
      const toolCalls = message.content.flatMap((part): AgUiToolCall[] =>
        part.type === "tool-call"
          ? [
              {
                id: part.toolCallId,
                type: "function",
                function: { name: part.toolName, arguments: JSON.stringify(part.input) },
              },
            ]
          : [],
      );
      return [
        {
          role: "assistant",
          ...(content !== "" && { content }),
          ...(toolCalls.length > 0 && { toolCalls }),
        },
      ];
    }
    case "tool":
      return message.content.flatMap((part) => {
        if (part.type !== "tool-result") return [];
        const { output, toolCallId } = part;
        switch (output.type) {
          case "text":
            return [{ role: "tool", toolCallId, content: output.value }];
          case "json":
            return [{ role: "tool", toolCallId, content: JSON.stringify(output.value) }];
          case "error-text":
            return [{ role: "tool", toolCallId, content: output.value, error: output.value }];
          case "error-json":
          case "execution-denied":
          case "content":
            // A prompt of ours holds none of these.
            return [];
        }
      }) as Omit<AgUiMessage, "id">[];
  }
}

function textOf(content: readonly { type: string; text?: string }[]): string {
  return content.map((part) => (part.type === "text" ? (part.text ?? "") : "")).join("");
}
