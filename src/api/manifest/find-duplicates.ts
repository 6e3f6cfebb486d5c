/** No two resources of one kind and namespace may have the same name. It is judged over all files together. */
import { type ManifestResource, type Problem, resourceKey } from "./manifest.ts";

/** Gives an error for each resource that has the kind, namespace and name of an earlier one. The error names the earlier one. */
export function findDuplicates(resources: readonly ManifestResource[]): Problem[] {
  const first = new Map<string, ManifestResource>();
  return resources.flatMap((resource) => {
    const { kind, namespace, name, file } = resource;
    const key = resourceKey(resource);
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, resource);
      return [];
    }
    const place = `${earlier.file}:${earlier.positionOf(["metadata", "name"]).line}`;
    return {
      file,
      ...resource.positionOf(["metadata", "name"]),
      severity: "error" as const,
      message: `metadata.name: namespace "${namespace}" has another ${kind} "${name}" at ${place}; rename or remove one`,
    };
  });
}
