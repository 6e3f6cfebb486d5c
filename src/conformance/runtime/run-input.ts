/** What a runtime is sent: the RunAgentInput of AG-UI, in the form in which an agent writes it. */
import { randomUUID } from "node:crypto";

export type RunMessage =
  | { readonly role: "system" | "user"; readonly content: string }
  | { readonly role: "assistant"; readonly content: string; readonly toolCalls?: RunToolCall[] }
  | { readonly role: "tool"; readonly toolCallId: string; readonly content: string };

export interface RunToolCall {
  readonly id: string;
  readonly type: "function";
  /** `arguments` is JSON. */
  readonly function: { readonly name: string; readonly arguments: string };
}

export interface RunTool {
  readonly name: string;
  readonly description: string;
  /** A JSON Schema. */
  readonly parameters: object;
}

export interface RunInput {
  readonly threadId: string;
  readonly runId: string;
  readonly protocolVersion: string;
  readonly messages: readonly (RunMessage & { readonly id: string })[];
  readonly tools: readonly RunTool[];
  readonly context: readonly never[];
  readonly state: object;
  readonly forwardedProps: object;
}

const SYSTEM = "You are being checked. Follow the instructions of the user to the letter.";

/** An input with ids that no other has. Without a system message of its own, it begins with one that asks for obedience. */
export function runInput(
  messages: readonly RunMessage[],
  more: { tools?: readonly RunTool[]; forwardedProps?: object } = {},
): RunInput {
  const first = messages[0];
  const system = first?.role === "system" ? first.content : SYSTEM;
  const all: readonly RunMessage[] =
    first?.role === "system" ? messages : [{ role: "system", content: system }, ...messages];
  return {
    threadId: randomUUID(),
    runId: randomUUID(),
    protocolVersion: "1.0",
    messages: all.map((message) => ({ id: randomUUID(), ...message })),
    tools: more.tools ?? [],
    context: [],
    state: {},
    forwardedProps: { omnia: { prompt: system }, ...more.forwardedProps },
  };
}
