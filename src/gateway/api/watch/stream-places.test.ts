import { describe, expect, it } from "vitest";
import { MAX_STREAMS, MAX_STREAMS_PER_CALLER, StreamPlaces } from "./stream-places.ts";

describe("the places for streams of changes", () => {
  it("are so many for one caller, who is told so, and leave room for others", () => {
    const places = new StreamPlaces();
    const taken = Array.from({ length: MAX_STREAMS_PER_CALLER }, () => places.take("jane"));
    expect(() => places.take("jane")).toThrow(
      expect.objectContaining({ code: "TooManyRequests", status: 429 }),
    );
    expect(() => places.take("joe")).not.toThrow();
    // A place is given back once, however often that is said.
    taken[0]?.[Symbol.dispose]();
    taken[0]?.[Symbol.dispose]();
    expect(() => places.take("jane")).not.toThrow();
    expect(() => places.take("jane")).toThrow(expect.objectContaining({ status: 429 }));
  });

  it("are so many in all, whoever asks, and for those who have no names", () => {
    const places = new StreamPlaces();
    for (let number = 0; number < MAX_STREAMS / 2; number += 1) places.take(undefined);
    const named = Array.from({ length: MAX_STREAMS / 2 }, (_, number) => places.take(`${number}`));
    for (const subject of [undefined, "another"]) {
      expect(() => places.take(subject)).toThrow(
        expect.objectContaining({ code: "Unavailable", status: 503 }),
      );
    }
    named[0]?.[Symbol.dispose]();
    expect(() => places.take("another")).not.toThrow();
  });
});
