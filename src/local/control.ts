/**
 * The control plane of one machine. It gathers what the files say, lets `control` decide, and carries that out with processes
 * and files. It is level-based: a pass may come at any time and for no reason, and does nothing when nothing has changed.
 */
import { join } from "node:path";
import type { AgentRuntime } from "../api/agent-runtime.ts";
import { AGENT_RUNTIME, API_VERSION, PROMPT_PACK, TOOL_REGISTRY } from "../api/group.ts";
import type { PromptPack } from "../api/prompt-pack.ts";
import type { ToolRegistry } from "../api/tool-registry.ts";
import type { ManifestResource } from "../api/manifest/manifest.ts";
import type { Happened, ResourceName } from "../control/explain/happened.ts";
import type { ObjectName } from "../control/object-name.ts";
import type { WrittenVersion } from "../control/prompt-pack/pack-version.ts";
import { MACHINE_ADDRESSES } from "../network/address-verdict.ts";
import type { ProbeResult } from "../probes/probe.ts";
import { ToolProbes } from "../probes/tool-probes.ts";
import { ToolListReader } from "../tool-servers/lists/tool-list-reader.ts";
import type { Log } from "../observability/log.ts";
import { LocalAgent, type LocalAgentOptions } from "./agent.ts";
import { LocalPromptPacks } from "./prompt-packs.ts";
import { type LocalTool, LocalToolRegistries } from "./tool-registries.ts";
import { localWorld, objectKey, urlsToProbe, type LocalWorld } from "./world.ts";
import { PackArchive } from "./state/pack-archive.ts";
import { PackRollbacks } from "./state/pack-rollbacks.ts";
import type { Environment } from "./secrets/resolve-secret.ts";

export interface LocalControlOptions extends Omit<LocalAgentOptions, "folder" | "say" | "onEvent"> {
  readonly stateFolder: string;
  /** The environment of this program. Secrets that no file gives are taken from it. */
  readonly environment: Environment;
  /** Called with what happened to an agent that people should hear of. */
  readonly say: (agent: ObjectName, line: string) => void;
  /** Called with what happened to the tools of a registry that people should hear of. */
  readonly warnOfTools: (registry: ObjectName, line: string) => void;
  /** Called with what happened to the canary of a pack. */
  readonly sayOfPack: (pack: ObjectName, line: string) => void;
  /** Called with what happened besides a change of a status. */
  readonly onEvent: (about: ResourceName, happened: Happened) => void;
  readonly log: Pick<Log, "error">;
}

interface WithStatus<Declared extends AgentRuntime | PromptPack | ToolRegistry> {
  readonly apiVersion: string;
  readonly kind: Declared["kind"];
  readonly metadata: Declared["metadata"];
  readonly spec: Declared["spec"];
  readonly status: NonNullable<Declared["status"]>;
}

/** A resource with its status, as the HTTP API and the table show it. */
export type LocalResource =
  | WithStatus<AgentRuntime>
  | WithStatus<PromptPack>
  | WithStatus<ToolRegistry>;

/** The most passes that follow each other at once. Another pass follows when one has changed what the next decides. */
const MAX_PASSES = 4;
/** The one owner that wants tools to be probed: all files together. */
const DECLARED = "declared";

export class LocalControl {
  readonly #options: LocalControlOptions;
  readonly #probes: ToolProbes;
  readonly #promptPacks: LocalPromptPacks;
  readonly #archive: PackArchive;
  readonly #rollbacks: PackRollbacks;
  readonly #toolLists: ToolListReader;
  readonly #toolRegistries: LocalToolRegistries;
  readonly #agents = new Map<string, LocalAgent>();
  /** What was said last about each resource. */
  readonly #failures = new Map<string, string>();

