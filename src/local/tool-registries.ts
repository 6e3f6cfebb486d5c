/** The ToolRegistries that the files declare, and what was decided about each. */
import type { ToolRegistry, ToolRegistryStatus } from "../api/tool-registry.ts";
import { hash } from "node:crypto";
import type { KeySelector } from "../api/fields/pod-fields.ts";
import { decideToolRegistry, resolveInput } from "../control/tool-registry/decide-tool-registry.ts";
import { serversOf } from "../control/agent-runtime/offered-tools.ts";
import { judgeSecretKey } from "../control/agent-runtime/judge-secret-key.ts";
import { changedToolNotes, TOOL_CHANGED } from "../control/explain/changed-tools.ts";
import type { Happened } from "../control/explain/happened.ts";
import type { ObjectName } from "../control/object-name.ts";
import type { ResolvedTool } from "../control/tool-registry/resolved-tool.ts";
import type { KnownList } from "../tool-servers/lists/known-list.ts";
import type { ToolOutcome } from "../control/tool-registry/resolve-tools.ts";
import type { Clock } from "../time/clock.ts";
import {
  type ListCredential,
  ListCredentialError,
  listSource,
} from "../tool-servers/lists/list-source.ts";
import type { ListSource, ToolListReader } from "../tool-servers/lists/tool-list-reader.ts";
import { resolveSecret } from "./secrets/resolve-secret.ts";
import { type ConfigMaps, configMapNames } from "../control/tool-registry/descriptor-sets.ts";
import type { ToolRegistryReference } from "../control/agent-runtime/references.ts";
import { objectKey, serviceViews, type LocalWorld } from "./world.ts";
import { MACHINE_ADDRESSES } from "../network/address-verdict.ts";
import type { ProbeResult } from "../probes/probe.ts";
import { withGeneration } from "./with-generation.ts";

export type FoundToolRegistry = Extract<ToolRegistryReference, { found: true }>;

interface KnownRegistry {
  readonly resource: ToolRegistry;
  readonly status: ToolRegistryStatus;
  readonly tools: readonly LocalTool[];
}

/** What is known of a tool besides its row in the status. */
export interface LocalTool {
  readonly name: string;
  /** The entry of the registry that it comes from, where one entry gives many tools. */
  readonly server?: string | undefined;
  readonly description: string;
  readonly inputSchema?: Readonly<Record<string, unknown>> | undefined;
}

export interface LocalToolRegistriesOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly lists: ToolListReader;
  /** Called with what people should hear of a registry. */
  readonly warn: (registry: ObjectName, line: string) => void;
  /** Called with what happened besides a change of the status. */
  readonly onEvent: (registry: ObjectName, happened: Happened) => void;
}

export class LocalToolRegistries {
  readonly #options: LocalToolRegistriesOptions;
  #known: ReadonlyMap<string, KnownRegistry> = new Map();

  constructor(options: LocalToolRegistriesOptions) {
    this.#options = options;
  }

  decide(
    world: LocalWorld,
    probes: ReadonlyMap<string, ProbeResult>,
    now: number,
  ): ReadonlyMap<string, FoundToolRegistry> {
    const known = new Map<string, KnownRegistry>();
    const decided = new Map<string, FoundToolRegistry>();
    for (const declared of world.toolRegistries) {
      const { name, namespace } = declared.metadata;
      const key = objectKey(declared.metadata);
      const before = this.#known.get(key);
      const resource = withGeneration(declared, before?.resource);
      const input = {
        toolRegistry: { ...resource, status: before?.status },
        services: serviceViews(world, namespace, probes),
        probes,
        urlAddresses: MACHINE_ADDRESSES,
        runsCommands: true,
        configMaps: configMapsOf(declared, world),
        now,
      };
      const outcomes = resolveInput(input);
      const lists = this.#options.lists.known(key, this.#sourcesOf(world, namespace, outcomes));
      const { status, tools, changed } = decideToolRegistry({ ...input, outcomes, lists });
      for (const note of changedToolNotes(changed)) {
        this.#options.warn({ name, namespace }, `${TOOL_CHANGED}: ${note}`);
        const happened = { type: "Warning", reason: TOOL_CHANGED, message: note } as const;
        this.#options.onEvent({ name, namespace }, happened);
      }
      known.set(key, { resource, status, tools: shownTools(tools, lists) });
      const { allowedNamespaces } = declared.spec;
      decided.set(key, { found: true, name, namespace, status, tools, allowedNamespaces });
    }
    for (const key of this.#known.keys()) if (!known.has(key)) this.#options.lists.forget(key);
    this.#known = known;
    return decided;
  }

  /** How the list of each server of a registry is read. */
  #sourcesOf(
    world: LocalWorld,
    namespace: string,
    outcomes: readonly ToolOutcome[],
  ): ReadonlyMap<string, ListSource> {
    return new Map(
      serversOf(outcomes).map(({ name, config, isReachable, authSecretRef }) => {
        const credential = authSecretRef && localCredential(world, namespace, authSecretRef);
        return [name, listSource({ tool: config, isReachable, credential }, this.#options)];
      }),
    );
  }

  /** Its tools as they were decided on last. */
  tools(registry: ObjectName): LocalTool[] {
    return [...(this.#known.get(objectKey(registry))?.tools ?? [])];
  }

  resources(): { resource: ToolRegistry; status: ToolRegistryStatus }[] {
    return [...this.#known.values()];
  }
}

/** `selector` names a Secret of `namespace`, as the agents of the registry's namespace are given it. */
function localCredential(
  world: LocalWorld,
  namespace: string,
  selector: KeySelector,
): ListCredential {
  const secret = world.secret({ namespace, name: selector.name });
  const { reference, values } = resolveSecret(secret, world.environment);
  const value = values.get(selector.key);
  const problem = judgeSecretKey(selector, reference);
  return {
    version: value === undefined ? "" : hash("sha256", value),
    read: () =>
      value === undefined
        ? Promise.reject(new ListCredentialError(problem?.message))
        : Promise.resolve(value.trim()),
  };
}

/** By name, those that the entries of the registry name. */
function configMapsOf({ metadata, spec }: ToolRegistry, world: LocalWorld): ConfigMaps {
  const { namespace } = metadata;
  return new Map(
    configMapNames(spec.tools).flatMap((name) => {
      const configMap = world.configMap({ namespace, name });
      return configMap === undefined ? [] : [[name, configMap]];
    }),
  );
}

/** The tools that are entries of the registry, and those that its servers list. */
function shownTools(
  tools: readonly ResolvedTool[],
  lists: ReadonlyMap<string, KnownList>,
): LocalTool[] {
  return tools.flatMap((tool): LocalTool[] => {
    const { name, description = tool.fallbackDescription, inputSchema } = tool;
    const list = lists.get(name);
    const read = list?.state === "read" ? list : list?.before;
    if (read === undefined) return [{ name, description, inputSchema }];
    return read.tools.map((listed) => ({
      name: listed.name,
      server: name,
      description: listed.description ?? "",
      inputSchema: listed.inputSchema,
    }));
  });
}
