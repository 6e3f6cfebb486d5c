/**
 * The metrics of an agent. Each of them also has the labels `agent` and `namespace`. The label `version` is the version of the prompt
 * pack, and empty where there is none; versions that the agent's config does not have any more are dropped.
 */
import type { BudgetConfig } from "../../agent-config/agent-config.ts";
import type { CounterMetric, HistogramMetric, Metrics } from "../../observability/metrics.ts";
import type { NotReadyReason } from "../../observability/readiness-answer.ts";

/** How a turn ended, as `omnia_agent_requests_total` counts it. */
export type RequestStatus = "success" | "error" | "cancelled";

/** Has the version of the prompt pack. */
export const VERSION_LABEL = "version";

export interface AgentMetrics {
  readonly connectionsTotal: CounterMetric;
  readonly requestsTotal: CounterMetric<"status" | "handler" | "version">;
  readonly requestDurationSeconds: HistogramMetric;
  readonly messagesReceivedTotal: CounterMetric;
  readonly messagesSentTotal: CounterMetric;
  /** `status` is success or error. */
  readonly toolCallsTotal: CounterMetric<"tool" | "status">;
  /** `state` is asked, approved or denied. */
  readonly approvalsTotal: CounterMetric<"state">;
  /** `direction` is input or output. */
  readonly providerTokensTotal: CounterMetric<"provider" | "model" | "direction" | "version">;
  readonly providerCostTotal: CounterMetric<"provider" | "model" | "currency">;
  /** `outcome` is passed, warned, retried or refused. */
  readonly validationsTotal: CounterMetric<"validator" | "outcome">;
  /** `outcome` is passed, failed, skipped or dropped. */
  readonly evalsTotal: CounterMetric<"eval" | "version" | "outcome">;
  readonly evalScoreTotal: CounterMetric<"eval" | "version">;
  readonly timeToFirstChunkSeconds: HistogramMetric<"version">;
  /** `reason` is the code of the refusal, such as TooManyConnections. */
  readonly connectionsRefusedTotal: CounterMetric<"reason">;
  /** `reason` is queue_full, queue_timeout, shutting_down or budget_spent. */
  readonly requestsRefusedTotal: CounterMetric<"reason">;
  readonly messagesRateLimitedTotal: CounterMetric;
  readonly slowClientsClosedTotal: CounterMetric;
}

/** What is read when the metrics are read: how much waits, and the limits. */
export interface AgentPressure {
  requestsQueued(): number;
  /** All limits that can be set, by their names in the agent config. */
  limits(): Readonly<Record<string, number>>;
}

/** What is counted when the metrics are read, and not each time it changes. */
export interface AgentGauges {
  connectionsActive(): number;
  sessionsActive(): number;
  requestsInflight(): number;
}

const DURATION_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const FIRST_CHUNK_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Exposes the limits of the agent, and how many turns wait because of them. */
export function observeAgentPressure(metrics: Metrics, pressure: AgentPressure): void {
  metrics.observedGauge(
    {
      name: "omnia_agent_requests_queued",
      help: "Turns that wait for one of those running to end",
    },
    () => pressure.requestsQueued(),
  );
  metrics.observedGauges(
    {
      name: "omnia_agent_limit",
      help: "What one replica bears at most, by the limit's name in the agent config",
      labels: ["limit"],
    },
    () => Object.entries(pressure.limits()).map(([limit, value]) => [{ limit }, value] as const),
  );
}

const READINESS_SUBJECTS = ["session-store", "provider", "other"] as const;

/** Exposes what `/readyz` answered last. There is nothing before it was asked. */
export function observeAgentReadiness(
  metrics: Metrics,
  lastReasons: () => readonly NotReadyReason[] | undefined,
): void {
  metrics.observedGauges(
    {
      name: "omnia_agent_not_ready",
      help: "Whether no turn could be served when the replica was asked last, by what was to blame",
      labels: ["about"],
    },
    () => {
      const reasons = lastReasons();
      if (reasons === undefined) return [];
      const blamed = new Set(reasons.map(({ about = "other" }) => about));
      return READINESS_SUBJECTS.map((about) => [{ about }, blamed.has(about) ? 1 : 0] as const);
    },
  );
}

/** What is read when the metrics are read: the budgets of tokens, as the spec names them. */
export interface AgentBudget {
  limits(): BudgetConfig;
  tokensToday(): number;
}

