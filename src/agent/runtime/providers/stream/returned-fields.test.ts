import { describe, expect, it } from "vitest";
import { returnedFieldsExtractor } from "./returned-fields.ts";

function returned(...deltas: object[]): unknown {
  const extractor = returnedFieldsExtractor.createStreamExtractor();
  for (const delta of deltas) extractor.processChunk({ choices: [{ delta }] });
  return extractor.buildMetadata()?.returned;
}

describe("what a server wants back", () => {
  it.each<[string, object[], unknown]>([
    ["nothing where it sent nothing of its own", [{ content: "a" }, {}], undefined],
    [
      "its thoughts, joined",
      [{ reasoning_content: "I " }, { reasoning_content: "see" }],
      { reasoning_content: "I see" },
    ],
    ["its thoughts under its own name", [{ reasoning: "I see" }], { reasoning: "I see" }],
    [
      "thoughts that were empty",
      [{ reasoning_content: "" }, { content: "a" }],
      { reasoning_content: "" },
    ],
    [
      "its thoughts and their proof, as GitHub Copilot names them",
      [{ reasoning_text: "I see" }, { reasoning_opaque: "P" }],
      { reasoning_text: "I see", reasoning_opaque: "P" },
    ],
    [
      "blocks of thoughts with their signatures, and none without",
      [
        { thinking_blocks: [{ type: "thinking", thinking: "I ", signature: null }] },
        { thinking_blocks: [{ type: "thinking", thinking: "see", signature: "" }] },
        { thinking_blocks: [{ type: "thinking", thinking: "", signature: "S" }] },
        { thinking_blocks: [{ type: "redacted_thinking", data: "R" }] },
        { thinking_blocks: [{ type: "thinking", thinking: "unsigned" }] },
      ],
      {
        thinking_blocks: [
          { type: "thinking", thinking: "I see", signature: "S" },
          { type: "redacted_thinking", data: "R" },
        ],
      },
    ],
    [
      "the pieces of a detail, joined, with its signature",
      [
        { reasoning_details: [{ type: "reasoning.text", index: 0, text: "I " }] },
        { reasoning_details: [{ type: "reasoning.text", index: 0, text: "see", signature: null }] },
        { reasoning_details: [{ type: "reasoning.text", index: 0, signature: "S" }] },
      ],
      { reasoning_details: [{ type: "reasoning.text", index: 0, text: "I see", signature: "S" }] },
    ],
    [
      "details of another kind or place apart",
      [
        {
          reasoning_details: [
            { type: "a", index: 0, text: "x" },
            { type: "b", index: 0, data: "y" },
          ],
        },
        { reasoning_details: [{ type: "b", index: 1, data: "z" }] },
      ],
      {
        reasoning_details: [
          { type: "a", index: 0, text: "x" },
          { type: "b", index: 0, data: "y" },
          { type: "b", index: 1, data: "z" },
        ],
      },
    ],
  ])("is %s", (_what, deltas, wanted) => {
    expect(returned(...deltas)).toEqual(wanted);
  });

  it("is not looked for in what is no chunk", () => {
    const extractor = returnedFieldsExtractor.createStreamExtractor();
    for (const chunk of [null, 7, {}, { choices: null }, { choices: [null] }]) {
      extractor.processChunk(chunk);
    }
    expect(extractor.buildMetadata()).toBeUndefined();
  });
});
