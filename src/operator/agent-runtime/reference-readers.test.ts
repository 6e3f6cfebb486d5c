import { describe, expect, it } from "vitest";
import {
  NOW,
  packReference,
  registryReference,
} from "../../../test/support/builders/a-decision.ts";
import {
  anAgentRuntime,
  anAgentRuntimeWithReferences,
} from "../../../test/support/builders/resources.ts";
import type { AgentRuntime } from "../../api/agent-runtime.ts";
import { decideAgentRuntime } from "../../control/agent-runtime/decide-agent-runtime.ts";
import { gatherReferences } from "../../control/agent-runtime/gather-references.ts";
import type { AgentReferences } from "../../control/agent-runtime/references.ts";
import { ConnectionError } from "../../kube/client/api-error.ts";
import { type SecretFacts, secretFacts } from "../cluster/secret-reader.ts";
import { clusterReaders } from "./reference-readers.ts";

const { signal } = new AbortController();
const TOKEN = { name: "token", key: "value" };

interface World {
  /** Key of the Secret → its values. */
  secrets?: Record<string, Record<string, string>>;
  namespaces?: string[];
}

/** What the agent refers to in a cluster where every pack and registry is, and what was asked for. */
async function gathered(
  agentRuntime: AgentRuntime,
  { secrets = {}, namespaces = [] }: World = {},
): Promise<{ references: AgentReferences; asked: string[] }> {
  const asked: string[] = [];
  const give = async <T>(key: string, answer: T): Promise<T> => {
    asked.push(key);
    return answer;
  };
  const readers = clusterReaders(
    {
      promptPacks: { reference: (key) => give(key, packReference()) },
      toolRegistries: {
        reference: (key) => give(key, registryReference({ entry: { authSecretRef: TOKEN } })),
      },
      secrets: { facts: (key) => give(key, factsOf(secrets[key])) },
      namespaceObjects: new Map(),
      namespaces,
    },
    signal,
  );
  return { references: await gatherReferences(agentRuntime, readers), asked };
}

function factsOf(values: Record<string, string> | undefined): SecretFacts | undefined {
  if (values === undefined) return undefined;
  const data = Object.entries(values).map(([name, value]) => [name, btoa(value)]);
  return secretFacts({ metadata: { name: "any" }, data: Object.fromEntries(data) });
}

describe("the readers of a cluster", () => {
  it("ask for each object by its key, and tell of Secrets without their values", async () => {
    const agentRuntime = anAgentRuntimeWithReferences();
    const { references, asked } = await gathered(agentRuntime, {
      secrets: {
        "agents/openai-credentials": { "api-key": "sk-1", empty: "", example: "<your key>" },
        "agents/store": { url: "http://store" },
      },
    });
    expect(new Set(asked)).toEqual(
      new Set([
        "packs/prompts",
        "shared/tools",
        "agents/openai-credentials",
        "agents/store",
        "agents/clients",
        "agents/token",
      ]),
    );
    expect(references).toMatchObject({
      promptPack: { found: true },
      toolRegistry: { found: true },
      providerSecret: { found: true, keys: ["api-key"], source: "secret" },
      sessionStoreSecret: { found: true, keys: ["url"] },
      apiKeysSecret: { found: false },
      toolSecrets: { token: { found: false } },
    });
    expect(references.sessionStoreSecret?.urlProblem).toBeTypeOf("string");
    expect(JSON.stringify(references)).not.toContain("sk-1");
  });

  it("tell which values cannot be sent, by what they are for, and never the values", async () => {
    const { references } = await gathered(anAgentRuntimeWithReferences(), {
      secrets: {
        "agents/openai-credentials": {
          "api-key": "sk-1\nsk-2",
          other: "two words",
          good: "sk-3\n",
        },
        "agents/token": { value: "two words", other: "a\nb" },
      },
    });
    expect(references.providerSecret).toMatchObject({
      unfitValues: { "api-key": "it holds a line break (2 lines)", other: "it holds a blank" },
    });
    expect(references.toolSecrets?.["token"]).toMatchObject({
      unfitValues: { other: "it holds a line break (2 lines)" },
    });
    expect(JSON.stringify(references)).not.toMatch(/sk-|two words/);
    const { status } = decideAgentRuntime({
      agentRuntime: anAgentRuntimeWithReferences(),
      references,
      observed: undefined,
      previous: {},
      now: NOW,
    });
    expect(status.conditions).toContainEqual(
      expect.objectContaining({ type: "ProviderReady", status: "False", reason: "InvalidKey" }),
    );
  });

  it("do not ask for what the operator does not watch, and the conditions say so", async () => {
    const agentRuntime = anAgentRuntime({
      spec: {
        promptPackRef: { name: "prompts", namespace: "packs" },
        toolRegistryRef: { name: "tools", namespace: "agents" },
      },
    });
    const { references, asked } = await gathered(agentRuntime, { namespaces: ["agents"] });
    expect(asked).not.toContain("packs/prompts");
    expect(references.toolRegistry).toMatchObject({ found: true });
    const { status } = decideAgentRuntime({
      agentRuntime,
      references,
      observed: undefined,
      previous: {},
      now: NOW,
    });
    expect(status.conditions).toContainEqual(
      expect.objectContaining({
        type: "PromptPackReady",
        reason: "NotFound",
        message:
          'PromptPack "prompts" in namespace "packs" is not there; make it, have the operator watch the namespace "packs", or correct promptPackRef',
      }),
    );
  });

  it("do not take what cannot be read for missing", async () => {
    const cut = new ConnectionError("cut");
    const readers = clusterReaders(
      {
        promptPacks: { reference: async () => packReference() },
        toolRegistries: { reference: async () => registryReference() },
        secrets: { facts: () => Promise.reject(cut) },
        namespaceObjects: new Map(),
        namespaces: [],
      },
      signal,
    );
    await expect(gatherReferences(anAgentRuntime(), readers)).rejects.toBe(cut);
  });
});
