import { describe, expect, it } from "vitest";
import { parseManifests } from "../api/manifest/manifest.ts";
import type { FoundPromptPack } from "./prompt-packs.ts";
import { gatherReferences } from "../control/agent-runtime/gather-references.ts";
import type { AgentReferences } from "../control/agent-runtime/references.ts";
import { localReaders, type DecidedReferences } from "./reference-readers.ts";
import { localWorld } from "./world.ts";
import type { Environment } from "./secrets/resolve-secret.ts";

const NOTHING: DecidedReferences = { promptPacks: new Map(), toolRegistries: new Map() };

interface Gathered {
  references: AgentReferences;
  secretValues: (name: string) => ReadonlyMap<string, string> | undefined;
}

async function gather(
  manifests: string,
  environment: Environment = {},
  decided = NOTHING,
): Promise<Gathered> {
  const { resources, problems } = parseManifests(manifests, "a.yaml");
  expect(problems).toEqual([]);
  const world = localWorld(resources, environment);
  const [agent] = world.agentRuntimes;
  if (agent === undefined) throw new Error("there is no agent");
  const readers = localReaders(world, decided);
  const { namespace } = agent.metadata;
  return {
    references: await gatherReferences(agent, readers),
    secretValues: (name) => readers.secretValues({ namespace, name }),
  };
}

const AGENT = `
apiVersion: omnia.altairalabs.ai/v1alpha1
kind: AgentRuntime
metadata: {name: bot, namespace: agents}
spec:
  provider: {name: google, model: m, apiKeySecretRef: {name: credentials, key: llm}}
  promptPackRef: {name: prompts}
  session: {type: redis, storeRef: {name: credentials, key: redis}}
`;
const secret = (namespace: string, data: string): string =>
  `---\napiVersion: v1\nkind: Secret\nmetadata: {name: credentials, namespace: ${namespace}}\nstringData: {${data}}\n`;

describe("the readers of one machine", () => {
  it("find nothing of what nobody gives, and name the variables that would", async () => {
    const { references, secretValues } = await gather(AGENT);
    expect(references).toEqual({
      promptPack: { found: false },
      providerSecret: { found: false, hint: "set GOOGLE_GENERATIVE_AI_API_KEY" },
      sessionStoreSecret: { found: false, hint: "set REDIS_URL" },
    });
    expect(secretValues("credentials")).toBeUndefined();
  });

  it("take from the environment what the file leaves open, of one Secret for both", async () => {
    const environment = {
      GOOGLE_GENERATIVE_AI_API_KEY: "from-environment",
      REDIS_URL: "redis://from-environment",
    };
    const { references, secretValues } = await gather(
      AGENT + secret("agents", "llm: from-file, redis: ''"),
      environment,
    );
    expect(references.providerSecret).toMatchObject({ found: true, source: "secret" });
    expect(references.sessionStoreSecret).toMatchObject({
      found: true,
      source: "environment",
      name: "REDIS_URL",
    });
    expect(secretValues("credentials")).toEqual(
      new Map([
        ["llm", "from-file"],
        ["redis", "redis://from-environment"],
      ]),
    );
  });

  it("look for Secrets in the agent's own namespace only", async () => {
    const { references } = await gather(AGENT + secret("other", "llm: k"));
    expect(references.providerSecret).toMatchObject({ found: false });
  });

  it("say what is wrong with a store's URL, without repeating it", async () => {
    const { references } = await gather(
      AGENT + secret("agents", "llm: k, redis: 'http://me:hunter2@host'"),
    );
    expect(references.sessionStoreSecret).toMatchObject({
      found: true,
      urlProblem: expect.stringContaining("it must begin with redis:// or rediss://"),
    });
  });

  it("say of a key that cannot be sent why, from a file and from the environment", async () => {
    const inFile = await gather(AGENT + secret("agents", 'llm: "k-1\\nk-2", redis: "a b"'));
    expect(inFile.references.providerSecret).toMatchObject({
      source: "secret",
      unfitValues: { llm: "it holds a line break (2 lines)" },
    });
    const { references } = await gather(AGENT, { GOOGLE_GENERATIVE_AI_API_KEY: "k-1 k-2" });
    expect(references.providerSecret).toMatchObject({
      source: "environment",
      unfitValues: { llm: "it holds a blank" },
    });
    expect(JSON.stringify([inFile.references, references])).not.toContain("k-1");
  });

  it("look for a pack in the agent's namespace, unless the reference names another", async () => {
    const here = { found: true, name: "prompts", namespace: "agents" } as FoundPromptPack;
    const there = { ...here, namespace: "shared" };
    const promptPacks = new Map([
      ["agents/prompts", here],
      ["shared/prompts", there],
    ]);
    expect((await gather(AGENT, {}, { ...NOTHING, promptPacks })).references.promptPack).toBe(here);
    const other = AGENT.replace("{name: prompts}", "{name: prompts, namespace: shared}");
    expect((await gather(other, {}, { ...NOTHING, promptPacks })).references.promptPack).toBe(
      there,
    );
  });

  it("are asked for nothing where the handler needs nothing", async () => {
    const echo = AGENT.replace("spec:", "spec:\n  facade: {handler: echo}").replace(
      / {2}session.*\n/,
      "",
    );
    expect((await gather(echo)).references).toEqual({});
  });
});