export function observeAgentBudget(metrics: Metrics, budget: AgentBudget): void {
  metrics.observedGauges(
    {
      name: "omnia_agent_budget_limit_tokens",
      help: "Tokens that a turn, a session and a day may use, where the AgentRuntime says so",
      labels: ["budget"],
    },
    () => {
      const { maxTokensPerTurn, maxTokensPerSession, maxTokensPerDay } = budget.limits();
      const limits = { turn: maxTokensPerTurn, session: maxTokensPerSession, day: maxTokensPerDay };
      return Object.entries(limits).flatMap(([name, limit]) =>
        limit === undefined ? [] : [[{ budget: name }, limit] as const],
      );
    },
  );
  metrics.observedGauges(
    {
      name: "omnia_agent_budget_spent_tokens",
      help: "Tokens that all replicas have used since midnight UTC, as far as this one knows, where there is a budget for the day",
      labels: ["budget"],
    },
    () =>
      budget.limits().maxTokensPerDay === undefined
        ? []
        : [[{ budget: "day" }, budget.tokensToday()] as const],
  );
}

export function createAgentMetrics(metrics: Metrics, gauges: AgentGauges): AgentMetrics {
  metrics.observedGauge(
    { name: "omnia_agent_connections_active", help: "WebSocket connections that are open now" },
    () => gauges.connectionsActive(),
  );
  metrics.observedGauge(
    { name: "omnia_agent_sessions_active", help: "Sessions that were active within their ttl" },
    () => gauges.sessionsActive(),
  );
  metrics.observedGauge(
    { name: "omnia_agent_requests_inflight", help: "Turns that are running now" },
    () => gauges.requestsInflight(),
  );
  return {
    connectionsTotal: metrics.counter({
      name: "omnia_agent_connections_total",
      help: "WebSocket connections since the start",
    }),
    requestsTotal: metrics.counter({
      name: "omnia_agent_requests_total",
      help: "Turns that have ended, by outcome and version of the pack",
      labels: ["status", "handler", VERSION_LABEL],
    }),
    requestDurationSeconds: metrics.histogram({
      name: "omnia_agent_request_duration_seconds",
      help: "Time from a message to the end of its turn",
      buckets: DURATION_BUCKETS,
    }),
    messagesReceivedTotal: metrics.counter({
      name: "omnia_agent_messages_received_total",
      help: "Frames that clients sent",
    }),
    messagesSentTotal: metrics.counter({
      name: "omnia_agent_messages_sent_total",
      help: "Frames that clients were sent",
    }),
    toolCallsTotal: metrics.counter({
      name: "omnia_agent_tool_calls_total",
      help: "Tool calls, by tool and outcome",
      labels: ["tool", "status"],
    }),
    approvalsTotal: metrics.counter({
      name: "omnia_agent_approvals_total",
      help: "Calls that users were asked to approve, and their answers",
      labels: ["state"],
    }),
    providerTokensTotal: metrics.counter({
      name: "omnia_agent_provider_tokens_total",
      help: "Tokens that the provider counted",
      labels: ["provider", "model", "direction", VERSION_LABEL],
    }),
    providerCostTotal: metrics.counter({
      name: "omnia_agent_provider_cost_total",
      help: "What these tokens cost, by the prices of the AgentRuntime",
      labels: ["provider", "model", "currency"],
    }),
    validationsTotal: metrics.counter({
      name: "omnia_agent_validations_total",
      help: "Messages and answers that a validator of the pack judged, by its type and the outcome",
      labels: ["validator", "outcome"],
    }),
    evalsTotal: metrics.counter({
      name: "omnia_agent_evals_total",
      help: "Evals of the pack that were run on turns, by the version of the pack and the outcome",
      labels: ["eval", VERSION_LABEL, "outcome"],
    }),
    evalScoreTotal: metrics.counter({
      name: "omnia_agent_eval_score_total",
      help: "The sum of the scores of these evals, each from 0 to 1, by the version of the pack",
      labels: ["eval", VERSION_LABEL],
    }),
    timeToFirstChunkSeconds: metrics.histogram({
      name: "omnia_agent_time_to_first_chunk_seconds",
      help: "Time from a message to the first chunk of its answer",
      labels: [VERSION_LABEL],
      buckets: FIRST_CHUNK_BUCKETS,
    }),
    connectionsRefusedTotal: metrics.counter({
      name: "omnia_agent_connections_refused_total",
      help: "Connections that were refused before the upgrade, by reason",
      labels: ["reason"],
    }),
    requestsRefusedTotal: metrics.counter({
      name: "omnia_agent_requests_refused_total",
      help: "Messages that were refused because the replica takes no more turns or a budget is spent, by reason",
      labels: ["reason"],
    }),
    messagesRateLimitedTotal: metrics.counter({
      name: "omnia_agent_messages_rate_limited_total",
      help: "Frames that were refused because their client sent too many",
    }),
    slowClientsClosedTotal: metrics.counter({
      name: "omnia_agent_slow_clients_closed_total",
      help: "Connections that were closed because their client was too slow to read",
    }),
  };
}
