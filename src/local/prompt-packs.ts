/** The PromptPacks that the files declare: what was decided about each, and its versions on disk. */
import { runtimeSpecOf } from "../api/agent-runtime.ts";
import type { PromptPack, PromptPackStatus } from "../api/prompt-pack.ts";
import type { AgentConfig } from "../agent-config/agent-config.ts";
import {
  decidePromptPack,
  type PromptPackDecision,
} from "../control/prompt-pack/decide-prompt-pack.ts";
import type { RunningVersions, WrittenVersion } from "../control/prompt-pack/pack-version.ts";
import {
  countReferringAgents,
  versionsTextOfConfig,
} from "../control/prompt-pack/versions-text.ts";
import { packContent, packSource } from "../control/prompt-pack/pack-source.ts";
import type { PromptPackReference } from "../control/agent-runtime/references.ts";
import { type CrossNamespaceReferences, namespaceFacts } from "../control/namespace-grant.ts";
import type { ObjectName } from "../control/object-name.ts";
import { canonicalJSON } from "../promptpack/document/content-hash.ts";
import { objectKey, type LocalWorld } from "./world.ts";
import type { PackArchive } from "./state/pack-archive.ts";
import { withGeneration } from "./with-generation.ts";

export type FoundPromptPack = Extract<PromptPackReference, { found: true }>;

interface KnownPack {
  readonly resource: PromptPack;
  readonly kept: readonly WrittenVersion[];
  readonly status: PromptPackStatus;
}

export class LocalPromptPacks {
  readonly #archive: PackArchive;
  readonly #crossNamespaceReferences: CrossNamespaceReferences;
  readonly #known = new Map<string, KnownPack>();

  constructor(archive: PackArchive, crossNamespaceReferences: CrossNamespaceReferences) {
    this.#archive = archive;
    this.#crossNamespaceReferences = crossNamespaceReferences;
  }

  /** `configOf` gives the config that an agent runs with now. */
  async decide(
    world: LocalWorld,
    configOf: (agent: ObjectName) => AgentConfig | undefined,
    now: number,
  ): Promise<ReadonlyMap<string, FoundPromptPack>> {
    const decided = new Map<string, FoundPromptPack>();
    for (const declared of world.promptPacks) {
      const { name, namespace } = declared.metadata;
      const { allowedNamespaces, rollout } = declared.spec;
      const key = objectKey(declared.metadata);
      const known = this.#known.get(key);
      const previous = known ?? (await this.#load(declared));
      const resource = withGeneration(declared, known?.resource);
      const data = sourceData(declared, world);
      const { status, versions, keep, validity } = decideOne(
        { ...resource, status: previous.status },
        data,
        previous.kept,
        world,
        configOf,
        this.#crossNamespaceReferences,
        now,
      );
      const content = data && packContent(declared, data);
      const kept = keep.flatMap(
        (hash) =>
          previous.kept.find((version) => version.hash === hash) ??
          toArchived(hash, versions, content),
      );
      const next = { resource, kept, status };
      if (known === undefined || !isSame(known, next)) {
        await this.#archive.save(declared.metadata, { versions: kept, status });
      }
      this.#known.set(key, next);
      const { strategy } = rollout;
      decided.set(key, {
        found: true,
        name,
        namespace,
        validity,
        versions,
        strategy,
        allowedNamespaces,
      });
    }
    for (const [key, { resource }] of this.#known) {
      if (decided.has(key)) continue;
      this.#known.delete(key);
      await this.#archive.remove(resource.metadata);
    }
    return decided;
  }

  resources(): { resource: PromptPack; status: PromptPackStatus }[] {
    return [...this.#known.values()];
  }

  async #load({ metadata }: PromptPack): Promise<{
    kept: readonly WrittenVersion[];
    status: PromptPackStatus | undefined;
  }> {
    const { versions, status } = await this.#archive.load(metadata);
    return { kept: versions, status };
  }
}

function isSame(a: KnownPack, b: KnownPack): boolean {
  const shown = ({ kept, status }: KnownPack): string =>
    canonicalJSON([kept.map(({ hash }) => hash), status]);
  return shown(a) === shown(b);
}

/** A version that was not kept before is the one in the source. */
function toArchived(
  hash: string,
  { active, canary }: RunningVersions,
  content: string | undefined,
): WrittenVersion[] {
  const version = [canary?.version, active].find((running) => running?.hash === hash);
  return version === undefined || content === undefined ? [] : [{ ...version, content }];
}

function sourceData(
  { metadata: { namespace }, spec }: PromptPack,
  world: LocalWorld,
): Readonly<Record<string, string>> | undefined {
  const configMap = world.configMap({ namespace, name: spec.source.configMapRef.name });
  return configMap && (configMap.data ?? {});
}

function decideOne(
  promptPack: PromptPack,
  data: Readonly<Record<string, string>> | undefined,
  previous: readonly WrittenVersion[],
  world: LocalWorld,
  configOf: (agent: ObjectName) => AgentConfig | undefined,
  crossNamespaceReferences: CrossNamespaceReferences,
  now: number,
): PromptPackDecision {
  const { name, namespace } = promptPack.metadata;
  const source = data === undefined ? { found: false as const } : packSource(promptPack, data);
  const agents = world.agentRuntimes.filter(({ metadata, spec }) => {
    const reference = runtimeSpecOf(spec)?.promptPackRef;
    return reference?.name === name && (reference.namespace ?? metadata.namespace) === namespace;
  });
  const referring = agents.map(({ metadata }) => {
    const config = configOf(metadata);
    return {
      from: namespaceFacts(metadata.namespace, undefined),
      running: config && versionsTextOfConfig(config),
    };
  });
  return decidePromptPack({
    promptPack,
    source,
    previous,
    agents: (versions) =>
      countReferringAgents(promptPack, referring, crossNamespaceReferences, versions),
    now,
  });
}