  constructor(options: LocalControlOptions) {
    this.#options = options;
    this.#probes = new ToolProbes({
      clock: options.clock,
      allowedAddresses: MACHINE_ADDRESSES,
      onChange: options.onChange,
    });
    const { clock, random } = options;
    this.#toolLists = new ToolListReader({
      clock,
      random,
      onChange: options.onChange,
      onError: (error) =>
        options.log.error({ error }, "The list of a server of tools could not be read"),
    });
    this.#toolRegistries = new LocalToolRegistries({
      clock,
      random,
      lists: this.#toolLists,
      warn: options.warnOfTools,
      onEvent: ({ namespace, name }, happened) =>
        options.onEvent({ kind: TOOL_REGISTRY, namespace, name }, happened),
    });
    this.#rollbacks = PackRollbacks.of(options.stateFolder);
    this.#archive = PackArchive.of(options.stateFolder);
    this.#promptPacks = new LocalPromptPacks({
      archive: this.#archive,
      rollbacks: this.#rollbacks,
      crossNamespaceReferences: options.policy.crossNamespaceReferences,
      clock,
      onRound: options.onChange,
      say: options.sayOfPack,
      onEvent: ({ namespace, name }, happened) =>
        options.onEvent({ kind: PROMPT_PACK, namespace, name }, happened),
    });
  }

  /** Takes up the rollbacks of packs until the signal is aborted. */
  async watchRollbacks(signal: AbortSignal): Promise<void> {
    const { onChange, clock } = this.#options;
    await this.#rollbacks.follow(onChange, clock, signal);
  }

  /** Probes the tools, reads the lists of their servers, and asks replicas about canaries, until the signal is aborted. */
  async watch(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#probes.run(signal),
      this.#toolLists.run(signal),
      this.#promptPacks.run(signal),
    ]);
  }

  /**
   * Brings the agents to what the resources say. It must not be called before the last call has settled. Resolves to false when
   * something could not be carried out.
   */
  async reconcile(resources: readonly ManifestResource[], signal: AbortSignal): Promise<boolean> {
    const world = localWorld(resources, this.#options.environment);
    const probes = await this.#probes.results(DECLARED, urlsToProbe(world), signal);
    if (signal.aborted) return true;
    this.#retireUndeclared(world);
    await this.clean();
    let outcome = await this.#pass(world, probes);
    for (let passes = 1; passes < MAX_PASSES && outcome.changed; passes += 1) {
      outcome = await this.#pass(world, probes);
    }
    return !outcome.failed;
  }

  async #pass(
    world: LocalWorld,
    probes: ReadonlyMap<string, ProbeResult>,
  ): Promise<{ changed: boolean; failed: boolean }> {
    const now = this.#options.clock.now();
    const agentOf = (name: ObjectName) => this.#agents.get(objectKey(name));
    const decided = {
      promptPacks: await this.#promptPacks.decide(world, agentOf, now),
      toolRegistries: this.#toolRegistries.decide(world, probes, now),
    };
    const outcome = { changed: false, failed: false };
    for (const declared of world.agentRuntimes) {
      const key = objectKey(declared.metadata);
      const agent = this.#agents.get(key) ?? this.#newAgent(declared);
      this.#agents.set(key, agent);
      try {
        if (await agent.reconcile(declared, world, decided, now)) outcome.changed = true;
        this.#failures.delete(key);
      } catch (error) {
        outcome.failed = true;
        const message = error instanceof Error ? error.message : String(error);
        if (this.#failures.get(key) !== message) {
          this.#options.say(declared.metadata, `${message}; it is tried again`);
        }
        this.#failures.set(key, message);
      }
    }
    return outcome;
  }

  /** The resources with their statuses. No Secret is among them. */
  resources(): LocalResource[] {
    return [
      ...this.agents().map(withStatus),
      ...this.#promptPacks.resources().map(withStatus),
      ...this.#toolRegistries.resources().map(withStatus),
    ];
  }

  /** What is known of the tools of a registry besides its status. */
  tools(registry: ObjectName): LocalTool[] {
    return this.#toolRegistries.tools(registry);
  }

  /** The versions of a pack that are kept, newest first. */
  packVersions(pack: ObjectName): readonly WrittenVersion[] {
    return this.#promptPacks.versions(pack);
  }

  /** When each version was kept, by its hash, in milliseconds since 1970. */
  async packVersionTimes(pack: ObjectName): Promise<ReadonlyMap<string, number>> {
    return await this.#archive.keptAt(pack, this.packVersions(pack));
  }

  /** The agents that the files declare. */
  agents(): LocalAgent[] {
    return [...this.#agents.values()].filter((agent) => !agent.isRetired);
  }

  agent(name: ObjectName): LocalAgent | undefined {
    const agent = this.#agents.get(objectKey(name));
    return agent?.isRetired === true ? undefined : agent;
  }

  /** Drains every agent. `isIdle` tells when all have ended. */
  retire(): void {
    for (const agent of this.#agents.values()) agent.retire();
  }

  /** Whether no process is left. */
  get isIdle(): boolean {
    return [...this.#agents.values()].every((agent) => agent.isGone);
  }

  /** Ends every process at once. */
  kill(): void {
    for (const agent of this.#agents.values()) agent.kill();
  }

  /** Removes the config and the secrets of retired agents that have no process left from the disk. */
  async clean(): Promise<void> {
    for (const [key, agent] of this.#agents) {
      if (!agent.isRetired || !agent.isGone) continue;
      await agent.clean();
      this.#agents.delete(key);
      this.#failures.delete(key);
    }
  }

  #retireUndeclared(world: LocalWorld): void {
    const declared = new Set(world.agentRuntimes.map(({ metadata }) => objectKey(metadata)));
    for (const [key, agent] of this.#agents) if (!declared.has(key)) agent.retire();
  }

  #newAgent(declared: AgentRuntime): LocalAgent {
    const { name, namespace } = declared.metadata;
    const { stateFolder, say, onEvent, ...options } = this.#options;
    return new LocalAgent(declared, {
      ...options,
      folder: join(stateFolder, "agents", namespace, name),
      say: (line) => say({ namespace, name }, line),
      onEvent: (happened) => onEvent({ kind: AGENT_RUNTIME, namespace, name }, happened),
    });
  }
}

function withStatus<Declared extends AgentRuntime | PromptPack | ToolRegistry>({
  resource: { kind, metadata, spec },
  status,
}: {
  resource: Declared;
  status: NonNullable<Declared["status"]>;
}): WithStatus<Declared> {
  return { apiVersion: API_VERSION, kind, metadata, spec, status };
}
