/** A resource as `status` and `explain` read it, from a local instance or from a cluster, of this version or a later one. */
import { z } from "zod";
import { DEFAULT_NAMESPACE } from "../../api/fields/names.ts";
import {
  AGENT_RUNTIME,
  OMNIA_KINDS,
  PROMPT_PACK,
  TOOL_REGISTRY,
  type OmniaKind,
} from "../../api/group.ts";

const conditionView = z.looseObject({
  type: z.string(),
  status: z.enum(["True", "False", "Unknown"]).catch("Unknown"),
  reason: z.string().default(""),
  message: z.string().default(""),
  observedGeneration: z.int().optional().catch(undefined),
});

const statusView = z.looseObject({
  phase: z.string().optional(),
  ready: z.string().optional(),
  endpoint: z.string().optional(),
  observedGeneration: z.int().optional(),
  conditions: z.array(conditionView).default([]),
});

const resourceView = z.looseObject({
  kind: z.enum(OMNIA_KINDS),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().default(DEFAULT_NAMESPACE),
    generation: z.int().optional(),
  }),
  spec: z.record(z.string(), z.unknown()).default({}),
  status: statusView.prefault({}),
});

export type ConditionView = z.output<typeof conditionView>;
export type ResourceView = z.output<typeof resourceView>;

/** Reads the items of the three kinds, in the order in which they are shown. Other items are left out. */
export function readResourceViews(items: readonly unknown[]): ResourceView[] {
  return items
    .map((item) => resourceView.safeParse(item))
    .filter((parsed) => parsed.success)
    .map(({ data }) => data)
    .toSorted(
      (a, b) =>
        OMNIA_KINDS.indexOf(a.kind) - OMNIA_KINDS.indexOf(b.kind) ||
        a.metadata.namespace.localeCompare(b.metadata.namespace) ||
        a.metadata.name.localeCompare(b.metadata.name),
    );
}

/** What users may write for a kind besides its name. Upper and lower case make no difference. */
const KIND_NAMES: Readonly<Record<OmniaKind, { readonly plural: string; readonly short: string }>> =
  {
    [AGENT_RUNTIME]: { plural: "agentruntimes", short: "ar" },
    [PROMPT_PACK]: { plural: "promptpacks", short: "pp" },
    [TOOL_REGISTRY]: { plural: "toolregistries", short: "tr" },
  };

/** The words for kinds that hints name. */
export const KIND_WORDS: readonly string[] = OMNIA_KINDS.map((kind) => kind.toLowerCase());

export function pluralOf(kind: OmniaKind): string {
  return KIND_NAMES[kind].plural;
}

export function kindNamed(text: string): OmniaKind | undefined {
  const wanted = text.toLowerCase();
  return OMNIA_KINDS.find((kind) => {
    const { plural, short } = KIND_NAMES[kind];
    return [kind.toLowerCase(), plural, short].includes(wanted);
  });
}

/** `agents/support`, as lists show it. */
export function shownName({ metadata: { namespace, name } }: ResourceView): string {
  return `${namespace}/${name}`;
}

/** The text or number at a path such as spec, provider, model. */
export function textAt(resource: ResourceView, ...path: readonly string[]): string | undefined {
  const value = valueAt(resource, path);
  if (typeof value === "string" && value !== "") return value;
  return typeof value === "number" ? String(value) : undefined;
}

export function numberAt(resource: ResourceView, ...path: readonly string[]): number | undefined {
  const value = valueAt(resource, path);
  return typeof value === "number" ? value : undefined;
}

function valueAt(resource: ResourceView, path: readonly string[]): unknown {
  let value: unknown = resource;
  for (const field of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[field];
  }
  return value;
}

/** Whether an agent asks its clients who they are. */
export function isAuthenticated({ spec }: ResourceView): boolean {
  const { auth } = (spec["facade"] ?? {}) as { auth?: unknown };
  return typeof auth === "object" && auth !== null;
}
