/**
 * What replicas say of themselves at `/readyz`. The kubelet asks the same and tells nobody the answer, but for its status code. The log
 * of a pod, or the API server's way to a pod, would say it too, and would need a right that the operator does not have.
 */
import { MANAGEMENT_PORT } from "../../../agent-config/agent-config.ts";
import type { ReplicaReport } from "../../../control/agent-runtime/available.ts";
import type { Readiness } from "../../../probes/ask-readiness.ts";
import type { Clock } from "../../../time/clock.ts";
import { Wake } from "../../../time/wake.ts";
import type { PodObject } from "../../cluster/kubernetes-objects.ts";
import { AGENT_CONTAINER } from "../../../api/pod-template.ts";
import { stableMessage } from "./stable-message.ts";

/** A container that has just started is about to become ready, and is not asked yet. */
const START_MS = 2_000;
/** A replica is asked again after this time. */
const INTERVAL_MS = 2_000;
const TICK_MS = 100;
/** Replicas of one agent mostly say the same, so that a few speak for all. */
const MAX_REPLICAS_OF_AGENT = 4;
const MAX_ASKED_AT_ONCE = 64;
const UNANSWERED: ReplicaReport = {
  message: "it says nothing of itself that the operator can read; its log says more",
};

/** Resolves to `undefined` when the replica did not answer. */
export type AskReplica = (
  address: { readonly host: string; readonly port: number },
  signal: AbortSignal,
) => Promise<Readiness | undefined>;

interface Asked {
  readonly agent: string;
  readonly host: string;
  /** On the monotonic clock. */
  dueAt: number;
  isBeingAsked: boolean;
  /** `undefined` until it was asked. */
  reports: readonly ReplicaReport[] | undefined;
}

/** Knows what the replicas say of themselves that run and are not ready. Others are not asked. */
export class ReplicaReports {
  readonly #clock: Clock;
  readonly #ask: AskReplica;
  readonly #onChange: (agent: string) => void;
  /** Agent → uid of a pod. */
  readonly #agents = new Map<string, Map<string, Asked>>();
  readonly #someAreAsked = new Wake();
  readonly #asking = new Set<Promise<void>>();

  constructor(options: {
    clock: Clock;
    ask: AskReplica;
    /** Called with the key of an agent whose replicas say something else than before. */
    onChange: (agent: string) => void;
  }) {
    this.#clock = options.clock;
    this.#ask = options.ask;
    this.#onChange = options.onChange;
  }

  /**
   * What the replicas of an agent said last, each report once and in a fixed order. From now on those of these pods are asked that
   * run and are not ready, until the next call.
   */
  of(agent: string, pods: readonly PodObject[]): readonly ReplicaReport[] {
    const before = this.#agents.get(agent);
    const asked = new Map(
      pods
        .filter(runsUnready)
        .toSorted((a, b) => (uidOf(a) < uidOf(b) ? -1 : 1))
        .slice(0, MAX_REPLICAS_OF_AGENT)
        .map((pod) => [uidOf(pod), before?.get(uidOf(pod)) ?? this.#toAsk(agent, pod)] as const),
    );
    if (asked.size === 0) this.#agents.delete(agent);
    else this.#agents.set(agent, asked);
    if (asked.size > 0) this.#someAreAsked.raise();
    return distinct([...asked.values()].flatMap(({ reports }) => reports ?? []));
  }

  forget(agent: string): void {
    this.#agents.delete(agent);
  }

  /** Asks until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#agents.size === 0) await this.#someAreAsked.wait(signal);
      this.#askDue(signal);
      await this.#clock.sleep(TICK_MS, signal).catch(() => {});
    }
    await Promise.all(this.#asking);
  }

  #toAsk(agent: string, { status }: PodObject): Asked {
    const container = status?.containerStatuses?.find(({ name }) => name === AGENT_CONTAINER);
    const startedAt = new Date(container?.state?.running?.startedAt ?? NaN).getTime();
    // The clock of the node may be wrong.
    const ageMs = Math.max(0, this.#clock.now() - startedAt) || 0;
    return {
      agent,
      host: status?.podIP ?? "",
      dueAt: this.#clock.monotonic() + Math.max(0, START_MS - ageMs),
      isBeingAsked: false,
      reports: undefined,
    };
  }

  #askDue(signal: AbortSignal): void {
    const now = this.#clock.monotonic();
    const due = [...this.#agents.values()]
      .flatMap((asked) => [...asked.values()])
      .filter(({ dueAt, isBeingAsked }) => dueAt <= now && !isBeingAsked)
      .toSorted((a, b) => a.dueAt - b.dueAt)
      .slice(0, MAX_ASKED_AT_ONCE - this.#asking.size);
    for (const replica of due) {
      replica.isBeingAsked = true;
      const asking: Promise<void> = this.#askOne(replica, signal).finally(() => {
        replica.isBeingAsked = false;
        replica.dueAt = this.#clock.monotonic() + INTERVAL_MS;
        this.#asking.delete(asking);
      });
      this.#asking.add(asking);
    }
  }

  /** Never rejects. */
  async #askOne(replica: Asked, signal: AbortSignal): Promise<void> {
    const { agent, host } = replica;
    const answer = await this.#ask({ host, port: MANAGEMENT_PORT }, signal).catch(() => undefined);
    if (signal.aborted) return;
    const before = JSON.stringify(replica.reports);
    replica.reports = reportsOf(answer);
    const isStillAsked = [...(this.#agents.get(agent)?.values() ?? [])].includes(replica);
    if (isStillAsked && JSON.stringify(replica.reports) !== before) this.#onChange(agent);
  }
}

/** The words may be anybody's: an image of somebody else may answer. */
function reportsOf(answer: Readiness | undefined): readonly ReplicaReport[] {
  if (answer === undefined) return [UNANSWERED];
  return answer.reasons.map(({ about, message }) => ({ about, message: stableMessage(message) }));
}

function distinct(reports: readonly ReplicaReport[]): readonly ReplicaReport[] {
  const byWords = new Map(reports.map((report) => [JSON.stringify(report), report]));
  return [...byWords].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, report]) => report);
}

function runsUnready({ metadata, status }: PodObject): boolean {
  if (metadata.deletionTimestamp !== undefined || status?.podIP === undefined) return false;
  return (status.containerStatuses ?? []).some(
    ({ name, ready, started, state }) =>
      name === AGENT_CONTAINER && !ready && started === true && state?.running !== undefined,
  );
}

function uidOf({ metadata }: PodObject): string {
  return metadata.uid ?? metadata.name;
}
