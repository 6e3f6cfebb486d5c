import type { EventView } from "../../http-api/resource-views.ts";

/** Events of one reason, newest first. */
export interface EventGroup {
  readonly type: EventView["type"];
  readonly reason: string;
  readonly count: number;
  /** When the newest was. */
  readonly at: string;
  readonly message: string;
  /** What else was said for the same reason. */
  readonly earlier: readonly string[];
}

export function groupEvents(events: readonly EventView[]): EventGroup[] {
  const groups = new Map<string, EventView[]>();
  for (const event of events) {
    const key = `${event.type} ${event.reason}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [event]);
    else group.push(event);
  }
  return [...groups.values()].map(groupOf).toSorted((a, b) => newestFirst(a, b));
}

function groupOf(events: readonly EventView[]): EventGroup {
  const [newest, ...others] = events.toSorted((a, b) => newestFirst(a, b)) as [
    EventView,
    ...EventView[],
  ];
  const { type, reason, at, message } = newest;
  const count = events.reduce((sum, event) => sum + event.count, 0);
  const earlier = new Set(others.map((event) => event.message));
  earlier.delete(message);
  return { type, reason, count, at, message, earlier: [...earlier] };
}

function newestFirst(a: { at: string }, b: { at: string }): number {
  return Date.parse(b.at) - Date.parse(a.at);
}
