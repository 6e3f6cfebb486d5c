/** The lists of the three kinds as the stream of changes leaves them. */
import type { AgentView } from "../../http-api/agent-views.ts";
import type { PackView } from "../../http-api/pack-views.ts";
import type { ToolRegistryView } from "../../http-api/tool-views.ts";
import type { WatchEvent, WatchItem } from "../../http-api/watch-events.ts";

export interface ResourceLists {
  readonly agents: readonly AgentView[];
  readonly packs: readonly PackView[];
  readonly registries: readonly ToolRegistryView[];
}

export type Kind = WatchItem["kind"];

interface Named {
  readonly namespace: string;
  readonly name: string;
}

export function listsOf(items: readonly WatchItem[]): ResourceLists {
  return {
    agents: items.flatMap((one) => (one.kind === "AgentRuntime" ? [one.item] : [])),
    packs: items.flatMap((one) => (one.kind === "PromptPack" ? [one.item] : [])),
    registries: items.flatMap((one) => (one.kind === "ToolRegistry" ? [one.item] : [])),
  };
}

/** Lists that an event does not touch stay the same objects. */
export function applyWatchEvent(lists: ResourceLists, event: WatchEvent): ResourceLists {
  switch (event.type) {
    case "snapshot":
      return listsOf(event.items);
    case "changed":
      return withChange(lists, event.change);
    case "removed":
      return {
        agents: withoutItem(lists.agents, "AgentRuntime", event.removed),
        packs: withoutItem(lists.packs, "PromptPack", event.removed),
        registries: withoutItem(lists.registries, "ToolRegistry", event.removed),
      };
    case "event":
    case "reset":
      return lists;
  }
}

function withChange(lists: ResourceLists, change: WatchItem): ResourceLists {
  switch (change.kind) {
    case "AgentRuntime":
      return { ...lists, agents: withItem(lists.agents, change.item) };
    case "PromptPack":
      return { ...lists, packs: withItem(lists.packs, change.item) };
    case "ToolRegistry":
      return { ...lists, registries: withItem(lists.registries, change.item) };
  }
}

function isSame(one: Named, other: Named): boolean {
  return one.name === other.name && one.namespace === other.namespace;
}

function withItem<Item extends Named>(items: readonly Item[], changed: Item): Item[] {
  const at = items.findIndex((item) => isSame(item, changed));
  return at < 0 ? [...items, changed] : items.with(at, changed);
}

function withoutItem<Item extends Named>(
  items: readonly Item[],
  kind: Kind,
  gone: Named & { readonly kind: Kind },
): readonly Item[] {
  return kind === gone.kind ? items.filter((item) => !isSame(item, gone)) : items;
}
