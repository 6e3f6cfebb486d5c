import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CONDITIONS, type ConditionType } from "../../api/conditions.ts";
import { agentConfigSchema } from "../../agent-config/agent-config.ts";
import { anAgentRuntime } from "../../../test/support/builders/resources.ts";
import {
  decided,
  NOW,
  observed,
  packReference,
  registryReference,
  secret,
  theReferences,
  theVersion,
} from "../../../test/support/builders/a-decision.ts";
import type { AgentRuntimeInput } from "./decide-agent-runtime.ts";
import { decideAgentRuntime } from "./decide-agent-runtime.ts";
import { DEFAULT_TRUST_POLICY, type TrustPolicy } from "../trust-policy.ts";
import type { AgentReferences } from "./references.ts";

const ECHO = { facade: { handler: "echo" }, provider: undefined, promptPackRef: undefined };
const REDIS = { session: { type: "redis", storeRef: { name: "redis-credentials", key: "url" } } };
const TOOLS = { toolRegistryRef: { name: "tools" } };
const redisSecret = secret("redis-credentials", "url");

interface Case {
  says: string;
  type: ConditionType<"AgentRuntime">;
  reason: string;
  spec?: Record<string, unknown>;
  references?: AgentReferences;
  observed?: AgentRuntimeInput["observed"];
  autoscaler?: AgentRuntimeInput["autoscaler"];
  policy?: TrustPolicy;
  phase: "Pending" | "Running" | "Failed";
  message: string;
}

