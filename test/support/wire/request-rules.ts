/** What every provider demands of a request, whatever its session has been through. */
import type { WireBody } from "../agent/model-server.ts";
import type { WireApi } from "./wire-case.ts";
import { illFormedText } from "./wire-rule.ts";

interface Call {
  /** Undefined where the protocol tells calls apart by their order. */
  id: string | undefined;
  arguments: unknown;
}
/** One message of a request, in the terms that the protocols share. */
interface Message {
  role: "system" | "user" | "assistant" | "results";
  texts: string[];
  calls: Call[];
  /** The ids of the calls that these are the results of. */
  results: (string | undefined)[];
  /** Says that the message has something that is neither text nor call nor result. */
  hasMore: boolean;
  problems: string[];
}

export function problemsOfRequest(api: WireApi, bytes: Buffer): string[] {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return ["the body is not UTF-8"];
  }
  const body: WireBody = JSON.parse(text);
  const illFormed = illFormedText(body);
  const messages = readers[api](body);
  return [
    ...(illFormed === undefined ? [] : [illFormed]),
    ...messages.flatMap(({ problems }) => problems),
    ...problemsOfOrder(messages),
    ...problemsOfCalls(messages),
  ];
}

function problemsOfOrder(messages: readonly Message[]): string[] {
  return messages.flatMap((message, index) => {
    const problems: string[] = [];
    const before = messages[index - 1]?.role;
    if (message.role === "system" && index > 0) problems.push("a system message is not the first");
    if (message.role === "user" && (before === "user" || before === "results")) {
      problems.push("a user message follows another one or a result");
    }
    if (message.role === "assistant" && (before === undefined || before === "system")) {
      problems.push("the first message is the assistant's");
    }
    if (message.role === "assistant" && before === "assistant") {
      problems.push("two messages of the assistant follow each other");
    }
    const { texts, calls, results, hasMore } = message;
    const isEmpty = texts.join("") === "" && calls.length === 0 && results.length === 0;
    if (isEmpty && !hasMore) problems.push(`a message of role ${message.role} is empty`);
    return problems;
  });
}

function problemsOfCalls(messages: readonly Message[]): string[] {
  const problems: string[] = [];
  const known = new Set<string>();
  for (const [index, { calls, role, results }] of messages.entries()) {
    for (const { id, arguments: given } of calls) {
      if (typeof given !== "object" || given === null || Array.isArray(given)) {
        problems.push(`the arguments of a call are ${JSON.stringify(given)}`);
      }
      if (id === undefined) continue;
      if (id === "" || known.has(id)) problems.push(`two calls have the id "${id}"`);
      known.add(id);
    }
    if (calls.length > 0) {
      const next = messages[index + 1];
      const answered = next?.role === "results" ? next.results : [];
      const [ids, wanted] = [answered, calls.map(({ id }) => id)].map((list) =>
        list.map(String).sort().join(" "),
      );
      if (ids !== wanted) problems.push(`the calls ${wanted} have results for ${ids}`);
    }
    if (role === "results" && results.length > 0 && messages[index - 1]?.calls.length === 0) {
      problems.push("results follow no call");
    }
  }
  return problems;
}

function message(role: Message["role"], parts: Partial<Message> = {}): Message {
  return { role, texts: [], calls: [], results: [], hasMore: false, problems: [], ...parts };
}

function parsed(text: unknown): unknown {
  try {
    return typeof text === "string" ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

function textsOf(content: WireBody): string[] {
  if (typeof content === "string") return [content];
  return ((content ?? []) as WireBody[]).map((part) => String(part.text ?? ""));
}

/** Joins messages of one role that the protocol has as several items. */
function joined(items: readonly Message[]): Message[] {
  const messages: Message[] = [];
  for (const item of items) {
    const last = messages.at(-1);
    const joins = item.role === "results" || item.role === "assistant";
    if (!joins || last?.role !== item.role) {
      messages.push(item);
      continue;
    }
    last.texts.push(...item.texts);
    last.calls.push(...item.calls);
    last.results.push(...item.results);
    last.hasMore ||= item.hasMore;
  }
  return messages;
}

const ANTHROPIC_ID = /^[\w-]+$/;

const readers: Record<WireApi, (body: WireBody) => Message[]> = {
  chat(body) {
    const items = (body.messages as WireBody[]).map((item): Message => {
      if (item.role === "tool") return message("results", { results: [item.tool_call_id] });
      const role = item.role === "developer" ? "system" : item.role;
      const calls = ((item.tool_calls ?? []) as WireBody[]).map((call) => ({
        id: String(call.id ?? ""),
        arguments: parsed(call.function.arguments),
      }));
      return message(role, { texts: textsOf(item.content), calls });
    });
    return items.reduce<Message[]>((messages, item) => {
      const last = messages.at(-1);
      if (item.role === "results" && last?.role === "results") last.results.push(...item.results);
      else messages.push(item);
      return messages;
    }, []);
  },
  responses(body) {
    const items = (body.input as WireBody[]).map((item): Message => {
      switch (item.type) {
        case "function_call":
          return message("assistant", {
            calls: [{ id: String(item.call_id ?? ""), arguments: parsed(item.arguments) }],
          });
        case "function_call_output":
          return message("results", { results: [item.call_id] });
        case "reasoning":
          return message("assistant", { hasMore: true });
        case "item_reference":
          return message("assistant", { hasMore: true, problems: ["an item is named by its id"] });
        default:
          return message(item.role === "developer" ? "system" : item.role, {
            texts: textsOf(item.content),
          });
      }
    });
    return joined(items);
  },
  anthropic(body) {
    return (body.messages as WireBody[]).map((item): Message => {
      const blocks: WireBody[] =
        typeof item.content === "string" ? [{ type: "text", text: item.content }] : item.content;
      const problems: string[] = [];
      for (const block of blocks) {
        const id = block.type === "tool_use" ? block.id : block.tool_use_id;
        if (id !== undefined && !ANTHROPIC_ID.test(id)) problems.push(`"${id}" is no id`);
        if (block.type === "text" && String(block.text).trim() === "") {
          problems.push("a text block is empty");
        }
        if (block.type === "thinking" && !block.signature) problems.push("a thought is unsigned");
      }
      const results = blocks.filter(({ type }) => type === "tool_result");
      const [first] = blocks;
      if (results.length > 0 && first?.type !== "tool_result") {
        problems.push("a result does not come first");
      }
      return message(results.length > 0 ? "results" : item.role, {
        texts: blocks.flatMap((block) => (block.type === "text" ? block.text : [])),
        calls: blocks.flatMap((block) =>
          block.type === "tool_use" ? { id: block.id, arguments: block.input } : [],
        ),
        results: results.map((block) => block.tool_use_id),
        hasMore: blocks.some(({ type }) => type === "thinking" || type === "redacted_thinking"),
        problems,
      });
    });
  },
  google(body) {
    return (body.contents as WireBody[]).map((item): Message => {
      const parts = item.parts as WireBody[];
      const results = parts.filter((part) => part.functionResponse !== undefined);
      const role = item.role === "model" ? "assistant" : "user";
      return message(results.length > 0 ? "results" : role, {
        texts: parts.flatMap((part) => (part.text === undefined ? [] : String(part.text))),
        calls: parts.flatMap(({ functionCall }) =>
          functionCall === undefined ? [] : { id: functionCall.id, arguments: functionCall.args },
        ),
        results: results.map((part) => part.functionResponse.id),
      });
    });
  },
};
