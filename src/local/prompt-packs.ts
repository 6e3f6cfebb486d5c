/** The PromptPacks that the files declare: what was decided about each, and its versions on disk. */
import { runtimeSpecOf } from "../api/agent-runtime.ts";
import type { PromptPack, PromptPackStatus } from "../api/prompt-pack.ts";
import type { AgentConfig } from "../agent-config/agent-config.ts";
import {
  decidePromptPack,
  type PromptPackDecision,
} from "../control/prompt-pack/decide-prompt-pack.ts";
import type {
  PackVersion,
  RunningVersions,
  WrittenVersion,
} from "../control/prompt-pack/pack-version.ts";
import {
  countReferringAgents,
  versionsTextOfConfig,
} from "../control/prompt-pack/versions-text.ts";
import { packContent, packSource, type PackSource } from "../control/prompt-pack/pack-source.ts";
import type { PromptPackReference } from "../control/agent-runtime/references.ts";
import { type CrossNamespaceReferences, namespaceFacts } from "../control/namespace-grant.ts";
import type { ObjectName } from "../control/object-name.ts";
import { canonicalJSON } from "../promptpack/document/content-hash.ts";
import { objectKey, type LocalWorld } from "./world.ts";
import type { PackArchive } from "./state/pack-archive.ts";
import type { PackRollbacks } from "./state/pack-rollbacks.ts";
import { withGeneration } from "./with-generation.ts";

export type FoundPromptPack = Extract<PromptPackReference, { found: true }>;

interface KnownPack {
  readonly resource: PromptPack;
  readonly kept: readonly WrittenVersion[];
  readonly status: PromptPackStatus;
  /** The hash of what the source held, if that was valid. */
  readonly source: string | undefined;
}

export class LocalPromptPacks {
  readonly #archive: PackArchive;
  readonly #rollbacks: PackRollbacks;
  readonly #crossNamespaceReferences: CrossNamespaceReferences;
  readonly #known = new Map<string, KnownPack>();

  constructor(
    archive: PackArchive,
    rollbacks: PackRollbacks,
    crossNamespaceReferences: CrossNamespaceReferences,
  ) {
    this.#archive = archive;
    this.#rollbacks = rollbacks;
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
      const source: PackSource = data === undefined ? { found: false } : packSource(resource, data);
      const { status, versions, keep, validity } = decideOne(
        { ...resource, status: previous.status },
        source,
        previous.kept,
        await this.#rolledBackTo(declared, source, previous.kept),
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
      const next = { resource, kept, status, source: hashIn(source) };
      if (known === undefined || !isSame(known, next)) {
        await this.#archive.save(declared.metadata, {
          versions: kept,
          status,
          source: next.source,
        });
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
      await this.#rollbacks.remove(resource.metadata);
    }
    return decided;
  }

  resources(): { resource: PromptPack; status: PromptPackStatus }[] {
    return [...this.#known.values()];
  }

  /**
   * The version that somebody went back to. That ends when the source holds another valid pack. A source that is broken ends nothing,
   * since a file may be read while an editor saves it.
   */
  async #rolledBackTo(
    { metadata }: PromptPack,
    source: PackSource,
    kept: readonly WrittenVersion[],
  ): Promise<PackVersion | undefined> {
    const rollback = await this.#rollbacks.read(metadata);
    const inSource = hashIn(source);
    if (rollback === undefined || inSource === undefined) return undefined;
    const version = kept.find(({ hash }) => hash === rollback.version);
    if (version !== undefined && inSource === rollback.source && inSource !== version.hash) {
      return version;
    }
    await this.#rollbacks.remove(metadata);
    return undefined;
  }

  async #load({ metadata }: PromptPack): Promise<{
    kept: readonly WrittenVersion[];
    status: PromptPackStatus | undefined;
  }> {
    const { versions, status } = await this.#archive.load(metadata);
    return { kept: versions, status };
  }
}

function hashIn(source: PackSource): string | undefined {
  return source.found && source.parsed?.ok === true ? source.parsed.hash : undefined;
}

function isSame(a: KnownPack, b: KnownPack): boolean {
  const shown = ({ kept, status, source }: KnownPack): string =>
    canonicalJSON([kept.map(({ hash }) => hash), status, source]);
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
  source: PackSource,
  previous: readonly WrittenVersion[],
  rolledBackTo: PackVersion | undefined,
  world: LocalWorld,
  configOf: (agent: ObjectName) => AgentConfig | undefined,
  crossNamespaceReferences: CrossNamespaceReferences,
  now: number,
): PromptPackDecision {
  const { name, namespace } = promptPack.metadata;
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
    rolledBackTo,
    agents: (versions) =>
      countReferringAgents(promptPack, referring, crossNamespaceReferences, versions),
    now,
  });
}
