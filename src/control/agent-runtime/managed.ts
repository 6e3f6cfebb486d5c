import { MANAGED_BY_ANNOTATION } from "../../api/group.ts";
import type { Finding } from "../condition.ts";

/**
 * What a second operator finds about an AgentRuntime that another one looks after. It says that the AgentRuntime is not ready only in
 * the place of one that says nothing.
 */
export function managedByAnother({
  namespace,
  isSeen,
  hasStatus,
}: {
  /** The namespace of the other operator. */
  namespace: string;
  /** Whether it is known that it still runs. */
  isSeen: boolean;
  /** Whether the other operator has said whether the AgentRuntime is ready. */
  hasStatus: boolean;
}): Finding<"AgentRuntime">[] {
  const unseen = isSeen
    ? ""
    : "This operator has no right to see whether that one still runs, and takes nothing from it. ";
  const message = `The operator in namespace "${namespace}" looks after this AgentRuntime, and a second one is told to as well and keeps off it. ${unseen}Limit watchNamespaces of one of the two, or uninstall one; remove the annotation ${MANAGED_BY_ANNOTATION} to hand the AgentRuntime over`;
  const reason = "ManagedByAnother";
  const managed = { type: "Managed", reason, message } as const;
  return hasStatus ? [managed] : [managed, { type: "Ready", reason, message }];
}
