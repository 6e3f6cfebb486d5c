import { describe, expect, it } from "vitest";
import type { HistoryMessage } from "../../sessions/history-message.ts";
import {
  BEGINNING_NOT_KNOWN,
  NO_TEXT,
  NOT_ANSWERED,
  RESULTS_NOT_USED,
  toPrompt,
  UNKNOWN_OUTCOME,
  type AnswerParts,
} from "./prompt.ts";

const turnId = "turn-1";
const source = { provider: "openai", model: "gpt-4o", offersTools: true } as const;

function user(content: string): HistoryMessage {
  return { role: "user", turnId, content };
}
function assistant(content: string, more: object = {}): HistoryMessage {
  return { role: "assistant", turnId, content, ...more };
}
function result(
  toolCallId: string,
  outcome: { result: unknown } | { error: string },
): HistoryMessage {
  return { role: "tool", turnId, toolCallId, toolName: "weather", ...outcome };
}
const call = { id: "call_1", name: "weather", arguments: { city: "Oslo" } };

describe("the prompt", () => {
  it("begins with the system prompt and keeps the order of the history", () => {
    expect(toPrompt("Be terse.", [user("hi"), assistant("Hello."), user("bye")], source)).toEqual([
      { role: "system", content: "Be terse." },
      { role: "user", content: [{ type: "text", text: "hi" }] },
      { role: "assistant", content: [{ type: "text", text: "Hello." }] },
      { role: "user", content: [{ type: "text", text: "bye" }] },
    ]);
  });

  it("holds no half characters, which a message or a tool can bring", () => {
    const messages = [
      user("half \ud83d"),
      assistant("", { toolCalls: [call, { ...call, id: "call_2" }] }),
      result("call_1", { result: "\ude00 half" }),
      result("call_2", { error: "half \ud83d" }),
    ];
    const text = JSON.stringify(toPrompt("", messages, source));
    expect(text.match(/half/g)).toHaveLength(3);
    expect(text).not.toMatch(/\\ud[89a-f]/);
  });

  it("names no tool as no tool can be named, which providers would refuse in every later request", () => {
    const names = (name: string): string[] => {
      const messages = [
        user("Hi"),
        assistant("", { toolCalls: [{ ...call, name }] }),
        result(call.id, { error: "there is no such tool" }),
      ];
      return toPrompt("", messages, source).flatMap(({ content }) =>
        typeof content === "string"
          ? []
          : content.flatMap((part) => ("toolName" in part ? part.toolName : [])),
      );
    };
    expect(names("look-up_2")).toEqual(["look-up_2", "look-up_2"]);
    expect(names("functions.look up\ud83d")).toEqual(["functions_look_up_", "functions_look_up_"]);
    expect(names("")).toEqual(["tool", "tool"]);
    expect(names("x".repeat(100))[0]).toHaveLength(64);
  });

  it("leaves a blank system prompt out", () => {
    expect(toPrompt(" \n", [user("hi")], source).map(({ role }) => role)).toEqual(["user"]);
  });

  it("puts the results of parallel calls into one message, in the order of the calls", () => {
    const calls = [call, { ...call, id: "call_2" }, { ...call, id: "call_3" }];
    const prompt = toPrompt(
      "",
      [
        user("weather?"),
        assistant("", { toolCalls: calls }),
        result("call_3", { error: "timed out" }),
        result("call_2", { result: { degrees: 21 } }),
        result("call_1", { result: "sunny" }),
      ],
      source,
    );
    expect(prompt.slice(1)).toEqual([
      {
        role: "assistant",
        content: calls.map(({ id }) => ({
          type: "tool-call",
          toolCallId: id,
          toolName: "weather",
          input: { city: "Oslo" },
        })),
      },
      {
        role: "tool",
        content: [
          { type: "text", value: "sunny" },
          { type: "json", value: { degrees: 21 } },
          { type: "error-text", value: "timed out" },
        ].map((output, index) => ({
          type: "tool-result",
          toolCallId: `call_${index + 1}`,
          toolName: "weather",
          output,
        })),
      },
    ]);
  });

  it("gives a call without a result one that says so", () => {
    const prompt = toPrompt(
      "",
      [user("a"), assistant("", { toolCalls: [call] }), user("b")],
      source,
    );
    expect(prompt[2]).toMatchObject({
      role: "tool",
      content: [{ toolCallId: "call_1", output: { type: "error-text", value: UNKNOWN_OUTCOME } }],
    });
  });

  it("drops a result whose call is not there", () => {
    const prompt = toPrompt(
      "",
      [user("a"), result("call_9", { result: 1 }), assistant("b")],
      source,
    );
    expect(prompt.map(({ role }) => role)).toEqual(["user", "assistant"]);
  });

  it("keeps what was said before a turn failed", () => {
    const prompt = toPrompt(
      "",
      [user("a"), assistant("It is", { partial: true }), user("b")],
      source,
    );
    expect(prompt[1]).toEqual({ role: "assistant", content: [{ type: "text", text: "It is" }] });
  });

  it("joins users' messages that follow each other, and says which were not answered", () => {
    const failed = toPrompt(
      "",
      [user("a"), assistant(" "), user("b"), user(""), user("c")],
      source,
    );
    const text = ["a", NOT_ANSWERED, "b", NOT_ANSWERED, NO_TEXT, NOT_ANSWERED, "c"].join("\n\n");
    expect(failed).toEqual([{ role: "user", content: [{ type: "text", text }] }]);
  });

  it("puts nothing into the mouth of the model where it said nothing", () => {
    const history = [user("a"), user("b"), assistant("Fine."), user("c"), user("d")];
    const said = toPrompt("", history, source).filter(({ role }) => role === "assistant");
    expect(said).toEqual([{ role: "assistant", content: [{ type: "text", text: "Fine." }] }]);
  });

  it("never lets a user's message follow a result", () => {
    const afterTools = toPrompt(
      "",
      [user("a"), assistant("", { toolCalls: [call] }), result("call_1", { result: 1 }), user("b")],
      source,
    );
    expect(afterTools.map(({ role }) => role)).toEqual([
      "user",
      "assistant",
      "tool",
      "assistant",
      "user",
    ]);
    expect(afterTools[3]).toMatchObject({ content: [{ text: RESULTS_NOT_USED }] });
  });

  it("begins with a user's message also where the history does not", () => {
    expect(toPrompt("", [assistant("a"), user("b")], source).slice(0, 2)).toEqual([
      { role: "user", content: [{ type: "text", text: BEGINNING_NOT_KNOWN }] },
      { role: "assistant", content: [{ type: "text", text: "a" }] },
    ]);
  });

  it("says that an empty message is empty", () => {
    expect(toPrompt("", [user(" ")], source)).toEqual([
      { role: "user", content: [{ type: "text", text: NO_TEXT }] },
    ]);
  });

  it("leaves earlier calls out when there are no tools any more", () => {
    const history = [
      user("a"),
      assistant("Let me look.", { toolCalls: [call] }),
      result("call_1", { result: 1 }),
      assistant("Sunny."),
    ];
    const prompt = toPrompt("", history, { ...source, offersTools: false });
    expect(prompt.slice(1)).toEqual([
      {
        role: "assistant",
        content: [
          { type: "text", text: "Let me look.\n\n" },
          { type: "text", text: "Sunny." },
        ],
      },
    ]);
  });

  it("gives each call an id of its own, also where the session has one twice", () => {
    const again = [assistant("", { toolCalls: [call] }), result("call_1", { result: 2 })];
    const history = [user("a"), ...again, user("b"), ...again];
    const ids = toPrompt("", history, source).flatMap(({ content }) =>
      typeof content === "string"
        ? []
        : content.flatMap((part) => ("toolCallId" in part ? part.toolCallId : [])),
    );
    expect(ids).toEqual(["call_1", "call_1", "call_1-2", "call_1-2"]);
  });

  it("writes ids for Anthropic without the signs that it refuses", () => {
    const odd = { ...call, id: "functions.weather:0" };
    const history = [user("a"), assistant("", { toolCalls: [odd] }), result(odd.id, { result: 1 })];
    const prompt = toPrompt("", history, { ...source, provider: "anthropic" });
    expect(prompt[1]).toMatchObject({ content: [{ toolCallId: "functions_weather_0" }] });
    expect(prompt[2]).toMatchObject({
      content: [{ toolCallId: "functions_weather_0", output: { type: "json", value: 1 } }],
    });
  });
});

