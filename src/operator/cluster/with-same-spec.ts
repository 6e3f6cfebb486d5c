import { isDeepStrictEqual } from "node:util";
import type { KubernetesObject } from "../../kube/client/object.ts";

/**
 * The object with the very spec of `before` where that is the same, so that what was read from a spec serves as long as it does not
 * change. Most changes of an object are of its status or of its metadata.
 */
export function withSameSpec<T extends KubernetesObject & { spec?: unknown }>(
  before: T | undefined,
  after: T,
): T {
  if (before === undefined) return after;
  const [was, is] = [before.metadata, after.metadata];
  if (was.uid !== is.uid || was.generation !== is.generation) return after;
  return isDeepStrictEqual(before.spec, after.spec) ? { ...after, spec: before.spec } : after;
}
