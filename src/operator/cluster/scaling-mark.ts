import { z } from "zod";
import type { ScalingMark } from "../../control/agent-runtime/decide-replicas.ts";
import type { KubernetesObject } from "../../kube/client/object.ts";
import { SCALING_ANNOTATION } from "./labels.ts";

const MAX_LENGTH = 200;

const markSchema = z.object({
  spec: z.int().min(0),
  replicas: z.int().min(0).optional(),
  awakeSince: z.int().min(0).optional(),
});

/** What is remembered at the Deployment. Somebody may have written anything there; that counts as nothing. */
export function scalingMarkOf({ metadata }: KubernetesObject): ScalingMark | undefined {
  const text = metadata.annotations?.[SCALING_ANNOTATION];
  if (text === undefined || text.length > MAX_LENGTH) return undefined;
  try {
    return markSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export function scalingAnnotation(
  mark: ScalingMark | undefined,
): Record<string, string> | undefined {
  return mark && { [SCALING_ANNOTATION]: JSON.stringify(mark) };
}
