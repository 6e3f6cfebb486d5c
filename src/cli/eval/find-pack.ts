/** Finds the pack that is judged, and the agent that runs it, with the flags in place of what its manifest says. */
import {
  agentRuntimeSchema,
  mayNameRuntime,
  runtimeSpecOf,
  type AgentRuntime,
} from "../../api/agent-runtime.ts";
import { API_VERSION } from "../../api/group.ts";
import { DEFAULT_NAMESPACE } from "../../api/fields/names.ts";
import type { PromptPackReference } from "../../control/agent-runtime/references.ts";
import type { ObjectName } from "../../control/object-name.ts";
import { decideVersions } from "../../control/prompt-pack/decide-prompt-pack.ts";
import { packSource } from "../../control/prompt-pack/pack-source.ts";
import type { PackVersion } from "../../control/prompt-pack/pack-version.ts";
import { PROVIDER_VARIABLES, type Environment } from "../../local/secrets/resolve-secret.ts";
import { localWorld, objectKey, type LocalWorld } from "../../local/world.ts";
import { selectPrompt } from "../../promptpack/render/select-prompt.ts";
import { CliError, EXIT_CODES } from "../terminal/cli-error.ts";
import type { EvalFlags } from "./flags.ts";
import type { EvalSources } from "./read-files.ts";

/** Servers of models on one's own machine take any key, and want one. */
const NO_KEY = "none";
const AGENT_NAME = "eval";

export interface JudgedPack {
  readonly version: PackVersion;
  /** The key of the prompt. */
  readonly prompt: string;
  /** The values that the agent's manifest gives to variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** `undefined` where no flag and no manifest says which model answers. */
  readonly agent: AgentRuntime | undefined;
  /** The agent of the manifests that runs in another framework, which is not started here. */
  readonly frameworkAgent: string | undefined;
  readonly world: LocalWorld;
  readonly packs: ReadonlyMap<string, FoundPack>;
}

export type FoundPack = Extract<PromptPackReference, { found: true }>;
type PackFlags = Pick<
  EvalFlags,
  "agent" | "namespace" | "prompt" | "provider" | "model" | "baseUrl"
>;

/** Finds the pack that is judged, and the agent that runs it. Throws a CliError when there is none, or more than one. */
export function findPack(
  sources: EvalSources,
  flags: PackFlags & { readonly isElsewhere: boolean },
  env: Environment,
): JudgedPack {
  const world = localWorld(
    sources.type === "pack" ? [] : sources.resources,
    environmentOf(flags, env),
  );
  const packs = sources.type === "pack" ? packAlone(sources.version) : packsOf(world);
  const declared = sources.type === "pack" ? undefined : declaredAgent(world, flags);
  const key = declared === undefined ? onlyPack(packs) : packKeyOf(declared);
  const found = packs.get(key);
  const version = found?.versions.active;
  if (found === undefined || version === undefined) {
    throw new CliError(
      found === undefined
        ? `The files have no PromptPack ${key}.`
        : `PromptPack ${key}: ${found.validity.message}.`,
    );
  }
  const reference = declared?.spec.promptPackRef;
  const selected = selectPrompt(version.document, flags.prompt ?? reference?.prompt);
  if (!selected.ok)
    throw new CliError(`${capital(selected.message)}.`, { cure: "--prompt names one." });
  const agent = judgedAgent(declared, found, { ...flags, prompt: selected.name });
  const variables = reference?.variables ?? {};
  const frameworkAgent =
    declared !== undefined && mayNameRuntime(declared.spec)
      ? objectKey(declared.metadata)
      : undefined;
  return { version, prompt: selected.name, variables, agent, frameworkAgent, world, packs };
}

function environmentOf({ baseUrl }: PackFlags, env: Environment): Environment {
  if (baseUrl === undefined) return env;
  const keys = Object.values(PROVIDER_VARIABLES).map((name) => [name, env[name]?.trim() || NO_KEY]);
  return { ...env, ...Object.fromEntries(keys) };
}

function packAlone(version: PackVersion): Map<string, FoundPack> {
  const name = { namespace: DEFAULT_NAMESPACE, name: version.document.id };
  const found: FoundPack = {
    found: true,
    ...name,
    validity: { type: "SourceValid", reason: "Valid", message: "" },
    versions: { active: version },
    strategy: "immediate",
  };
  return new Map([[objectKey(name), found]]);
}