const CASES: Case[] = [
  // Available
  {
    says: "one replica that is available, of three",
    type: "Available",
    reason: "ReplicasAvailable",
    spec: { replicas: 3 },
    observed: observed(3, 1),
    phase: "Running",
    message: "1 of 3 replicas available",
  },
  {
    says: "old replicas that serve while new ones fail",
    type: "Available",
    reason: "ReplicasAvailable",
    observed: { ...observed(2, 1), failure: { reason: "PodsFailing", message: "exit code 1" } },
    phase: "Running",
    message: "others fail: exit code 1",
  },
  {
    says: "references that are not there at first",
    type: "Available",
    reason: "WaitingForReferences",
    references: { promptPack: { found: false }, providerSecret: { found: false } },
    phase: "Pending",
    message:
      'PromptPack "prompts" is not there; make it, or correct promptPackRef. Secret "openai-credentials"',
  },
  {
    says: "a Secret of API keys that is not there at first",
    type: "Available",
    reason: "WaitingForReferences",
    spec: { facade: { auth: { apiKeysSecretRef: { name: "clients" } } } },
    phase: "Pending",
    message: 'Secret "clients" of facade.auth.apiKeysSecretRef is not there',
  },
  {
    says: "replicas that have not begun",
    type: "Available",
    reason: "WaitingForPods",
    phase: "Pending",
    message: "None of 1 replica is available yet",
  },
  {
    says: "replicas that are not ready yet",
    type: "Available",
    reason: "WaitingForPods",
    spec: { replicas: 2 },
    observed: observed(2, 0),
    phase: "Pending",
    message: "None of 2 replicas is available yet",
  },
  {
    says: "replicas that fail, in their own words",
    type: "Available",
    reason: "PodsFailing",
    observed: { ...observed(1, 0), failure: { reason: "PodsFailing", message: "no such file" } },
    phase: "Failed",
    message: "No replica is available: no such file",
  },
  {
    says: "replicas that took too long",
    type: "Available",
    reason: "DeadlineExceeded",
    observed: { ...observed(1, 0), failure: { reason: "DeadlineExceeded", message: "too slow" } },
    phase: "Failed",
    message: "too slow",
  },
  {
    says: "no replicas, as the spec says",
    type: "Available",
    reason: "ScaledToZero",
    spec: { replicas: 0 },
    observed: observed(0, 0),
    phase: "Pending",
    message: "set spec.replicas to 1",
  },
  {
    says: "no replicas, as an autoscaler says",
    type: "Available",
    reason: "ScaledToZero",
    spec: { autoscaling: { enabled: true, type: "keda", minReplicas: 0 } },
    observed: observed(0, 0),
    phase: "Pending",
    message: "No replica is wanted",
  },
  {
    says: "replicas that have not begun, and a tool that is out of reach",
    type: "Available",
    reason: "WaitingForPods",
    spec: TOOLS,
    references: theReferences({ toolRegistry: registryReference({ reachable: { a: false } }) }),
    phase: "Pending",
    message: "None of 1 replica is available yet",
  },
  {
    says: "an image that the operator does not allow",
    type: "Available",
    reason: "WaitingForReferences",
    spec: { image: "attacker.example/agent:1" },
    policy: { ...DEFAULT_TRUST_POLICY, allowedImages: ["agents.example/agents/*"] },
    phase: "Pending",
    message: 'The operator does not allow the image "attacker.example/agent:1"',
  },
  // PromptPackReady
  {
    says: "a pack that gives the prompt",
    type: "PromptPackReady",
    reason: "Resolved",
    observed: observed(1, 1),
    phase: "Running",
    message: 'PromptPack "prompts" gives prompt "support" of version 1.0.0',
  },
  {
    says: "a handler that runs no prompt",
    type: "PromptPackReady",
    reason: "NotReferenced",
    spec: ECHO,
    references: {},
    observed: observed(1, 1),
    phase: "Running",
    message: 'Handler "echo" runs no prompt',
  },
  {
    says: "a pack that is not there",
    type: "PromptPackReady",
    reason: "NotFound",
    spec: { promptPackRef: { name: "prompts", namespace: "shared" } },
    references: theReferences({ promptPack: { found: false } }),
    phase: "Pending",
    message: 'PromptPack "prompts" in namespace "shared" is not there',
  },
  {
    says: "a pack that never was valid",
    type: "PromptPackReady",
    reason: "Invalid",
    references: theReferences({ promptPack: packReference({ source: "{" }) }),
    phase: "Pending",
    message: 'PromptPack "prompts" has no valid version. ConfigMap "prompts-content"',
  },
  {
    says: "a pack whose last edit is broken",
    type: "PromptPackReady",
    reason: "Invalid",
    references: theReferences({ promptPack: packReference({ source: "{", kept: [theVersion()] }) }),
    observed: observed(1, 1),
    phase: "Running",
    message: "Version 1.0.0 goes on serving",
  },
  {
    says: "a prompt that the pack does not have",
    type: "PromptPackReady",
    reason: "PromptNotFound",
    spec: { promptPackRef: { name: "prompts", prompt: "sales" } },
    phase: "Pending",
    message:
      'PromptPack "prompts": the pack "customer-service" has no prompt "sales"; it has "support"',
  },
  {
    says: "a canary without the prompt",
    type: "PromptPackReady",
    reason: "PromptNotFound",
    references: theReferences({
      promptPack: packReference({
        kept: [theVersion()],
        canary: theVersion({ version: "2.0.0", prompts: { a: { id: "a" }, b: { id: "b" } } }),
      }),
    }),
    observed: observed(1, 1),
    phase: "Running",
    message: 'The canary version of PromptPack "prompts" cannot be used, and gets no sessions',
  },
  {
    says: "variables without a value",
    type: "PromptPackReady",
    reason: "VariablesMissing",
    references: theReferences({
      promptPack: packReference({
        kept: [theVersion({ prompts: { support: { system_template: "{{a}} {{b}}" } } })],
      }),
    }),
    phase: "Pending",
    message: '"a" is missing; "b" is missing',
  },
  // ToolRegistryReady
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
  // ProviderReady
  {
    says: "a key in a Secret",
    type: "ProviderReady",
    reason: "Resolved",
    observed: observed(1, 1),
    phase: "Running",
    message: 'The key for openai comes from Secret "openai-credentials", key "api-key"',
  },
  {
    says: "a key in the environment",
    type: "ProviderReady",
    reason: "Resolved",
    references: theReferences({
      providerSecret: { found: true, keys: [], source: "environment", name: "OPENAI_API_KEY" },
    }),
    observed: observed(1, 1),
    phase: "Running",
    message: "the environment variable OPENAI_API_KEY",
  },
  {
    says: "parameters of the spec, the pack and its canary that the model is not asked with",
    type: "ProviderReady",
    reason: "Resolved",
    spec: {
      provider: {
        name: "openai",
        model: "o3",
        apiKeySecretRef: { name: "openai-credentials", key: "api-key" },
        parameters: { seed: 7, maxTokens: 100, temperature: 0.5 },
      },
    },
    references: theReferences({
      promptPack: packReference({
        kept: [theVersion({ prompts: { support: { parameters: { top_k: 5, temperature: 1 } } } })],
        canary: theVersion({ prompts: { support: { parameters: { top_k: 5, top_p: 0.5 } } } }),
      }),
    }),
    observed: observed(1, 1),
    phase: "Running",
    message:
      'The key for openai comes from Secret "openai-credentials", key "api-key". Parameters: ' +
      'seed is not sent, since only chat completions have it (provider.api "chat"); ' +
      'temperature is not sent, since the model "o3" takes none; ' +
      "top_k of the pack is not sent, since OpenAI's protocol has none; " +
      'top_p of the pack is not sent, since the model "o3" takes none',
  },
  {
    says: "a handler that needs no provider, whatever is said of one",
    type: "ProviderReady",
    reason: "NotNeeded",
    spec: { facade: { handler: "demo" } },
    references: {},
    observed: observed(1, 1),
    phase: "Running",
    message: 'Handler "demo" runs no model',
  },
  {
    says: "a Secret that is not there",
    type: "ProviderReady",
    reason: "SecretNotFound",
    references: theReferences({ providerSecret: { found: false, hint: "set OPENAI_API_KEY" } }),
    phase: "Pending",
    message:
      'Secret "openai-credentials" is not there; make it, with the key "api-key", or set OPENAI_API_KEY',
  },
  {
    says: "an endpoint that the operator does not allow",
    type: "ProviderReady",
    reason: "NotAllowed",
    spec: {
      provider: {
        name: "openai",
        model: "gpt-4.1",
        apiKeySecretRef: { name: "openai-credentials", key: "api-key" },
        baseURL: "https://attacker.example/v1",
      },
    },
    policy: {
      ...DEFAULT_TRUST_POLICY,
      allowedBaseURLHosts: ["llm.example", "*.models.svc"],
    },
    phase: "Pending",
    message:
      'provider.baseURL names the host "attacker.example", which the operator does not allow; use one of llm.example, *.models.svc',
  },
  {
    says: "a Secret without the key",
    type: "ProviderReady",
    reason: "SecretKeyMissing",
    references: theReferences({ providerSecret: secret("openai-credentials", "key", "token") }),
    phase: "Pending",
    message: 'nothing under the key "api-key"; it has "key", "token"',
  },
  {
    says: "a key that no header can take",
    type: "ProviderReady",
    reason: "InvalidKey",
    references: theReferences({
      providerSecret: {
        ...secret("openai-credentials", "api-key"),
        unfitValues: { "api-key": "it holds a line break (2 lines)" },
      },
    }),
    phase: "Pending",
    message:
      'The key from Secret "openai-credentials", key "api-key" cannot be sent: it holds a line break (2 lines). Write the key alone into the Secret',
  },
  {
    says: "a key of the environment that no header can take",
    type: "ProviderReady",
    reason: "InvalidKey",
    references: theReferences({
      providerSecret: {
        found: true,
        keys: [],
        source: "environment",
        name: "OPENAI_API_KEY",
        unfitValues: { "api-key": "it holds a blank" },
      },
    }),
    phase: "Pending",
    message: "it holds a blank. Write the key alone into OPENAI_API_KEY",
  },
  {
    says: "another key of the Secret that no header can take",
    type: "ProviderReady",
    reason: "Resolved",
    references: theReferences({
      providerSecret: {
        ...secret("openai-credentials", "api-key", "notes"),
        unfitValues: { notes: "it holds a blank" },
      },
    }),
    observed: observed(1, 1),
    phase: "Running",
    message: "The key for openai comes from",
  },
  // SessionStoreReady
  {
    says: "a URL in a Secret",
    type: "SessionStoreReady",
    reason: "Resolved",
    spec: REDIS,
    references: theReferences({ sessionStoreSecret: redisSecret }),
    observed: observed(1, 1),
    phase: "Running",
    message: 'Secret "redis-credentials", key "url"',
  },
  {
    says: "sessions in memory",
    type: "SessionStoreReady",
    reason: "NotNeeded",
    observed: observed(1, 1),
    phase: "Running",
    message: "memory of each replica",
  },
  {
    says: "a runtime that has a memory of its own",
    type: "SessionStoreReady",
    reason: "Resolved",
    spec: {
      ...REDIS,
      env: [
        { name: "OMNIA_RUNTIME_COMMAND", value: "python server.py" },
        { name: "OMNIA_RUNTIME_PROTOCOL", value: "omnia.runtime.v1" },
      ],
    },
    references: theReferences({ sessionStoreSecret: redisSecret }),
    observed: observed(1, 1),
    phase: "Running",
    message: "no other replica takes over a turn whose replica ends",
  },
  {
    says: "a Secret of the store that is not there",
    type: "SessionStoreReady",
    reason: "SecretNotFound",
    spec: REDIS,
    references: theReferences({ sessionStoreSecret: { found: false, hint: "set REDIS_URL" } }),
    phase: "Pending",
    message: "or set REDIS_URL",
  },
  {
    says: "a Secret of the store without the key",
    type: "SessionStoreReady",
    reason: "SecretKeyMissing",
    spec: REDIS,
    references: theReferences({ sessionStoreSecret: secret("redis-credentials") }),
    phase: "Pending",
    message: "it is empty",
  },
  {
    says: "a URL that is of no Redis",
    type: "SessionStoreReady",
    reason: "InvalidURL",
    spec: REDIS,
    references: theReferences({
      sessionStoreSecret: {
        ...redisSecret,
        urlProblem: "it must begin with redis:// or rediss://",
      },
    }),
    phase: "Pending",
    message: "cannot be used: it must begin with redis:// or rediss://",
  },
  {
    says: "a replica that runs and cannot reach its store",
    type: "SessionStoreReady",
    reason: "Unreachable",
    spec: REDIS,
    references: theReferences({ sessionStoreSecret: redisSecret }),
    observed: {
      ...observed(1, 0),
      reports: [{ about: "session-store", message: "the session store does not answer" }],
    },
    phase: "Pending",
    message: "A replica runs and is not ready: the session store does not answer",
  },
  {
    says: "a key that a replica cannot use",
    type: "ProviderReady",
    reason: "InvalidKey",
    spec: { replicas: 2 },
    observed: {
      ...observed(2, 1),
      reports: [{ about: "provider", message: "the provider's API key is empty" }],
    },
    phase: "Running",
    message: "the provider's API key is empty",
  },
  {
    says: "a replica that says why it is not ready",
    type: "Available",
    reason: "WaitingForPods",
    observed: { ...observed(1, 0), reports: [{ message: "a" }, { message: "b" }] },
    phase: "Pending",
    message: "None of 1 replica is available yet: a replica runs and is not ready: a; b",
  },
  // Progressing
  {
    says: "all replicas of the newest spec",
    type: "Progressing",
    reason: "Complete",
    spec: { replicas: 2 },
    observed: observed(2, 2),
    phase: "Running",
    message: "(2)",
  },
  {
    says: "old replicas that are still there",
    type: "Progressing",
    reason: "RollingOut",
    observed: { ...observed(2, 2), updatedReplicas: 1 },
    phase: "Running",
    message: "newest spec",
  },
  {
    says: "a spec that nothing has seen yet",
    type: "Progressing",
    reason: "RollingOut",
    observed: { ...observed(1, 1), updatedReplicas: undefined },
    phase: "Running",
    message: "newest spec",
  },
  {
    says: "nothing that could run",
    type: "Progressing",
    reason: "WaitingForReferences",
    references: theReferences({ promptPack: { found: false } }),
    phase: "Pending",
    message: 'PromptPack "prompts" is not there',
  },
  ...(["RolloutStuck", "Quota", "Unschedulable", "ImagePull"] as const).map((reason): Case => ({
    says: `an obstacle, ${reason}`,
    type: "Progressing",
    reason,
    spec: { replicas: 3 },
    observed: { ...observed(1, 1), obstacle: { reason, message: "why" } },
    phase: "Running",
    message: "why",
  })),
  {
    says: "a spec that asks for no autoscaling",
    type: "AutoscalingReady",
    reason: "NotEnabled",
    phase: "Pending",
    message: "asks for no autoscaling",
  },
  ...(
    [
      ["Active", { state: "working" }, "keeps between 1 and 10 replicas"],
      ["WaitingForAutoscaler", { state: "waiting" }, "Nothing acts on"],
      ["KedaNotInstalled", { state: "not-installed" }, "install KEDA"],
      ["Refused", { state: "refused", message: "why" }, "why"],
      ["MetricsUnavailable", { state: "failing", message: "why" }, "why"],
    ] as const
  ).map(([reason, autoscaler, message]): Case => ({
    says: `an autoscaler that is ${autoscaler.state}`,
    type: "AutoscalingReady",
    reason,
    spec: { autoscaling: { enabled: true } },
    observed: observed(1, 1),
    autoscaler,
    phase: "Running",
    message,
  })),
];

