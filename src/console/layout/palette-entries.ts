/** What can be gone to by its name. */
import type { ResourceLists } from "../api/resource-lists.ts";

export interface PaletteEntry {
  readonly kind: "Agent" | "Pack" | "Tools" | "Page";
  readonly name: string;
  readonly namespace: string | undefined;
  readonly to: string;
}

/** More are found by typing more. */
const MAX_SHOWN = 12;

const PAGES: readonly PaletteEntry[] = [
  { kind: "Page", name: "Agents", namespace: undefined, to: "/" },
  { kind: "Page", name: "Packs", namespace: undefined, to: "/packs" },
  { kind: "Page", name: "Tools", namespace: undefined, to: "/tools" },
];

export function paletteEntries({ agents, packs, registries }: ResourceLists): PaletteEntry[] {
  return [
    ...agents.map((agent) => entryOf("Agent", "agents", agent)),
    ...packs.map((pack) => entryOf("Pack", "packs", pack)),
    ...registries.map((registry) => entryOf("Tools", "tools", registry)),
    ...PAGES,
  ];
}

/** Names that begin with what is typed come first, then those that hold it, then those in whose namespace or kind it is. */
export function findEntries(entries: readonly PaletteEntry[], typed: string): PaletteEntry[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries.flatMap((entry) => {
    const name = entry.name.toLowerCase();
    const text = `${entry.kind} ${entry.namespace ?? ""}/${name}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) return [];
    const first = words[0] ?? "";
    return [{ entry, rank: name.startsWith(first) ? 0 : name.includes(first) ? 1 : 2 }];
  });
  return found
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, MAX_SHOWN)
    .map(({ entry }) => entry);
}

function entryOf(
  kind: PaletteEntry["kind"],
  place: string,
  { namespace, name }: { namespace: string; name: string },
): PaletteEntry {
  return { kind, name, namespace, to: `/${place}/${namespace}/${name}` };
}
