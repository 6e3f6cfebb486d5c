import { describe, expect, it } from "vitest";
import { packReference, registryReference } from "../../../test/support/builders/a-decision.ts";
import {
  anAgentRuntime,
  anAgentRuntimeWithReferences,
} from "../../../test/support/builders/resources.ts";
import type { AgentRuntime } from "../../api/agent-runtime.ts";
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
