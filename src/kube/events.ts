import { isNotFound } from "./client/api-error.ts";
import type { KubeClient } from "./client/client.ts";
import type { Clock } from "../time/clock.ts";
import { apiVersionOf, type KubernetesObject, type ResourceType } from "./client/object.ts";

export const EVENTS: ResourceType = {
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  namespaced: true,
};

/** The API server refuses a longer note. */
export const MAX_NOTE_BYTES = 1024;
/** An event that repeats within this time is counted in the Event that exists. */
export const SERIES_MS = 10 * 60_000;
/** The number of events that are remembered. Beyond it the oldest is forgotten. */
export const MAX_REMEMBERED_EVENTS = 1_000;

/** The number of objects whose events are being written beside other work. */
export const MAX_REPORTS_UNDER_WAY = 8;

export interface EventToReport {
  type: "Normal" | "Warning";
  /** CamelCase, stable. */
  reason: string;
  /** What was done, CamelCase, such as `Reconcile`. */
  action: string;
  /** For people. */
  note: string;
}

interface Remembered {
  name: string;
  namespace: string;
  count: number;
  at: number;
}

export interface EventRecorderOptions {
  client: KubeClient;
  /** The name of this controller, such as `example.com/operator`. */
  reportingController: string;
  reportingInstance: string;
  clock: Clock;
  newName: () => string;
  onError: (error: unknown) => void;
}

/**
 * Reports events about objects. An event that repeats within ten minutes is counted in the series of the Event that exists. An
 * event that could not be written is passed to `onError` and is lost, because no work may fail for the sake of a report.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #remembered = new Map<string, Remembered>();
  #underWay = 0;
  /** Those who wait until they may report, first come first served. */
  readonly #waiting: (() => void)[] = [];

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /**
   * Reports the events in order, beside the work of the caller: it resolves when they are on their way, and not only when they are
   * written. It waits while too many others are on their way.
   */
  async begin(
    type: ResourceType,
    about: KubernetesObject,
    events: readonly EventToReport[],
    signal: AbortSignal,
  ): Promise<void> {
    if (events.length === 0) return;
    await this.#turn();
    void this.#reportInOrder(type, about, events, signal).finally(() => this.#leave());
  }

  /** A race of all reports that are under way would be told of each of them, in every caller that waits. */
  async #turn(): Promise<void> {
    if (this.#underWay < MAX_REPORTS_UNDER_WAY) this.#underWay += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Hands the place over to the next one. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#underWay -= 1;
    else next();
  }

  async #reportInOrder(
    type: ResourceType,
    about: KubernetesObject,
    events: readonly EventToReport[],
    signal: AbortSignal,
  ): Promise<void> {
    for (const event of events) await this.report(type, about, event, signal);
  }

  async report(
    type: ResourceType,
    about: KubernetesObject,
    event: EventToReport,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#report(type, about, event, signal);
    } catch (error) {
      if (!signal.aborted) this.#options.onError(error);
    }
  }

  async #report(
    type: ResourceType,
    about: KubernetesObject,
    event: EventToReport,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, clock, newName, reportingController, reportingInstance } = this.#options;
    const note = shortened(event.note);
    const key = JSON.stringify([about.metadata.uid, event.type, event.reason, event.action, note]);
    const known = this.#remembered.get(key);
    const time = new Date(clock.now()).toISOString().replace("Z", "000Z");
    this.#remembered.delete(key);
    if (known !== undefined && clock.monotonic() - known.at < SERIES_MS) {
      const count = known.count + 1;
      this.#remember(key, { ...known, count, at: clock.monotonic() });
      try {
        const series = { count, lastObservedTime: time };
        await client.mergePatch(EVENTS, known, { series }, signal);
        return;
      } catch (error) {
        // By default events live for an hour: this one has gone, and a new one is made.
        if (!isNotFound(error)) throw error;
      }
    }
    const namespace = about.metadata.namespace ?? "default";
    const name = `${about.metadata.name}.${newName()}`;
    this.#remember(key, { name, namespace, count: 1, at: clock.monotonic() });
    await client.createUnread(
      EVENTS,
      {
        metadata: { name, namespace },
        eventTime: time,
        type: event.type,
        reason: event.reason,
        action: event.action,
        note,
        reportingController,
        reportingInstance,
        regarding: {
          apiVersion: apiVersionOf(type),
          kind: type.kind,
          name: about.metadata.name,
          namespace: about.metadata.namespace,
          uid: about.metadata.uid,
          resourceVersion: about.metadata.resourceVersion,
        },
      } as KubernetesObject,
      signal,
    );
  }

  #remember(key: string, event: Remembered): void {
    this.#remembered.set(key, event);
    if (this.#remembered.size <= MAX_REMEMBERED_EVENTS) return;
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }
}

function shortened(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= MAX_NOTE_BYTES) return note;
  // A character that was cut in two becomes a replacement character of three bytes.
  return `${bytes
    .subarray(0, MAX_NOTE_BYTES - 6)
    .toString("utf8")
    .replace(/\uFFFD$/, "")}…`;
}
