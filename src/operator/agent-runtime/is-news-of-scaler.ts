import { isDeepStrictEqual } from "node:util";
import type { CacheChange } from "../../kube/watch/cache.ts";
import type { HorizontalPodAutoscalerObject, ScaledObject } from "../cluster/kubernetes-objects.ts";

type Scaler = HorizontalPodAutoscalerObject | ScaledObject;

/**
 * Whether an autoscaler has become another one, or says something else of itself. It writes every few seconds besides what it measures
 * and when it last saw load, which nobody reads here.
 */
export function isNewsOfScaler({ before, after }: CacheChange<Scaler>): boolean {
  if (before === undefined || after === undefined) return true;
  return !isDeepStrictEqual(readOf(before), readOf(after));
}

function readOf({ metadata, spec, status }: Scaler): object {
  const { resourceVersion: _, ...identity } = metadata;
  const conditions = (status?.conditions ?? []).map((condition) => {
    const { type, status: holds, reason, message } = condition;
    return { type, holds, reason, message };
  });
  return { identity, spec, conditions };
}
