/** Reads from a resource of ours which operators have to do with it. An operator is known by its own namespace. */
import { MANAGED_BY_ANNOTATION } from "../../api/group.ts";
import { dnsLabel } from "../../api/fields/names.ts";
import { z } from "zod";
import type { KubernetesObject } from "../../kube/client/object.ts";
import type { StoredAgentRuntime } from "./kubernetes-objects.ts";
import { OPERATOR } from "./labels.ts";

const NAMESPACE = dnsLabel();
const PREFIX = `${OPERATOR}@`;
/** The form of managed fields that hold the condition Managed. */
const SAYS_MANAGED = z.object({
  "f:status": z.object({
    "f:conditions": z.object({ [`k:${JSON.stringify({ type: "Managed" })}`]: z.unknown() }),
  }),
});

/** The operator that looks after the object. `undefined`: none does, or the annotation names none. */
export function claimantOf({ metadata }: KubernetesObject): string | undefined {
  const named = metadata.annotations?.[MANAGED_BY_ANNOTATION];
  // A new object names none, and to find what is wrong with that takes longer than to read a name.
  return named === undefined ? undefined : NAMESPACE.safeParse(named).data;
}

/** The field manager of what an operator says in its own name, beside what every operator writes as `OPERATOR`. */
export function managerOf(operator: string): string {
  return PREFIX + operator;
}

/** Keeps with an AgentRuntime which operators say in its status that they keep off it. */
export function withKeptOff(stored: StoredAgentRuntime): StoredAgentRuntime {
  const managers = (stored.metadata.managedFields ?? []).filter(
    ({ manager, subresource, fieldsV1 }) =>
      subresource === "status" &&
      manager.startsWith(PREFIX) &&
      SAYS_MANAGED.safeParse(fieldsV1).success,
  );
  if (managers.length === 0) return stored;
  const operators = managers.map(({ manager }) => manager.slice(PREFIX.length));
  return { ...stored, keptOffBy: [...new Set(operators)] };
}

/** All of them. */
export function operatorsOf(
  object: KubernetesObject & { keptOffBy?: readonly string[] },
): string[] {
  const claimant = claimantOf(object);
  const { keptOffBy = [] } = object;
  return [...new Set([...(claimant === undefined ? [] : [claimant]), ...keptOffBy])];
}
