import { describe, expect, it } from "vitest";
import { packReference, registryReference } from "../../../test/support/builders/a-decision.ts";
import {
  anAgentRuntime,
  anAgentRuntimeWithReferences,
} from "../../../test/support/builders/resources.ts";
import type { AgentRuntime } from "../../api/agent-runtime.ts";
import { DEFAULT_TRUST_POLICY } from "../trust-policy.ts";
import { gatherReferences, type ReferenceReaders } from "./gather-references.ts";
import type { AgentReferences } from "./references.ts";

/** Readers for a world where everything is there, and a list of what they were asked for. */
function recordingReaders(toolSecrets: readonly string[] = []): {
  readers: ReferenceReaders;
  asked: string[];
} {
  const asked: string[] = [];
  const reachable = Object.fromEntries(toolSecrets.map((_, index) => [`tool-${index}`, true]));
  const [name] = toolSecrets;
  const entry = name === undefined ? {} : { authSecretRef: { name, key: "value" } };
  return {
    asked,
    readers: {
      async promptPack(at) {
        asked.push(`PromptPack ${at.namespace}/${at.name}`);
        return packReference();
      },
      async toolRegistry(at) {
        asked.push(`ToolRegistry ${at.namespace}/${at.name}`);
        return registryReference({ reachable, entry });
      },
      async secret(at, use) {
        asked.push(`Secret ${at.namespace}/${at.name} as ${Object.values(use).join(" ")}`);
        return { found: true, keys: ["any"], source: "secret", name: at.name };
      },
      namespaceLabels: async () => ({}),
    },
  };
}

async function gathered(
  agentRuntime: AgentRuntime,
  toolSecrets?: readonly string[],
): Promise<{ references: AgentReferences; asked: string[] }> {
  const { readers, asked } = recordingReaders(toolSecrets);
  return { references: await gatherReferences(agentRuntime, readers), asked };
}

describe("gatherReferences", () => {
  it("asks for nothing when an agent refers to nothing", async () => {
    const agentRuntime = anAgentRuntime({ spec: { facade: { handler: "echo" } } });
    expect(await gathered(agentRuntime)).toEqual({ references: {}, asked: [] });
  });

  it("looks for packs and registries where the reference says, and for Secrets where the agent is", async () => {
    const agentRuntime = anAgentRuntimeWithReferences();
    const { references, asked } = await gathered(agentRuntime, ["token"]);
    expect(asked.toSorted()).toEqual([
      "PromptPack packs/prompts",
      "Secret agents/clients as api-keys",
      "Secret agents/openai-credentials as provider openai api-key",
      "Secret agents/store as session-store url",
      "Secret agents/token as tool",
      "ToolRegistry shared/tools",
    ]);
    expect(references).toMatchObject({
      promptPack: { found: true },
      toolRegistry: { found: true },
      providerSecret: { name: "openai-credentials" },
      sessionStoreSecret: { name: "store" },
      apiKeysSecret: { name: "clients" },
      toolSecrets: { token: { name: "token" } },
    });
  });

  it("looks in the agent's own namespace for a pack and a registry whose reference names none", async () => {
    const agentRuntime = anAgentRuntime({
      spec: { promptPackRef: { name: "prompts" }, toolRegistryRef: { name: "tools" } },
    });
    const { asked } = await gathered(agentRuntime);
    expect(asked).toContain("PromptPack agents/prompts");
    expect(asked).toContain("ToolRegistry agents/tools");
  });

  it("asks once for a Secret that several tools share", async () => {
    const agentRuntime = anAgentRuntime({ spec: { toolRegistryRef: { name: "tools" } } });
    const { asked } = await gathered(agentRuntime, ["token", "token"]);
    expect(asked.filter((one) => one.endsWith("as tool"))).toEqual(["Secret agents/token as tool"]);
  });

  it("takes an object of another namespace that does not allow the agent's for one that is not there", async () => {
    const agentRuntime = anAgentRuntimeWithReferences();
    const world = recordingReaders();
    const read = async (
      promptPack: ReferenceReaders["promptPack"],
      crossNamespaceReferences: "Allowed" | "Granted",
    ): Promise<object | undefined> => {
      const policy = { ...DEFAULT_TRUST_POLICY, crossNamespaceReferences };
      const readers = { ...world.readers, promptPack };
      return (await gatherReferences(agentRuntime, readers, policy)).promptPack;
    };
    const silent = packReference();
    const closed = { ...silent, allowedNamespaces: { from: "Same" } } as const;
    const open = { ...silent, allowedNamespaces: { from: "All" } } as const;
    const refused = {
      found: false,
      isRefused: true,
      hint: 'have it allow namespace "agents" in its allowedNamespaces',
    };
    expect(await read(async () => silent, "Allowed")).toBe(silent);
    expect(await read(async () => silent, "Granted")).toEqual(refused);
    expect(await read(async () => closed, "Allowed")).toEqual(refused);
    expect(await read(async () => open, "Granted")).toBe(open);
    const { isRefused: _, ...absent } = refused;
    expect(await read(async () => ({ found: false }), "Granted")).toEqual(absent);
  });

  it("does not take what cannot be read for missing", async () => {
    const cut = new Error("cut");
    const { readers } = recordingReaders();
    const gathering = gatherReferences(anAgentRuntime(), {
      ...readers,
      secret: () => Promise.reject(cut),
    });
    await expect(gathering).rejects.toBe(cut);
  });
});
