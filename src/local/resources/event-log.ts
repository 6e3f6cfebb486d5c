/** What happened to resources lately, as the events of a cluster tell it. It is kept in memory only. */
import type { EventView } from "../../http-api/resource-views.ts";
import type { Happened } from "../../control/explain/happened.ts";
import { hideInText } from "../../control/hide-values.ts";

/** The oldest one is forgotten beyond this many of one resource. */
export const MAX_EVENTS = 100;
const MAX_MESSAGE_LENGTH = 1_024;

/** The events of one resource. */
export class EventLog {
  /** The newest one last. */
  #events: EventView[] = [];

  /** `now` is in milliseconds since 1970. What happened before in the same words is counted and not told again. */
  add({ type, reason, message }: Happened, now: number): EventView {
    const words = hideInText(message.slice(0, MAX_MESSAGE_LENGTH));
    const before = this.#events.find(
      (event) => event.type === type && event.reason === reason && event.message === words,
    );
    const event: EventView = {
      at: new Date(now).toISOString(),
      count: (before?.count ?? 0) + 1,
      type,
      reason,
      message: words,
    };
    this.#events = [...this.#events.filter((one) => one !== before), event].slice(-MAX_EVENTS);
    return event;
  }

  /** The newest one first. */
  all(): EventView[] {
    return this.#events.toReversed();
  }
}
