import { stringify } from "yaml";
import type { StoredResource } from "../../resource-source.ts";

/** What only the API server and the tools of users write. It is no part of what somebody wrote to declare a resource. */
const WRITTEN_BY_TOOLS = ["kubectl.kubernetes.io/last-applied-configuration"];

/** The resource as a manifest: without a status, and without what only the API server writes. */
export function manifestText({ apiVersion, kind, metadata, spec }: StoredResource): string {
  const { name, namespace, labels, annotations } = metadata;
  const shown = Object.fromEntries(
    Object.entries(annotations ?? {}).filter(([key]) => !WRITTEN_BY_TOOLS.includes(key)),
  );
  return stringify(
    {
      apiVersion,
      kind,
      metadata: {
        name,
        namespace,
        labels: isEmpty(labels) ? undefined : labels,
        annotations: isEmpty(shown) ? undefined : shown,
      },
      spec,
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

function isEmpty(map: Readonly<Record<string, string>> | undefined): boolean {
  return map === undefined || Object.keys(map).length === 0;
}