/** The condition Ready in a world. */
function readyIn(given: Parameters<typeof decided>[0]): string {
  const found = decided(given).status.conditions?.find(({ type }) => type === "Ready");
  return `${found?.status} ${found?.reason}`;
}

describe("the status of an AgentRuntime", () => {
  it.each(CASES)(
    "tells of $says: $type is $reason",
    ({ type, reason, phase, message, ...given }) => {
      const { status } = decided(given);
      const reasons: { true: readonly string[] } = CONDITIONS.AgentRuntime[type];
      expect(status.conditions?.find((one) => one.type === type)).toMatchObject({
        status: reasons.true.includes(reason) ? "True" : "False",
        reason,
        message: expect.stringContaining(message) as string,
        observedGeneration: 1,
        lastTransitionTime: "2026-03-01T12:00:00Z",
      });
      expect(status.phase).toBe(phase);
    },
  );

  it("knows every reason of the table, and tells its conditions in their order", () => {
    // A second operator tells of it, not the decision.
    const { Managed: _managed, ...decidedTypes } = CONDITIONS.AgentRuntime;
    const { Ready: _, ...parts } = decidedTypes;
    for (const [type, reasons] of Object.entries(parts)) {
      const told = CASES.filter((one) => one.type === type).map(({ reason }) => reason);
      expect([...new Set(told)].toSorted()).toEqual(
        [...reasons.true, ...reasons.notTrue].toSorted(),
      );
    }
    const types = decided().status.conditions?.map(({ type }) => type);
    expect(types).toEqual(Object.keys(decidedTypes));
  });

  it("counts replicas, and says where clients connect and which pack runs", () => {
    const { status, config } = decided({ spec: { replicas: 3 }, observed: observed(3, 2) });
    expect(status).toMatchObject({
      replicas: 3,
      readyReplicas: 2,
      availableReplicas: 2,
      ready: "2/3",
      selector: "app.kubernetes.io/name=omnia-agent,app.kubernetes.io/instance=support",
      endpoint: "ws://support.agents.svc:8080/ws",
      observedGeneration: 1,
      promptPackVersion: config?.prompt?.active.version,
    });
    const local = decided({ endpoint: "ws://localhost:8080/?agent=support&namespace=agents" });
    expect(local.status.endpoint).toContain("localhost");
  });

  it("names what it waits for, and nothing that is well", () => {
    const { status } = decided({
      spec: TOOLS,
      references: theReferences({
        promptPack: { found: false },
        toolRegistry: registryReference(),
      }),
    });
    expect(status.conditions?.[0]?.message).toBe(
      'PromptPack "prompts" is not there; make it, or correct promptPackRef',
    );
  });

  it("says nothing of an endpoint while there is nothing to connect to", () => {
    const { status, config, workload } = decided({ references: {} });
    expect([config, workload]).toEqual([undefined, undefined]);
    expect(status).toMatchObject({ replicas: 0, ready: "0/1" });
    expect(status).not.toHaveProperty("endpoint");
    expect(status).not.toHaveProperty("promptPackVersion");
  });

  it("keeps the time of a condition while its status stays, and carries the generation", () => {
    const { status } = decided({ observed: observed(1, 0) });
    const agentRuntime = anAgentRuntime({ metadata: { generation: 7 }, status });
    const later = decideAgentRuntime({
      agentRuntime,
      references: theReferences(),
      observed: observed(1, 1),
      previous: {},
      now: NOW + 60_000,
    });
    expect(later.status.conditions).toMatchObject([
      { status: "True", lastTransitionTime: "2026-03-01T12:01:00Z", observedGeneration: 7 },
      { status: "True", lastTransitionTime: "2026-03-01T12:00:00Z", observedGeneration: 7 },
      {},
      {},
      {},
      {},
      {},
      { status: "True", lastTransitionTime: "2026-03-01T12:01:00Z", observedGeneration: 7 },
    ]);
  });

  it("tells of a change that is being rolled out", () => {
    const { status } = decided({ observed: { ...observed(1, 1), updatedReplicas: 0 } });
    expect(status.conditions?.[0]?.message).toBe(
      "1 of 1 replica available; a change is being rolled out",
    );
  });
});

