import { describe, expect, it } from "vitest";
import type { EventView } from "../../http-api/resource-views.ts";
import { groupEvents } from "./group-events.ts";

const event = (changes: Partial<EventView>): EventView => ({
  at: "2026-11-29T12:00:00Z",
  count: 1,
  type: "Warning",
  reason: "Crash",
  message: "it ended",
  ...changes,
});

describe("events", () => {
  it("of one reason are one group, which says the newest and counts all", () => {
    expect(
      groupEvents([
        event({ count: 3 }),
        event({ at: "2026-11-29T12:05:00Z", message: "it ended again" }),
        event({ at: "2026-11-29T12:01:00Z" }),
        event({ at: "2026-11-29T12:02:00.5Z", type: "Normal", reason: "Ready", message: "well" }),
      ]),
    ).toEqual([
      {
        type: "Warning",
        reason: "Crash",
        count: 5,
        at: "2026-11-29T12:05:00Z",
        message: "it ended again",
        earlier: ["it ended"],
      },
      {
        type: "Normal",
        reason: "Ready",
        count: 1,
        at: "2026-11-29T12:02:00.5Z",
        message: "well",
        earlier: [],
      },
    ]);
  });

  it("of a warning and of a message with the same reason stay apart", () => {
    expect(groupEvents([event({}), event({ type: "Normal" })])).toHaveLength(2);
  });

  it("are none where nothing happened", () => {
    expect(groupEvents([])).toEqual([]);
  });
});
