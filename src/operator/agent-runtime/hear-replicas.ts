import { keyOf } from "../../kube/client/object.ts";
import type { Phase } from "./pass.ts";
import type { ReplicaReports } from "./pods/replica-reports.ts";

/** Takes in what the replicas say of themselves. It waits for none of them: what they say later leads to another pass. */
export function hearReplicas(reports: ReplicaReports): Phase {
  return async (pass) => {
    pass.reports = reports.of(keyOf(pass.stored.metadata), pass.pods);
  };
}