describe("Ready", () => {
  it("is everything as the newest spec wants it, and nothing less", () => {
    const spec = { replicas: 3 };
    expect(readyIn({ spec, observed: observed(3, 3) })).toBe("True AsWanted");
    expect(readyIn({ spec, observed: observed(3, 1) })).toBe("False RollingOut");
    expect(readyIn({ spec, observed: undefined })).toBe("False WaitingForPods");
    const old = { ...observed(3, 3), updatedReplicas: 2 };
    expect(readyIn({ spec, observed: old })).toBe("False RollingOut");
    const surge = { ...observed(4, 4), updatedReplicas: 3 };
    expect(readyIn({ spec, observed: surge })).toBe("False RollingOut");
    const unseen = { ...observed(3, 3), updatedReplicas: undefined };
    expect(readyIn({ spec, observed: unseen })).toBe("False RollingOut");
    expect(readyIn({ spec, observed: observed(2, 2) })).toBe("False RollingOut");
    expect(readyIn({ spec: { replicas: 0 }, observed: observed(0, 0) })).toBe("True ScaledToZero");
    expect(readyIn({ spec: { replicas: 0 }, observed: observed(1, 1) })).toBe("False RollingOut");
  });

  it("counts the replicas that an autoscaler wants, whatever the spec says", () => {
    const spec = { replicas: 1, autoscaling: { enabled: true } };
    const scaled = (available: number) => ({ ...observed(2, available), scaledTo: 5 });
    expect(readyIn({ spec, observed: scaled(2) })).toBe("False RollingOut");
    expect(readyIn({ spec, observed: { ...observed(5, 5), scaledTo: 5 } })).toBe("True AsWanted");
  });

  it("is not, while replicas run whose spec has come to name an image that is not allowed", () => {
    const policy = { ...DEFAULT_TRUST_POLICY, allowedImages: ["agents.example/*"] };
    const given = { spec: { image: "other.example/a:1" }, policy, observed: observed(1, 1) };
    expect(readyIn(given)).toBe("False RolloutStuck");
    expect(decided(given).status.phase).toBe("Running");
  });

  it("has the reason of what is to be mended first", () => {
    const failure = { reason: "PodsFailing", message: "m" } as const;
    const failing = { ...observed(2, 1), failure };
    expect(readyIn({ spec: { replicas: 2 }, observed: failing })).toBe("False PodsFailing");
    const stuck = { ...failing, obstacle: { reason: "RolloutStuck", message: "m" } } as const;
    expect(readyIn({ observed: stuck })).toBe("False RolloutStuck");
    const none = { ...stuck, availableReplicas: 0 };
    expect(readyIn({ observed: none })).toBe("False PodsFailing");
    const quota = { ...none, obstacle: { reason: "Quota", message: "m" } } as const;
    expect(readyIn({ observed: quota })).toBe("False Quota");
    const references = theReferences({ providerSecret: { found: false } });
    expect(readyIn({ references, observed: quota })).toBe("False SecretNotFound");
    const tools = theReferences({ toolRegistry: registryReference({ reachable: { a: false } }) });
    expect(readyIn({ spec: TOOLS, references: tools, observed: observed(1, 1) })).toBe(
      "False Failed",
    );
  });

  it("is False in every case in which another condition is, with a reason of another", () => {
    for (const {
      type: _type,
      reason: _reason,
      phase: _phase,
      message: _message,
      ...given
    } of CASES) {
      const conditions = decided(given).status.conditions ?? [];
      // Replicas that are all available are as wanted, although nothing changes their number.
      const others = conditions.filter(({ type }) => !/^(Autoscaling)?Ready$/.test(type));
      const broken = others.filter(
        ({ status, reason }) => status !== "True" && reason !== "ScaledToZero",
      );
      const found = conditions.find(({ type }) => type === "Ready");
      const reasons = broken.map(({ reason }) => reason);
      expect(broken.length === 0 || found?.status === "False").toBe(true);
      expect(reasons.length === 0 ? [found?.reason] : reasons).toContain(found?.reason);
    }
  });

  it("may have every reason that another condition of what serves clients may have when it does not hold", () => {
    const { Ready: own, AutoscalingReady: _, ...parts } = CONDITIONS.AgentRuntime;
    const reasons = Object.values(parts).flatMap(({ notTrue }) => notTrue as readonly string[]);
    const all = new Set([...reasons, "RollingOut"].filter((reason) => reason !== "ScaledToZero"));
    expect([...own.notTrue].toSorted()).toEqual([...all].toSorted());
  });
});

