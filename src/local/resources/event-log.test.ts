import { describe, expect, it } from "vitest";
import { EventLog, MAX_EVENTS } from "./event-log.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const happened = (message: string) =>
  ({ type: "Warning", reason: "ReplicaEnded", message }) as const;

describe("the events of a resource", () => {
  it("come newest first, and what happens again is counted", () => {
    const log = new EventLog();
    log.add(happened("one"), NOW);
    log.add(happened("two"), NOW + 1_000);
    log.add(happened("one"), NOW + 2_000);
    expect(log.all()).toEqual([
      { ...happened("one"), at: "2026-03-01T12:00:02.000Z", count: 2 },
      { ...happened("two"), at: "2026-03-01T12:00:01.000Z", count: 1 },
    ]);
  });

  it("are no more than a limit, and none is longer than one", () => {
    const log = new EventLog();
    for (let index = 0; index <= MAX_EVENTS; index += 1) log.add(happened(`${index}`), NOW);
    log.add(happened("x".repeat(10_000)), NOW);
    expect(log.all()).toHaveLength(MAX_EVENTS);
    expect(log.all()[0]?.message).toHaveLength(1_024);
    expect(log.all().at(-1)?.message).toBe("2");
  });

  it("hide what may be a credential", () => {
    const log = new EventLog();
    log.add(happened("http://user:word@host/?key=value failed"), NOW);
    expect(log.all()[0]?.message).toBe("http://(hidden)@host/?key=(hidden) failed");
  });
});
