/** What replicas that run say of themselves is heard in the condition of the part that they blame. */
import { type Finding, holds } from "../condition.ts";
import type { ReplicaReport } from "./available.ts";

const BLAMED = {
  "session-store": { type: "SessionStoreReady", reason: "Unreachable" },
  provider: { type: "ProviderReady", reason: "InvalidKey" },
} as const;

/** A condition that does not hold already says more than the replicas know, and stays as it is. */
export function withReports(
  finding: Finding<"AgentRuntime">,
  reports: readonly ReplicaReport[] = [],
): Finding<"AgentRuntime"> {
  if (!holds("AgentRuntime", finding)) return finding;
  const blamed = reports.find(
    ({ about }) => about !== undefined && BLAMED[about].type === finding.type,
  );
  if (blamed?.about === undefined) return finding;
  const { reason } = BLAMED[blamed.about];
  const message = `A replica runs and is not ready: ${blamed.message}. ${finding.message}`;
  return { type: finding.type, reason, message };
}
