/** The metrics of the operator. Those of its work have the names of controller-runtime, which dashboards know. */
import type { Controller, ReconcileOutcome } from "../kube/controller/controller.ts";
import type { CounterMetric, Metrics } from "../observability/metrics.ts";
import { AGENT_PHASES, type AgentPhase } from "../api/agent-runtime.ts";
import { failureReason } from "./failure-reason.ts";

const RECONCILE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const QUEUE_BUCKETS = [0.000_01, 0.000_1, 0.001, 0.01, 0.1, 1, 10, 100];

/** What the gauges read of a controller. */
type Observed = Pick<Controller, "name" | "activeWorkers" | "workers" | "queue">;

export interface Reconciled {
  readonly outcome: ReconcileOutcome;
  readonly seconds: number;
  readonly error?: unknown;
}

/** What a process shows while it leads. */
export interface Shown {
  readonly controllers: readonly Observed[];
  /** The PromptPacks whose newest version was taken back. */
  readonly abortedPacks: () => Iterable<{ readonly namespace: string; readonly name: string }>;
  /** The phases of all agents that are watched. One whose status has none yet counts as Pending. */
  readonly agentPhases: () => Iterable<AgentPhase | undefined>;
}

export interface OperatorMetrics {
  reconciled(controller: string, done: Reconciled): void;
  responded(response: { method: string; status: number | "error" }): void;
  /** Makes the observer of the work queue of a controller. */
  queueObserver(controller: string): QueueObserver;
  /** From now on the gauges show these. Undefined: this process does not lead, and shows nothing that the leader shows. */
  observe(shown: Shown | undefined): void;
  setLeading(isLeading: boolean): void;
}

export interface QueueObserver {
  onAdd(): void;
  onTake(waitedSeconds: number): void;
  onDone(workedSeconds: number): void;
  onRetry(): void;
}