describe("a reference that breaks later", () => {
  const spec = { ...REDIS, ...TOOLS };
  const good = theReferences({
    toolRegistry: registryReference(),
    sessionStoreSecret: redisSecret,
  });
  const before = decided({ spec, references: good });
  const previous = {
    config: before.config,
    secretFiles: before.workload?.secretFiles ?? [],
  };

  it.each([
    ["a pack that went", { promptPack: { found: false } }, "PromptPackReady"],
    [
      "a pack without valid version",
      { promptPack: packReference({ source: "{" }) },
      "PromptPackReady",
    ],
    ["a registry that went", { toolRegistry: { found: false } }, "ToolRegistryReady"],
    ["a Secret that went", { providerSecret: { found: false } }, "ProviderReady"],
    ["a key that went", { providerSecret: secret("openai-credentials") }, "ProviderReady"],
    ["a store's Secret that went", { sessionStoreSecret: { found: false } }, "SessionStoreReady"],
    [
      "a store's URL that broke",
      { sessionStoreSecret: { ...redisSecret, urlProblem: "x" } },
      "SessionStoreReady",
    ],
  ] as [string, AgentReferences, string][])(
    "changes nothing but its condition: %s",
    (_what, broken, type) => {
      const after = decided({
        spec,
        references: { ...good, ...broken },
        previous,
        observed: observed(1, 1),
      });
      expect(after.config).toEqual(before.config);
      expect(after.workload).toEqual(before.workload);
      expect(after.status.phase).toBe("Running");
      const notTrue = after.status.conditions?.filter(({ status }) => status !== "True");
      expect(notTrue?.map((condition) => condition.type)).toEqual([type, "Ready"]);
      expect(notTrue?.[1]).toMatchObject({ reason: notTrue?.[0]?.reason });
    },
  );

  it.each([
    [
      "a pack, without which replicas start as before",
      { promptPack: { found: false } },
      "WaitingForPods",
    ],
    [
      "a Secret, without which none becomes ready",
      { providerSecret: { found: false } },
      "WaitingForReferences",
    ],
  ] as [string, AgentReferences, string][])(
    "is what replicas wait for only where they do: %s",
    (_what, broken, reason) => {
      const references = { ...good, ...broken };
      const after = decided({ spec, references, previous, observed: observed(1, 0) });
      expect(after.workload).toEqual(before.workload);
      expect(after.status).toMatchObject({ phase: "Pending" });
      expect(after.status.conditions?.[0]).toMatchObject({ type: "Available", reason });
    },
  );

  it("never sends the key of one provider to another", () => {
    const anthropic = {
      ...spec,
      provider: {
        name: "anthropic",
        model: "claude",
        apiKeySecretRef: { name: "other", key: "key" },
      },
    };
    const references = { ...good, providerSecret: { found: false } as const };
    const after = decided({ spec: anthropic, references, previous });
    expect(after.config?.provider).toEqual(before.config?.provider);
    expect(after.workload?.secretFiles).toEqual(before.workload?.secretFiles);
  });

  it("lets other changes of the spec through", () => {
    const references = { ...good, promptPack: { found: false } as const };
    const after = decided({
      spec: { ...spec, replicas: 5, facade: { port: 9000 } },
      references,
      previous,
    });
    expect(after.workload).toMatchObject({ replicas: 5, port: 9000 });
    expect(after.config?.facade.port).toBe(9000);
    expect(after.config?.prompt).toEqual(before.config?.prompt);
  });

  it("keeps a demo running that was to become a real agent", () => {
    const demo = decided({ spec: { facade: { handler: "demo" } }, references: {} });
    const after = decided({
      references: {},
      previous: { config: demo.config },
      observed: observed(1, 1),
    });
    expect(after.config).toEqual(demo.config);
    expect(after.status.phase).toBe("Running");
  });

  it("lets nobody in when the Secret of the API keys goes", () => {
    const withAuth = { ...spec, facade: { auth: { apiKeysSecretRef: { name: "clients" } } } };
    const after = decided({ spec: withAuth, references: good, previous });
    expect(after.config?.facade.auth).toEqual({
      apiKeysFolder: "secrets/api-keys",
      apiKeysSecret: "clients",
    });
  });
});

