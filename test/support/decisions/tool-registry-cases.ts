import {
  observed,
  packReference,
  registryReference,
  theReferences,
  theVersion,
} from "../builders/a-decision.ts";
import { TOOLS, type DecisionCase } from "./decision-case.ts";

export const TOOL_REGISTRY_CASES: readonly DecisionCase[] = [
  {
    says: "a registry with tools",
    type: "ToolRegistryReady",
    reason: "Resolved",
    spec: TOOLS,
    references: theReferences({ toolRegistry: registryReference() }),
    observed: observed(1, 1),
    phase: "Running",
    message: 'ToolRegistry "tools" has 1 tool',
  },
  {
    says: "an agent without tools",
    type: "ToolRegistryReady",
    reason: "NotReferenced",
    observed: observed(1, 1),
    phase: "Running",
    message: "toolRegistryRef is not set",
  },
  {
    says: "a registry that is not there",
    type: "ToolRegistryReady",
    reason: "NotFound",
    spec: TOOLS,
    references: theReferences({ toolRegistry: { found: false } }),
    phase: "Pending",
    message: 'ToolRegistry "tools" is not there',
  },
  {
    says: "a registry of which one tool is out of reach",
    type: "ToolRegistryReady",
    reason: "Degraded",
    spec: TOOLS,
    references: theReferences({
      toolRegistry: registryReference({ reachable: { a: true, b: false } }),
    }),
    observed: observed(1, 1),
    phase: "Running",
    message: 'ToolRegistry "tools": Tool "b"',
  },
  {
    says: "a tool whose token is not there",
    type: "ToolRegistryReady",
    reason: "Degraded",
    spec: TOOLS,
    references: theReferences({
      toolRegistry: registryReference({ entry: { authSecretRef: { name: "token", key: "t" } } }),
      toolSecrets: { token: { found: false } },
    }),
    observed: observed(1, 1),
    phase: "Running",
    message: 'tool "lookup-user" needs a token. Secret "token" is not there',
  },
  {
    says: "a tool whose token the registry of another namespace names",
    type: "ToolRegistryReady",
    reason: "NotAllowed",
    spec: { toolRegistryRef: { name: "tools", namespace: "shared" } },
    references: theReferences({
      toolRegistry: registryReference({
        namespace: "shared",
        entry: { authSecretRef: { name: "token", key: "t" } },
      }),
    }),
    observed: observed(1, 1),
    phase: "Running",
    message:
      'tool "lookup-user" is sent no credential, and cannot be called: its authSecretRef names a Secret for agents of namespace "shared" only; give its credential in toolRegistryRef.credentials, from a Secret of namespace "agents"',
  },
  {
    says: "a credential for a tool that the registry does not have",
    type: "ToolRegistryReady",
    reason: "Degraded",
    spec: {
      toolRegistryRef: {
        name: "tools",
        credentials: [{ tool: "lookup", secretRef: { name: "token", key: "t" } }],
      },
    },
    references: theReferences({ toolRegistry: registryReference() }),
    observed: observed(1, 1),
    phase: "Running",
    message: 'ToolRegistry "tools" has no tool "lookup"',
  },
  {
    says: "a registry of which every tool is out of reach",
    type: "ToolRegistryReady",
    reason: "Failed",
    spec: TOOLS,
    references: theReferences({ toolRegistry: registryReference({ reachable: { a: false } }) }),
    observed: observed(1, 1),
    phase: "Running",
    message: 'No tool of ToolRegistry "tools" can be called',
  },
  {
    says: "a tool that the prompt names and the registry does not have",
    type: "ToolRegistryReady",
    reason: "ToolsMissing",
    spec: TOOLS,
    references: theReferences({
      promptPack: packReference({
        kept: [
          theVersion({ prompts: { support: { tools: ["lookup_user", "refund", "refund"] } } }),
        ],
      }),
      toolRegistry: registryReference(),
    }),
    observed: observed(1, 1),
    phase: "Running",
    message:
      'Prompt "support" of PromptPack "prompts" wants the tool "refund", which ToolRegistry "tools" does not offer; it has "lookup-user". Add them',
  },
  {
    says: "tools that the pack describes and the registry, of which one tool is out of reach, does not have",
    type: "ToolRegistryReady",
    reason: "ToolsMissing",
    spec: TOOLS,
    references: theReferences({
      promptPack: packReference({
        kept: [theVersion({ tools: { refund: { name: "refund_money", description: "d" } } })],
      }),
      toolRegistry: registryReference({ reachable: { a: true, b: false } }),
    }),
    observed: observed(1, 1),
    phase: "Running",
    message: 'does not offer; it has "a", "b"',
  },
  {
    says: "a tool that the list of a server does not have",
    type: "ToolRegistryReady",
    reason: "ToolsMissing",
    spec: TOOLS,
    references: theReferences({
      promptPack: packReference({
        kept: [theVersion({ prompts: { support: { tools: ["web_search", "refund"] } } })],
      }),
      toolRegistry: registryReference({
        reachable: { docs: true },
        entry: { type: "mcp" },
        listed: ["web-search", "fetch"],
      }),
    }),
    observed: observed(1, 1),
    phase: "Running",
    message:
      'wants the tool "refund", which ToolRegistry "tools" does not offer; it has "web-search", "fetch". Add them',
  },
  {
    says: "tools that a server has whose list was not read yet",
    type: "ToolRegistryReady",
    reason: "Resolved",
    spec: TOOLS,
    references: theReferences({
      promptPack: packReference({
        kept: [theVersion({ prompts: { support: { tools: ["web_search", "refund"] } } })],
      }),
      toolRegistry: registryReference({ reachable: { docs: true }, entry: { type: "mcp" } }),
    }),
    observed: observed(1, 1),
    phase: "Running",
    message: 'ToolRegistry "tools" has 1 tool',
  },
  {
    says: "the tools in the list of a server",
    type: "ToolRegistryReady",
    reason: "Resolved",
    spec: TOOLS,
    references: theReferences({
      toolRegistry: registryReference({
        reachable: { docs: true },
        entry: { type: "mcp" },
        listed: ["web-search", "fetch"],
      }),
    }),
    observed: observed(1, 1),
    phase: "Running",
    message: 'ToolRegistry "tools" has 2 tools',
  },
  {
    says: "tools that the prompt names, of an agent without a registry",
    type: "ToolRegistryReady",
    reason: "ToolsMissing",
    references: theReferences({
      promptPack: packReference({
        kept: [theVersion({ prompts: { support: { tools: ["lookup", "refund"] } } })],
      }),
    }),
    observed: observed(1, 1),
    phase: "Running",
    message:
      'wants the tools "lookup", "refund", and the agent has no tools: toolRegistryRef is not set',
  },
  {
    says: "tools that only the canary names",
    type: "ToolRegistryReady",
    reason: "ToolsMissing",
    references: theReferences({
      promptPack: packReference({
        kept: [theVersion()],
        canary: theVersion({ version: "2.0.0", prompts: { support: { tools: ["refund"] } } }),
      }),
    }),
    observed: observed(1, 1),
    phase: "Running",
    message:
      'Prompt "support" of the canary version of PromptPack "prompts" wants the tool "refund"',
  },
  {
    says: "tools that a prompt names and never calls",
    type: "ToolRegistryReady",
    reason: "NotReferenced",
    references: theReferences({
      promptPack: packReference({
        kept: [
          theVersion({
            prompts: { support: { tools: ["refund"], tool_policy: { tool_choice: "none" } } },
          }),
        ],
      }),
    }),
    observed: observed(1, 1),
    phase: "Running",
    message: "toolRegistryRef is not set",
  },
];
