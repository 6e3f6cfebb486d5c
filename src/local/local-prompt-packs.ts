/** The PromptPacks of the files: what was decided about each, and its versions on disk. */
import { runtimeSpecOf } from "../api/agent-runtime.ts";
import type { PromptPack, PromptPackStatus } from "../api/prompt-pack.ts";
import type { AgentConfig } from "../agent-config.ts";
import { decidePromptPack, type PromptPackDecision } from "../control/decide-prompt-pack.ts";
import type { KeptVersion, PackVersions } from "../control/kept-version.ts";
import type { PromptPackReference } from "../control/references.ts";
import { canonicalJSON } from "../promptpack/content-hash.ts";
import { objectKey, type LocalWorld, type ObjectName } from "./local-world.ts";
import type { PackArchive } from "./pack-archive.ts";
import { withGeneration } from "./with-generation.ts";

export type FoundPromptPack = Extract<PromptPackReference, { found: true }>;

interface KnownPack {
  readonly resource: PromptPack;
  readonly kept: readonly KeptVersion[];
  readonly status: PromptPackStatus;
}

export class LocalPromptPacks {
  readonly #archive: PackArchive;
  readonly #known = new Map<string, KnownPack>();

  constructor(archive: PackArchive) {
    this.#archive = archive;
  }

  /** `configOf` is what an agent runs with now. */
  async decide(
    world: LocalWorld,
    configOf: (agent: ObjectName) => AgentConfig | undefined,
    now: number,
  ): Promise<ReadonlyMap<string, FoundPromptPack>> {
    const decided = new Map<string, FoundPromptPack>();
    for (const declared of world.promptPacks) {
      const { name, namespace } = declared.metadata;
      const key = objectKey(declared.metadata);
      const known = this.#known.get(key);
      const previous = known ?? (await this.#load(declared));
      const resource = withGeneration(declared, known?.resource);
      const { status, versions, keep } = decideOne(
        { ...resource, ...(previous.status === undefined ? {} : { status: previous.status }) },
        previous.kept,
        world,
        configOf,
        now,
      );
      const next = { resource, kept: keep, status };
      if (known === undefined || !isSame(known, next)) {
        await this.#archive.save(declared.metadata, { versions: keep, status });
      }
      this.#known.set(key, next);
      decided.set(key, { found: true, name, namespace, status, versions });
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

  async #load({
    metadata,
  }: PromptPack): Promise<{ kept: readonly KeptVersion[]; status: PromptPackStatus | undefined }> {
    const { versions, status } = await this.#archive.load(metadata);
    return { kept: versions, status };
  }
}

function isSame(a: KnownPack, b: KnownPack): boolean {
  const shown = ({ kept, status }: KnownPack): string =>
    canonicalJSON([kept.map(({ hash }) => hash), status]);
  return shown(a) === shown(b);
}

function decideOne(
  promptPack: PromptPack,
  previous: readonly KeptVersion[],
  world: LocalWorld,
  configOf: (agent: ObjectName) => AgentConfig | undefined,
  now: number,
): PromptPackDecision {
  const { name, namespace } = promptPack.metadata;
  const configMap = world.configMap({ namespace, name: promptPack.spec.source.configMapRef.name });
  const source =
    configMap === undefined
      ? { found: false as const }
      : { found: true as const, data: configMap.data ?? {} };
  const referencing = world.agentRuntimes.filter((agent) => {
    const reference = runtimeSpecOf(agent.spec)?.promptPackRef;
    return (
      reference?.name === name && (reference.namespace ?? agent.metadata.namespace) === namespace
    );
  });
  const decide = (notified: number): PromptPackDecision =>
    decidePromptPack({
      promptPack,
      source,
      previous,
      agents: { referencing: referencing.length, notified },
      now,
    });
  // Who runs these versions can only be counted once it is known which they are.
  const { versions } = decide(0);
  return decide(referencing.filter(({ metadata }) => runs(configOf(metadata), versions)).length);
}

function runs(config: AgentConfig | undefined, { active, canary }: PackVersions): boolean {
  const prompt = config?.prompt;
  return (
    prompt !== undefined &&
    prompt.active.version === active?.hash &&
    prompt.canary?.prompt.version === canary?.version.hash &&
    prompt.canary?.weight === canary?.weight
  );
}
