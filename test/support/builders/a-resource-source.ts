/** Resources in memory for tests of the HTTP API, which a test may change. */
import type {
  ObjectName,
  ResourceChange,
  ResourceName,
  ResourceSource,
  StoredResource,
} from "../../../src/gateway/resource-source.ts";
import type { AgentRuntime } from "../../../src/api/agent-runtime.ts";
import type { PromptPack } from "../../../src/api/prompt-pack.ts";
import type { ToolRegistry } from "../../../src/api/tool-registry.ts";

type Parts = Pick<
  ResourceSource,
  "events" | "replicas" | "tools" | "packVersions" | "packDocument"
>;

export interface ResourcesInMemory extends ResourceSource {
  put(...resources: (AgentRuntime | PromptPack | ToolRegistry)[]): void;
  remove(name: ResourceName): void;
  happen(event: ResourceChange["events"][number]): void;
  /** How many hear of changes. */
  readonly listeners: number;
}

export function aResourceSource(
  resources: readonly (AgentRuntime | PromptPack | ToolRegistry)[] = [],
  parts: Partial<Parts> = {},
): ResourcesInMemory {
  const known = new Map<string, StoredResource>();
  const listeners = new Set<(change: ResourceChange) => void>();
  const tell = (change: Partial<ResourceChange>): void => {
    for (const listener of listeners) listener({ changed: [], removed: [], events: [], ...change });
  };
  const source: ResourcesInMemory = {
    events: () => [],
    replicas: () => [],
    tools: () => [],
    packVersions: () => Promise.resolve([]),
    packDocument: () => Promise.resolve(undefined),
    ...parts,
    resources: () => [...known.values()],
    resource: (kind, name) => known.get(keyOf({ kind, ...name })) as never,
    listen: (listener) => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    put: (...changed) => {
      const stored = changed.map((one) => ({ ...one, status: one.status ?? {} }) as StoredResource);
      for (const one of stored) known.set(keyOf({ kind: one.kind, ...nameOf(one) }), one);
      tell({ changed: stored });
    },
    remove: (name) => {
      known.delete(keyOf(name));
      tell({ removed: [name] });
    },
    happen: (event) => tell({ events: [event] }),
    get listeners() {
      return listeners.size;
    },
  };
  source.put(...resources);
  return source;
}

function nameOf({ metadata: { namespace, name } }: StoredResource): ObjectName {
  return { namespace, name };
}

function keyOf({ kind, namespace, name }: ResourceName): string {
  return `${kind} ${namespace}/${name}`;
}