function packsOf(world: LocalWorld): Map<string, FoundPack> {
  return new Map(
    world.promptPacks.map((promptPack) => {
      const { name, namespace } = promptPack.metadata;
      const configMap = world.configMap({
        namespace,
        name: promptPack.spec.source.configMapRef.name,
      });
      const source =
        configMap === undefined
          ? { found: false as const }
          : packSource(promptPack, configMap.data ?? {});
      const { versions, validity } = decideVersions({ promptPack, source, previous: [] });
      const { allowedNamespaces } = promptPack.spec;
      const strategy = "immediate" as const;
      const found: FoundPack = {
        found: true,
        name,
        namespace,
        validity,
        versions,
        strategy,
        allowedNamespaces,
      };
      return [objectKey(promptPack.metadata), found];
    }),
  );
}

function onlyPack(packs: ReadonlyMap<string, FoundPack>): string {
  const keys = [...packs.keys()];
  const [only] = keys;
  if (keys.length === 1 && only !== undefined) return only;
  throw new CliError(
    keys.length === 0
      ? "There is neither a pack nor a PromptPack in the files."
      : `The files have more than one PromptPack and no agent: ${keys.join(", ")}`,
    { cure: "-f takes a pack, or manifests with the agent that runs it." },
  );
}

/** The agent of the manifests that runs a prompt. `undefined`: they have none. */
function declaredAgent(
  { agentRuntimes }: LocalWorld,
  { agent: wanted, namespace, isElsewhere }: PackFlags & { readonly isElsewhere: boolean },
): AgentRuntime | undefined {
  const named = agentRuntimes.filter(
    ({ metadata }) =>
      (wanted === undefined || metadata.name === wanted) &&
      (namespace === undefined || metadata.namespace === namespace),
  );
  const judged = named.filter(({ spec }) => runtimeSpecOf(spec) !== undefined);
  const [only] = judged;
  if (judged.length === 1) return only;
  const list = agentRuntimes.map(({ metadata }) => objectKey(metadata)).join(", ");
  if (judged.length > 1) {
    throw new CliError(`The files have more than one agent: ${list}`, {
      cure: "--agent names one, with --namespace where two have the same name.",
    });
  }
  if (named.length > 0) {
    throw new CliError(`No agent of the files has the handler runtime: ${list}`, {
      cure: "Evals are about what a model answers.",
    });
  }
  // The agent at an address need not be among the files.
  if (wanted !== undefined && !isElsewhere) {
    throw new CliError(
      `The files have no agent ${wanted}. They have: ${list === "" ? "none" : list}`,
    );
  }
  return undefined;
}

function packKeyOf({ metadata, spec }: AgentRuntime): string {
  const { name = "", namespace = metadata.namespace } = spec.promptPackRef ?? {};
  return objectKey({ namespace, name });
}

function judgedAgent(
  declared: AgentRuntime | undefined,
  { name, namespace }: ObjectName,
  { provider: providerName, model, baseUrl, prompt }: PackFlags,
): AgentRuntime | undefined {
  const own = declared?.spec.provider;
  const isOther = providerName !== undefined && providerName !== own?.name;
  const kept = isOther || own === undefined ? undefined : own;
  const providerFlags =
    providerName === undefined && model === undefined && baseUrl === undefined
      ? undefined
      : {
          name: providerName ?? own?.name ?? "openai",
          model: model ?? own?.model ?? "",
          ...(baseUrl === undefined ? {} : { baseURL: baseUrl }),
        };
  if (kept === undefined && (providerFlags === undefined || providerFlags.model === "")) {
    return undefined;
  }
  const secret = { apiKeySecretRef: { name: AGENT_NAME, key: "api-key" } };
  const isRedirected = isOther || own === undefined || baseUrl !== undefined;
  // A key of the manifest must not go to another address than the one that the manifest says.
  const provider = { ...kept, ...(isRedirected ? secret : {}), ...providerFlags };
  const { providerSecretRef, promptPackRef, toolRegistryRef } = declared?.spec ?? {};
  const read = agentRuntimeSchema.safeParse({
    apiVersion: API_VERSION,
    kind: "AgentRuntime",
    metadata: declared?.metadata ?? { name: AGENT_NAME, namespace },
    spec: {
      ...(toolRegistryRef === undefined ? {} : { toolRegistryRef }),
      ...(isRedirected || providerSecretRef === undefined ? {} : { providerSecretRef }),
      provider,
      promptPackRef: { ...promptPackRef, name, namespace, prompt },
      facade: { type: "websocket", handler: "runtime" },
    },
  });
  if (read.success) return read.data;
  const [problem] = read.error.issues;
  throw new CliError(`${problem?.path.join(".") ?? ""}: ${problem?.message ?? ""}`, {
    cure: "Are --provider, --model and --base-url right?",
    exitCode: EXIT_CODES.usage,
  });
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