describe("the id of a call that is too long for others", () => {
  const long = `call_${"x".repeat(60)}`;
  const parts: AnswerParts = {
    provider: "openai",
    model: "gpt-4o",
    parts: [{ type: "tool-call", id: long, serverId: long }],
  };
  const history = [
    user("a"),
    assistant("", { toolCalls: [{ ...call, id: long }], providerMetadata: parts }),
    result(long, { result: 1 }),
  ];

  it("goes back to the server that gave it as it was", () => {
    const prompt = toPrompt("", history, source);
    expect(prompt[1]).toMatchObject({ content: [{ toolCallId: long }] });
    expect(prompt[2]).toMatchObject({ content: [{ toolCallId: long }] });
  });

  it("is made to fit for another one", () => {
    const prompt = toPrompt("", history, { ...source, model: "gpt-5" });
    expect(prompt[1]).toMatchObject({ content: [{ toolCallId: long.slice(0, 40) }] });
    expect(prompt[2]).toMatchObject({ content: [{ toolCallId: long.slice(0, 40) }] });
  });
});

describe("what a provider wants back", () => {
  const parts: AnswerParts = {
    provider: "anthropic",
    model: "claude",
    parts: [
      { type: "reasoning", text: "Hm.", options: { anthropic: { signature: "s1" } } },
      { type: "text", length: 5 },
      { type: "tool-call", id: "call_1" },
      { type: "text", length: 6, options: { google: { thoughtSignature: "t1" } } },
    ],
  };
  const message = assistant("First then more", { toolCalls: [call], providerMetadata: parts });

  it("goes back in its order, with the text cut as it came", () => {
    const prompt = toPrompt("", [user("a"), message], {
      provider: "anthropic",
      model: "claude",
      offersTools: true,
    });
    expect(prompt[1]).toEqual({
      role: "assistant",
      content: [
        { type: "reasoning", text: "Hm.", providerOptions: { anthropic: { signature: "s1" } } },
        { type: "text", text: "First" },
        { type: "tool-call", toolCallId: "call_1", toolName: "weather", input: { city: "Oslo" } },
        { type: "text", text: " then ", providerOptions: { google: { thoughtSignature: "t1" } } },
        { type: "text", text: "more" },
      ],
    });
  });

  it("is kept from another model", () => {
    const prompt = toPrompt("", [user("a"), message], source);
    expect(prompt[1]).toMatchObject({
      content: [
        { type: "text", text: "First then more" },
        { type: "tool-call", toolCallId: "call_1" },
      ],
    });
  });
});
