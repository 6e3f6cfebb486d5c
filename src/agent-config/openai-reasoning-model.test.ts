import { describe, expect, it } from "vitest";
import { isOpenAIReasoningModel } from "./openai-reasoning-model.ts";

describe("a reasoning model of OpenAI", () => {
  it.each([
    "o1",
    "o3-mini",
    "o4-mini-2025-04-16",
    "gpt-5",
    "gpt-5-mini",
    "gpt-5.4",
    "gpt-5.2-chat-latest",
    "gpt-6-luna",
  ])("is known by its name (%s)", (model) => expect(isOpenAIReasoningModel(model)).toBe(true));

  it.each([
    "gpt-4o",
    "gpt-4.1-mini",
    "gpt-5-chat-latest",
    "gpt-oss-20b",
    "omni",
    "olmo-2",
    "my-deployment",
    "openai/gpt-5",
    "",
  ])("is not seen in another name (%s)", (model) =>
    expect(isOpenAIReasoningModel(model)).toBe(false),
  );
});
