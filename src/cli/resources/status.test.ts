import { describe, expect, it } from "vitest";
import { plainText } from "../../observability/terminal/line.ts";
import { readResourceViews } from "./view.ts";
import { statusLines } from "./status.ts";

const items = [
  {
    kind: "PromptPack",
    metadata: { name: "prompts", namespace: "agents" },
    spec: {},
    status: {
      phase: "Failed",
      conditions: [
        { type: "SourceValid", status: "False", reason: "KeyNotFound", message: "add the key" },
      ],
    },
  },
  {
    kind: "AgentRuntime",
    metadata: { name: "support", namespace: "agents" },
    spec: {
      facade: { handler: "runtime" },
      provider: { model: "m-1" },
      promptPackRef: { name: "prompts" },
    },
    status: {
      phase: "Pending",
      ready: "0/2",
      conditions: [
        { type: "Available", status: "False", reason: "WaitingForReferences", message: "" },
        {
          type: "ProviderReady",
          status: "True",
          reason: "Resolved",
          message: "from the environment",
        },
      ],
    },
  },
  { kind: "AgentRuntime", metadata: { name: "echo" }, spec: { facade: { handler: "echo" } } },
  { kind: "Secret", metadata: { name: "s" } },
];

describe("omnia status", () => {
  it("shows a table for each kind, every resource with its conditions", () => {
    expect(statusLines(readResourceViews(items)).map(plainText).join("\n")).toMatchInlineSnapshot(`
    "
    AGENT           PHASE    READY  HANDLER  MODEL  PACK     ENDPOINT
    agents/support  Pending  0/2    runtime  m-1    prompts  -
      Available      False  WaitingForReferences
      ProviderReady  True   Resolved: from the environment
    default/echo    -        -      echo     -      -        -

    PROMPT PACK     PHASE   VERSION  CONTENT
    agents/prompts  Failed  -        -
      SourceValid  False  KeyNotFound: add the key"
  `);
  });

  it("shows nothing where there is nothing", () => {
    expect(statusLines([])).toEqual([]);
  });
});
