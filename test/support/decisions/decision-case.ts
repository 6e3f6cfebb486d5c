import type { ConditionType } from "../../../src/api/conditions.ts";
import type { AgentRuntimeInput } from "../../../src/control/agent-runtime/decide-agent-runtime.ts";
import type { AgentReferences } from "../../../src/control/agent-runtime/references.ts";
import type { TrustPolicy } from "../../../src/control/trust-policy.ts";
import { secret } from "../builders/a-decision.ts";

/** Parts of specs. */
export const ECHO = { facade: { handler: "echo" }, provider: undefined, promptPackRef: undefined };
export const REDIS = {
  session: { type: "redis", storeRef: { name: "redis-credentials", key: "url" } },
};
export const TOOLS = { toolRegistryRef: { name: "tools" } };
export const REDIS_SECRET = secret("redis-credentials", "url");

/** A world, and what a decision says of it in one condition. */
export interface DecisionCase {
  says: string;
  type: ConditionType<"AgentRuntime">;
  reason: string;
  spec?: Record<string, unknown>;
  references?: AgentReferences;
  observed?: AgentRuntimeInput["observed"];
  autoscaler?: AgentRuntimeInput["autoscaler"];
  policy?: TrustPolicy;
  phase: "Pending" | "Running" | "Failed";
  message: string;
}
