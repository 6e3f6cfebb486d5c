/**
 * What the HTTP API knows of the resources. The part that runs agents answers, from memory where no Promise is returned, since it
 * is asked at each request. Nothing that it gives has the value of a secret in it.
 */
import type { AgentRuntime, AgentRuntimeStatus } from "../api/agent-runtime.ts";
import type { OmniaKind } from "../api/group.ts";
import type { PromptPack, PromptPackStatus } from "../api/prompt-pack.ts";
import type { ToolRegistry, ToolRegistryStatus } from "../api/tool-registry.ts";
import type { ReplicaView } from "../http-api/agent-views.ts";
import type { EventView } from "../http-api/resource-views.ts";

export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

export interface ResourceName extends ObjectName {
  readonly kind: OmniaKind;
}

interface Stored<Kind extends OmniaKind, Spec, Status> {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: ObjectName & {
    readonly generation?: number | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
    readonly creationTimestamp?: string | undefined;
  };
  readonly spec: Spec;
  /** Empty as long as nothing has looked at the resource. */
  readonly status: Status;
}

export type StoredAgentRuntime = Stored<"AgentRuntime", AgentRuntime["spec"], AgentRuntimeStatus>;
export type StoredPromptPack = Stored<"PromptPack", PromptPack["spec"], PromptPackStatus>;
export type StoredToolRegistry = Stored<"ToolRegistry", ToolRegistry["spec"], ToolRegistryStatus>;
export type StoredResource = StoredAgentRuntime | StoredPromptPack | StoredToolRegistry;

/** A version of a pack that is kept. */
export interface KeptPackVersion {
  /** Of its content, 12 hexadecimal digits. */
  readonly hash: string;
  readonly semver: string;
  /** Milliseconds since 1970. */
  readonly keptAt?: number | undefined;
}

/** What is known of a tool besides its row in the status of its registry. */
export interface ToolFacts {
  readonly name: string;
  /** The entry of the registry that it comes from, where one entry gives many tools. */
  readonly server?: string | undefined;
  readonly description?: string | undefined;
  /** A JSON Schema. */
  readonly inputSchema?: Readonly<Record<string, unknown>> | undefined;
}

export interface ResourceChange {
  readonly changed: readonly StoredResource[];
  readonly removed: readonly ResourceName[];
  readonly events: readonly { readonly about: ResourceName; readonly event: EventView }[];
}

export interface ResourceSource {
  /** All of them, in no order. A resource that has not changed is the same object as before. */
  resources(): readonly StoredResource[];
  resource<Kind extends OmniaKind>(
    kind: Kind,
    name: ObjectName,
  ): Extract<StoredResource, { kind: Kind }> | undefined;
  /** The newest first. */
  events(about: ResourceName): readonly EventView[];
  replicas(agent: ObjectName): readonly ReplicaView[];
  tools(registry: ObjectName): readonly ToolFacts[];
  /** The newest first. */
  packVersions(pack: ObjectName, signal: AbortSignal): Promise<readonly KeptPackVersion[]>;
  /** Resolves to `undefined` when no such version is kept. */
  packDocument(
    pack: ObjectName,
    hash: string,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** The listener is called with each change, until the answer is disposed of. It must not throw. */
  listen(listener: (change: ResourceChange) => void): Disposable;
}
