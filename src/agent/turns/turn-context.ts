import type { Log } from "../../observability/log.ts";
import type { Tracer } from "../../observability/tracing/tracer.ts";
import type { Clock } from "../../time/clock.ts";
import type { AgentMetrics } from "../contracts/agent-metrics.ts";
import type { LiveEvals } from "../live-evals/live-evals.ts";
import type { CanaryCounter } from "./canary-counter.ts";
import type { SessionFeeds } from "./session-feeds.ts";
import type { WritePace } from "./write-pace.ts";

/** What all turns of a replica share. */
export interface TurnContext {
  readonly feeds: SessionFeeds;
  readonly clock: Clock;
  readonly pace: WritePace;
  readonly metrics: AgentMetrics;
  readonly log: Log;
  /** What people call this replica; it stands in the records of its turns. */
  readonly replica?: string | undefined;
  /** Undefined while nothing is traced. */
  readonly tracer?: (() => Tracer | undefined) | undefined;
  /** Counts the turns of a version on trial. */
  readonly canary?: Pick<CanaryCounter, "count"> | undefined;
  /** Runs the evals of the pack on turns that have ended. */
  readonly evals?: Pick<LiveEvals, "judge"> | undefined;
}