describe("handlers without a model", () => {
  it.each(["echo", "demo"])("run with nothing at all: %s", (handler) => {
    const { config, workload, status } = decided({ spec: { facade: { handler } }, references: {} });
    expect(config).toEqual({
      version: 1,
      agent: { name: "support", namespace: "agents" },
      handler,
      facade: { port: 8080 },
      session: { type: "memory", ttlMs: 3_600_000 },
      tools: [],
    });
    expect(workload?.secretFiles).toEqual([]);
    expect(status.conditions?.slice(1, 5).map(({ status }) => status)).toEqual(
      Array(4).fill("True"),
    );
  });

  it("start without the Secret of their store, and say that it is missing", () => {
    const { config, status } = decided({ spec: { ...ECHO, ...REDIS }, references: {} });
    expect(config?.session.type).toBe("redis");
    expect(status.conditions?.find(({ type }) => type === "SessionStoreReady")).toMatchObject({
      reason: "SecretNotFound",
    });
  });
});

describe("any world", () => {
  const anySecret = fc.constantFrom(
    undefined,
    { found: false } as const,
    secret("s"),
    secret("s", "api-key", "url", "t"),
  );
  const anyWorld = fc.record({
    spec: fc.record({
      replicas: fc.constantFrom(0, 1, 3),
      handler: fc.constantFrom("runtime", "demo", "echo"),
      redis: fc.boolean(),
      tools: fc.boolean(),
      auth: fc.boolean(),
      autoscaling: fc.boolean(),
      image: fc.boolean(),
    }),
    promptPack: fc.constantFrom(
      undefined,
      { found: false } as const,
      packReference({ source: "{" }),
      packReference(),
      packReference({ source: "{", kept: [theVersion()] }),
      packReference({ kept: [theVersion()], canary: theVersion({ version: "2.0.0" }) }),
    ),
    toolRegistry: fc.constantFrom(
      undefined,
      { found: false } as const,
      registryReference(),
      registryReference({ reachable: { a: true, b: false } }),
    ),
    providerSecret: anySecret,
    sessionStoreSecret: anySecret,
    apiKeysSecret: anySecret,
    observed: fc.constantFrom(
      undefined,
      observed(0, 0),
      observed(1, 0),
      observed(3, 2),
      observed(3, 3),
      { ...observed(1, 0), failure: { reason: "PodsFailing" as const, message: "m" } },
      { ...observed(1, 1), obstacle: { reason: "Quota" as const, message: "m" } },
      { ...observed(2, 1), reports: [{ about: "session-store" as const, message: "m" }] },
    ),
  });
  type World = typeof anyWorld extends fc.Arbitrary<infer W> ? W : never;

  function inputOf(
    world: World,
    before?: ReturnType<typeof decideAgentRuntime>,
    now = NOW,
  ): AgentRuntimeInput {
    const { handler, redis, tools, auth, autoscaling, image, replicas } = world.spec;
    const { promptPack, toolRegistry, providerSecret, sessionStoreSecret, apiKeysSecret } = world;
    return {
      agentRuntime: anAgentRuntime({
        spec: {
          replicas,
          facade: { handler, ...(auth ? { auth: { apiKeysSecretRef: { name: "clients" } } } : {}) },
          ...(redis ? REDIS : {}),
          ...(tools ? TOOLS : {}),
          ...(autoscaling ? { autoscaling: { enabled: true } } : {}),
          ...(image ? { image: "example/agent:1" } : {}),
        },
        status: before?.status,
      }),
      references: { promptPack, toolRegistry, providerSecret, sessionStoreSecret, apiKeysSecret },
      observed: world.observed,
      previous: {
        config: before?.config,
        secretFiles: before?.workload?.secretFiles,
      },
      now,
    };
  }

  it("is decided alike a second time, so that nothing is written when nothing changed", () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const first = decideAgentRuntime(inputOf(world));
        const second = decideAgentRuntime(inputOf(world, first, NOW + 60_000));
        expect(second).toEqual(first);
        expect(JSON.stringify(second.config)).toBe(JSON.stringify(first.config));
      }),
    );
  });

  it("leaves a running agent running, and a status that does not lie", () => {
    fc.assert(
      fc.property(anyWorld, anyWorld, (world, next) => {
        const first = decideAgentRuntime(inputOf(world));
        const second = decideAgentRuntime(inputOf(next, first));
        const { config, workload, status } = second;
        expect(config !== undefined || first.config === undefined).toBe(true);
        expect(workload !== undefined).toBe(config !== undefined);
        expect(config === undefined || agentConfigSchema.safeParse(config).success).toBe(true);
        const isAvailable = status.conditions?.[0]?.status === "True";
        expect(isAvailable).toBe((next.observed?.availableReplicas ?? 0) > 0);
        expect(status.phase === "Running").toBe(isAvailable);
        const [isReady, ...others] = (status.conditions ?? []).toReversed();
        const areWell = others.every(
          (other) => other.status === "True" || other.reason === "ScaledToZero",
        );
        expect(isReady?.status !== "True" || areWell).toBe(true);
        // A file that the config names is among those that the workload has.
        const files = workload?.secretFiles.map(({ path }) => path) ?? [];
        const named = [config?.provider?.apiKeyFile, config?.session.storeURLFile];
        expect(files).toEqual(expect.arrayContaining(named.filter((path) => path !== undefined)));
      }),
    );
  });
});
