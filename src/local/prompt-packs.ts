/** The PromptPacks that the files declare: what was decided about each, and its versions on disk. */
import { runtimeSpecOf } from "../api/agent-runtime.ts";
import type { PromptPack, PromptPackStatus } from "../api/prompt-pack.ts";
import { decidePromptPack } from "../control/prompt-pack/decide-prompt-pack.ts";
import { type EndedCounts, TrialLedger } from "../control/prompt-pack/rollout/trial-ledger.ts";
import type {
  PackVersion,
  RunningVersions,
  WrittenVersion,
} from "../control/prompt-pack/pack-version.ts";
import {
  countReferringAgents,
  type ReferringAgent,
  versionsTextOfConfig,
} from "../control/prompt-pack/versions-text.ts";
import { packContent, packSource, type PackSource } from "../control/prompt-pack/pack-source.ts";
import type { PromptPackReference } from "../control/agent-runtime/references.ts";
import { type CrossNamespaceReferences, namespaceFacts } from "../control/namespace-grant.ts";
import type { Happened } from "../control/explain/happened.ts";
import type { ObjectName } from "../control/object-name.ts";
import { canonicalJSON } from "../promptpack/document/content-hash.ts";
import { CanaryProbes } from "../probes/canary-probes.ts";
import type { Clock } from "../time/clock.ts";
import type { LocalAgent } from "./agent.ts";
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

export interface LocalPromptPacksOptions {
  readonly archive: PackArchive;
  readonly rollbacks: PackRollbacks;
  readonly crossNamespaceReferences: CrossNamespaceReferences;
  readonly clock: Clock;
  /** Called when replicas have been asked about a canary, since it may go on now. */
  readonly onRound: () => void;
  /** Called with what happened to the canary of a pack. */
  readonly say: (pack: ObjectName, line: string) => void;
  /** Called with what happened besides a change of the status. */
  readonly onEvent: (pack: ObjectName, happened: Happened) => void;
}

/** What a pack needs to know of an agent. */
export type PackUser = Pick<LocalAgent, "config" | "canaryReplicas">;

export class LocalPromptPacks {
  readonly #options: LocalPromptPacksOptions;
  readonly #probes: CanaryProbes;
  readonly #ledgers = new Map<string, TrialLedger>();
  readonly #known = new Map<string, KnownPack>();

  constructor(options: LocalPromptPacksOptions) {
    this.#options = options;
    this.#probes = new CanaryProbes(options);
  }

  /** Asks replicas what they counted of canaries, until the signal is aborted. */
  run(signal: AbortSignal): Promise<void> {
    return this.#probes.run(signal);
  }

  /** `agentOf` gives an agent with the config that it runs with now. */
  async decide(
    world: LocalWorld,
    agentOf: (agent: ObjectName) => PackUser | undefined,
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
      const { crossNamespaceReferences, say } = this.#options;
      const users = usersOf(declared, world, agentOf);
      const { status, versions, keep, validity, news } = decidePromptPack({
        promptPack: { ...resource, status: previous.status },
        source,
        previous: previous.kept,
        rolledBackTo: await this.#rolledBackTo(declared, source, previous.kept),
        agents: (running) =>
          countReferringAgents(resource, users, crossNamespaceReferences, running),
        observe: (trial, ended) => {
          const ledger = this.#ledgerOf(key, trial, ended);
          const replicas = users.flatMap(({ agent }) => agent?.canaryReplicas() ?? []);
          return ledger.take(this.#probes.of(key, replicas));
        },
        now,
      });
      if (status.canaryStepSince === undefined) this.#forgetCanary(key);
      if (news !== undefined) {
        say({ namespace, name }, `${news.reason}: ${news.message}`);
        this.#options.onEvent({ namespace, name }, news);
      }
      const content = data && packContent(declared, data);
      const kept = keep.flatMap(
        (hash) =>
          previous.kept.find((version) => version.hash === hash) ??
          toArchived(hash, versions, content),
      );
      const next = { resource, kept, status, source: hashIn(source) };
      if (known === undefined || !isSame(known, next)) {
        await this.#options.archive.save(declared.metadata, {
          versions: kept,
          status,
          source: next.source,
        });
      }
      this.#known.set(key, next);
      const { strategy, evals } = rollout;
      decided.set(key, {
        found: true,
        name,
        namespace,
        validity,
        versions,
        strategy,
        evals,
        allowedNamespaces,
      });
    }
    for (const [key, { resource }] of this.#known) {
      if (decided.has(key)) continue;
      this.#known.delete(key);
      this.#forgetCanary(key);
      await this.#options.archive.remove(resource.metadata);
      await this.#options.rollbacks.remove(resource.metadata);
    }
    return decided;
  }

  resources(): { resource: PromptPack; status: PromptPackStatus }[] {
    return [...this.#known.values()];
  }

  /** The versions of a pack that are kept, newest first. */
  versions(pack: ObjectName): readonly WrittenVersion[] {
    return this.#known.get(objectKey(pack))?.kept ?? [];
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
    const rollback = await this.#options.rollbacks.read(metadata);
    const inSource = hashIn(source);
    if (rollback === undefined || inSource === undefined) return undefined;
    const version = kept.find(({ hash }) => hash === rollback.version);
    if (version !== undefined && inSource === rollback.source && inSource !== version.hash) {
      return version;
    }
    await this.#options.rollbacks.remove(metadata);
    return undefined;
  }

  async #load({ metadata }: PromptPack): Promise<{
    kept: readonly WrittenVersion[];
    status: PromptPackStatus | undefined;
  }> {
    const { versions, status } = await this.#options.archive.load(metadata);
    // The processes that counted are those of an earlier program, and have ended with it.
    return {
      kept: versions,
      status: status && {
        ...status,
        canaryEndedCounts: status.canaryCounts,
        activeEndedCounts: status.activeCounts,
      },
    };
  }

  #ledgerOf(pack: string, trial: string, ended: EndedCounts): TrialLedger {
    const known = this.#ledgers.get(pack);
    const ledger = known?.trial === trial ? known : new TrialLedger(trial, ended);
    this.#ledgers.set(pack, ledger);
    return ledger;
  }

  #forgetCanary(pack: string): void {
    this.#ledgers.delete(pack);
    this.#probes.forget(pack);
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

/** The agents that refer to a pack. */
function usersOf(
  { metadata: { name, namespace } }: PromptPack,
  world: LocalWorld,
  agentOf: (agent: ObjectName) => PackUser | undefined,
): (ReferringAgent & { readonly agent: PackUser | undefined })[] {
  const referring = world.agentRuntimes.filter(({ metadata, spec }) => {
    const reference = runtimeSpecOf(spec)?.promptPackRef;
    return reference?.name === name && (reference.namespace ?? metadata.namespace) === namespace;
  });
  return referring.map(({ metadata }) => {
    const agent = agentOf(metadata);
    return {
      from: namespaceFacts(metadata.namespace, undefined),
      running: agent?.config && versionsTextOfConfig(agent.config),
      agent,
    };
  });
}
