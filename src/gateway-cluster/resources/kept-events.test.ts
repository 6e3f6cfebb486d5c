import { describe, expect, it } from "vitest";
import type { EventObject } from "./event-of-object.ts";
import { keptEvent, KeptEvents, MAX_EVENTS, MAX_EVENTS_OF_ONE } from "./kept-events.ts";

const ABOUT = { kind: "AgentRuntime", namespace: "team", name: "bot" } as const;

function anEvent(number: number, fields: Partial<EventObject> = {}): EventObject {
  return {
    metadata: { name: `event-${number}`, namespace: "team", resourceVersion: String(number) },
    involvedObject: { ...ABOUT, uid: "1" },
    type: "Warning",
    reason: "PodsFailing",
    message: `message ${number}`,
    eventTime: new Date(number * 1_000).toISOString(),
    ...fields,
  };
}

function keep(...events: readonly EventObject[]): KeptEvents {
  const kept = new KeptEvents();
  for (const event of events) kept.cache.set(keptEvent(event));
  return kept;
}

describe("the events of a cluster", () => {
  it("come newest first, with the count of a series and the last time", () => {
    const series = { count: 7, lastObservedTime: "1970-01-01T00:01:00.000000Z" };
    expect(keep(anEvent(1, { series }), anEvent(2)).of(ABOUT, "1")).toEqual([
      {
        at: "1970-01-01T00:01:00.000Z",
        count: 7,
        type: "Warning",
        reason: "PodsFailing",
        message: "message 1",
      },
      expect.objectContaining({ at: "1970-01-01T00:00:02.000Z", count: 1 }),
    ]);
  });

  it.each<[string, Partial<EventObject>]>([
    ["another kind", { involvedObject: { ...ABOUT, kind: "Pod" } }],
    ["no name", { involvedObject: { ...ABOUT, name: "" } }],
    ["a resource of another namespace", { involvedObject: { ...ABOUT, namespace: "other" } }],
    ["no resource", { involvedObject: undefined }],
    ["no time", { eventTime: null, lastTimestamp: "soon" }],
  ])("are left out when they tell of %s", (_of, fields) => {
    const kept = keep(anEvent(1, fields));
    expect(kept.of(ABOUT, undefined)).toEqual([]);
    expect(kept.of({ ...ABOUT, namespace: "other" }, undefined)).toEqual([]);
    expect(kept.cache.size).toBe(0);
  });

  it("are left out when they tell of an earlier resource of the same name", () => {
    expect(keep(anEvent(1)).of(ABOUT, "2")).toEqual([]);
  });

  it("hide what may be a credential, and are cut", () => {
    const long = "x".repeat(5_000);
    const message = `https://user:word@host/?key=value ${long}`;
    const [event] = keep(anEvent(1, { message, reason: long })).of(ABOUT, "1");
    expect(event?.message).toMatch(/^https:\/\/\(hidden\)@host\/\?key=\(hidden\) x+$/);
    expect(event?.message.length).toBeLessThan(1_100);
    expect(event?.reason).toHaveLength(128);
  });

  it("are bounded for one resource, of which the oldest is forgotten", () => {
    const events = Array.from({ length: MAX_EVENTS_OF_ONE + 1 }, (_, index) => anEvent(index + 1));
    const found = keep(...events.toReversed()).of(ABOUT, "1");
    expect(found).toHaveLength(MAX_EVENTS_OF_ONE);
    expect(found.at(-1)?.message).toBe("message 2");
  });

  it("are bounded for all resources together", () => {
    const kept = new KeptEvents();
    for (let index = 0; index < MAX_EVENTS + 10; index += 1) {
      const involvedObject = { ...ABOUT, name: `bot-${index}` };
      kept.cache.set(keptEvent(anEvent(index, { involvedObject })));
    }
    expect(kept.cache.size).toBe(MAX_EVENTS);
    expect(kept.of({ ...ABOUT, name: "bot-0" }, undefined)).toEqual([]);
  });

  it("are told to those who follow them, when they happen and when they happen again", () => {
    const kept = new KeptEvents();
    const heard: number[] = [];
    kept.follow(({ event }) => heard.push(event.count));
    kept.cache.set(keptEvent(anEvent(1)));
    const again = anEvent(1, { count: 2 });
    kept.cache.set(
      keptEvent({ ...again, metadata: { ...again.metadata, resourceVersion: "again" } }),
    );
    expect(heard).toEqual([1, 2]);
  });
});