export function createOperatorMetrics(
  metrics: Metrics,
  lease: string,
  host: string,
): OperatorMetrics {
  let observed: readonly Observed[] = [];
  let agentPhases: Shown["agentPhases"] | undefined;
  let abortedPacks: Shown["abortedPacks"] = () => [];
  const ofController = ["controller"] as const;
  const ofQueue = ["name", "controller"] as const;
  const queueLabels = (name: string) => ({ name, controller: name });
  const gauge = (name: string, help: string, read: (controller: Observed) => number): void =>
    metrics.observedGauges({ name, help, labels: ofController }, () =>
      observed.map((one) => [{ controller: one.name }, read(one)] as const),
    );
  const queueGauge = (
    name: string,
    help: string,
    read: (queue: Observed["queue"]) => number,
  ): void =>
    metrics.observedGauges({ name, help, labels: ofQueue }, () =>
      observed.map((one) => [queueLabels(one.name), read(one.queue)] as const),
    );
  const counter = (name: string, help: string): CounterMetric<"controller"> =>
    metrics.counter({ name, help, labels: ofController });

  const total = metrics.counter({
    name: "controller_runtime_reconcile_total",
    help: "Reconciliations, by outcome",
    labels: ["controller", "result"],
  });
  const errors = counter(
    "controller_runtime_reconcile_errors_total",
    "Reconciliations that failed",
  );
  const errorsByReason = metrics.counter({
    name: "omnia_reconcile_errors_total",
    help: "Reconciliations that failed, by the reason of the API server or another word for it",
    labels: ["controller", "reason"],
  });
  const terminalErrors = counter(
    "controller_runtime_terminal_reconcile_errors_total",
    "Reconciliations that failed and are not tried again",
  );
  const time = metrics.histogram({
    name: "controller_runtime_reconcile_time_seconds",
    help: "Time of a reconciliation",
    labels: ofController,
    buckets: RECONCILE_BUCKETS,
  });
  metrics.observedGauges(
    {
      name: "omnia_agentruntimes",
      help: "AgentRuntimes that the leading operator looks after, by phase",
      labels: ["phase"],
    },
    () => (agentPhases === undefined ? [] : countPhases(agentPhases())),
  );
  metrics.observedGauges(
    {
      name: "omnia_promptpack_canary_aborted",
      help: "1 for each PromptPack whose newest version was taken back and stays so",
      labels: ["namespace", "promptpack"],
    },
    () =>
      Array.from(
        abortedPacks(),
        ({ namespace, name }) => [{ namespace, promptpack: name }, 1] as const,
      ),
  );
  gauge(
    "controller_runtime_max_concurrent_reconciles",
    "Workers of a controller",
    ({ workers }) => workers,
  );
  gauge(
    "controller_runtime_active_workers",
    "Workers of a controller that are busy",
    ({ activeWorkers }) => activeWorkers,
  );
  queueGauge("workqueue_depth", "Keys that could be worked on now", ({ depth }) => depth);
  queueGauge(
    "workqueue_unfinished_work_seconds",
    "Time that the keys being worked on have taken so far, in sum",
    ({ unfinishedSeconds }) => unfinishedSeconds,
  );
  queueGauge(
    "workqueue_longest_running_processor_seconds",
    "Time that the key longest worked on has taken so far",
    ({ longestSeconds }) => longestSeconds,
  );
  const adds = metrics.counter({
    name: "workqueue_adds_total",
    help: "Keys that were added",
    labels: ofQueue,
  });
  const retries = metrics.counter({
    name: "workqueue_retries_total",
    help: "Keys that were added again after a failure",
    labels: ofQueue,
  });
  const waited = metrics.histogram({
    name: "workqueue_queue_duration_seconds",
    help: "Time that keys waited for a worker",
    labels: ofQueue,
    buckets: QUEUE_BUCKETS,
  });
  const worked = metrics.histogram({
    name: "workqueue_work_duration_seconds",
    help: "Time that keys were worked on",
    labels: ofQueue,
    buckets: QUEUE_BUCKETS,
  });
  const requests = metrics.counter({
    name: "rest_client_requests_total",
    help: "Requests to the API server, by answer",
    labels: ["code", "host", "method"],
  });
  const leading = metrics.gauge({
    name: "leader_election_master_status",
    help: "Whether this process leads",
    labels: ["name"],
  });
  leading.set(0, { name: lease });

  return {
    reconciled(controller, { outcome, seconds, error }) {
      const isTerminal = outcome === "terminal_error";
      const result = isTerminal ? "error" : outcome;
      total.add(1, { controller, result });
      if (result === "error") {
        errors.add(1, { controller });
        errorsByReason.add(1, { controller, reason: failureReason(error) });
      }
      if (isTerminal) terminalErrors.add(1, { controller });
      time.observe(seconds, { controller });
    },
    responded: ({ method, status }) =>
      requests.add(1, { code: status === "error" ? "<error>" : String(status), host, method }),
    queueObserver: (controller) => ({
      onAdd: () => adds.add(1, queueLabels(controller)),
      onTake: (seconds) => waited.observe(seconds, queueLabels(controller)),
      onDone: (seconds) => worked.observe(seconds, queueLabels(controller)),
      onRetry: () => retries.add(1, queueLabels(controller)),
    }),
    observe: (shown) => {
      observed = shown?.controllers ?? [];
      agentPhases = shown?.agentPhases;
      abortedPacks = shown?.abortedPacks ?? (() => []);
    },
    setLeading: (isLeading) => leading.set(isLeading ? 1 : 0, { name: lease }),
  };
}

function countPhases(
  phases: Iterable<AgentPhase | undefined>,
): (readonly [{ phase: AgentPhase }, number])[] {
  const counts = new Map<AgentPhase, number>(AGENT_PHASES.map((phase) => [phase, 0]));
  for (const phase of phases) {
    const counted = phase ?? "Pending";
    counts.set(counted, (counts.get(counted) ?? 0) + 1);
  }
  return [...counts].map(([phase, count]) => [{ phase }, count] as const);
}
