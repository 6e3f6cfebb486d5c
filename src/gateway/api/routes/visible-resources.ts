/** The resources that a caller may see. One that it may not see is as if it were not there. */
import { AGENT_RUNTIME, PROMPT_PACK, TOOL_REGISTRY, type OmniaKind } from "../../../api/group.ts";
import { ApiProblem } from "../requests/api-problem.ts";
import type { CallerRights, Resource } from "../requests/caller-rights.ts";
import type { ObjectName, ResourceSource, StoredResource } from "../../resource-source.ts";

type Of<Kind extends OmniaKind> = Extract<StoredResource, { kind: Kind }>;

export const RESOURCE_OF: Readonly<Record<OmniaKind, Resource>> = {
  [AGENT_RUNTIME]: "agentruntimes",
  [PROMPT_PACK]: "promptpacks",
  [TOOL_REGISTRY]: "toolregistries",
};

/** The namespaces that have resources which the caller may list. */
export function visibleNamespaces(
  source: ResourceSource,
  rights: CallerRights,
  resource: Resource,
): Promise<ReadonlySet<string>> {
  const namespaces = source.resources().map(({ metadata }) => metadata.namespace);
  return rights.among(namespaces, { verb: "list", resource });
}

export async function visibleResources<Kind extends OmniaKind>(
  source: ResourceSource,
  rights: CallerRights,
  kind: Kind,
  namespace?: string,
): Promise<Of<Kind>[]> {
  const found = source
    .resources()
    .filter(
      (one): one is Of<Kind> =>
        one.kind === kind && (namespace === undefined || one.metadata.namespace === namespace),
    );
  const allowed = await rights.among(
    found.map(({ metadata }) => metadata.namespace),
    { verb: "list", resource: RESOURCE_OF[kind] },
  );
  return found.filter(({ metadata }) => allowed.has(metadata.namespace));
}

/** Rejects with the same error whether it is not there or the caller may not see it. */
export async function visibleResource<Kind extends OmniaKind>(
  source: ResourceSource,
  rights: CallerRights,
  kind: Kind,
  { namespace, name }: ObjectName,
): Promise<Of<Kind>> {
  const isAllowed = await rights.may({ verb: "get", resource: RESOURCE_OF[kind], namespace });
  const found = isAllowed ? source.resource(kind, { namespace, name }) : undefined;
  if (found !== undefined) return found;
  throw new ApiProblem("NotFound", `there is no ${kind} ${namespace}/${name} that you may see`);
}
