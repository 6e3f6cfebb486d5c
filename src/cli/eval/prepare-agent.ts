/** Decides the config of the agent that is judged, as `omnia up` would. */
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import type { ReadSecret } from "../../agent-config/read-secret.ts";
import type { AgentRuntime } from "../../api/agent-runtime.ts";
import { decideAgentRuntime } from "../../control/agent-runtime/decide-agent-runtime.ts";
import { gatherReferences } from "../../control/agent-runtime/gather-references.ts";
import { localReaders } from "../../local/reference-readers.ts";
import { CliError } from "../terminal/cli-error.ts";
import type { FoundPack, JudgedPack } from "./find-pack.ts";
import type { DecidedRegistries } from "./tool-registries.ts";

export interface PreparedAgent {
  readonly model: string;
  /** Rejects with a sentence for people when the prompt cannot be rendered with these values. */
  configWith(variables: Readonly<Record<string, string>>): Promise<AgentConfig>;
  /** For a model that judges: another prompt, no tools and no rules. `model` is that of the agent unless it is given. */
  judgeConfig(system: string, model: string | undefined): AgentConfig;
  readonly readSecret: ReadSecret;
}

const MISSING_VARIABLES = "VariablesMissing";
const JUDGE_PROMPT = "judge";

/** A pack under the same name whose only prompt needs no variables. */
function withJudgePrompt(found: FoundPack): FoundPack {
  const { active } = found.versions;
  if (active === undefined) return found;
  const { id, name, version, template_engine } = active.document;
  const prompt = { id: JUDGE_PROMPT, name, version, system_template: JUDGE_PROMPT };
  const document = { id, name, version, template_engine, prompts: { [JUDGE_PROMPT]: prompt } };
  return { ...found, versions: { active: { ...active, document } } };
}

/** Rejects with a CliError when no conversation could be held. `onSecret` is told each secret that is read. */
export async function prepareAgent(
  { agent, world, packs }: JudgedPack & { readonly agent: AgentRuntime },
  { toolRegistries }: DecidedRegistries,
  onSecret: (secret: string) => void,
  now: () => number,
): Promise<PreparedAgent> {
  const ownReaders = localReaders(world, { promptPacks: packs, toolRegistries });
  const decide = async (
    reference: Partial<NonNullable<AgentRuntime["spec"]["promptPackRef"]>>,
    readers = ownReaders,
  ) => {
    const { promptPackRef } = agent.spec;
    const spec = {
      ...agent.spec,
      promptPackRef: promptPackRef && { ...promptPackRef, ...reference },
    };
    const agentRuntime = { ...agent, spec };
    const references = await gatherReferences(agentRuntime, readers);
    const decision = decideAgentRuntime({
      agentRuntime,
      references,
      observed: undefined,
      previous: {},
      now: now(),
    });
    const problems = (decision.status.conditions ?? []).filter(
      ({ type, status }) =>
        status !== "True" &&
        ["ProviderReady", "PromptPackReady", "ToolRegistryReady"].includes(type),
    );
    return { ...decision, problems };
  };
  const judgePacks = new Map([...packs].map(([key, found]) => [key, withJudgePrompt(found)]));
  const judge = await decide(
    { prompt: JUDGE_PROMPT, variables: {} },
    localReaders(world, { promptPacks: judgePacks, toolRegistries }),
  );
  const first = await decide({});
  // Each conversation may give the variables that are missing, and a tool that is out of reach is still offered.
  const problem = first.problems.find(
    ({ type, reason }) =>
      reason !== MISSING_VARIABLES && (type !== "ToolRegistryReady" || first.config === undefined),
  );
  if (problem !== undefined) throw new CliError(`${problem.message}.`);
  const { namespace } = agent.metadata;
  const secretFiles = new Map((judge.workload?.secretFiles ?? []).map((file) => [file.path, file]));
  return {
    model: agent.spec.provider?.model ?? "",
    async configWith(variables) {
      const { config, problems, workload } = await decide({ variables });
      for (const file of workload?.secretFiles ?? []) secretFiles.set(file.path, file);
      if (config !== undefined) return config;
      throw new Error(problems.map(({ message }) => message).join("; "));
    },
    judgeConfig(system, model) {
      const { config } = judge;
      if (config?.prompt === undefined || config.provider === undefined) {
        throw new Error("the model that judges cannot be asked");
      }
      const { active } = config.prompt;
      const provider = model === undefined ? config.provider : { ...config.provider, model };
      return {
        ...config,
        provider,
        tools: [],
        prompt: { active: { ...active, system, toolChoice: "none", tools: [] } },
      };
    },
    readSecret(path) {
      const file = secretFiles.get(path);
      const values = file && ownReaders.secretValues({ namespace, name: file.secretName });
      const value = file?.key === undefined ? undefined : values?.get(file.key);
      if (value === undefined) return Promise.reject(new Error(`there is no secret ${path}`));
      onSecret(value);
      return Promise.resolve(value);
    },
  };
}
