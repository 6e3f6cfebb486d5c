import { describe, expect, it, onTestFinished } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { growthPercent, type Heap, keepHeapRoom, LOOK_MS, QUIET_MS } from "./heap-room.ts";

const MIB = 1024 * 1024;

/** A process that is busy for as much of its time as a test says, with a heap that tells what it was told. */
function aKeptHeap({ usedBytes = 48 * MIB } = {}) {
  const clock = new ManualClock();
  const ending = new AbortController();
  const told: string[] = [];
  let activeMs = 0;
  const heap: Heap = {
    usedBytes: () => usedBytes,
    activeMs: () => activeMs,
    growBy: (percent) => told.push(`grow by ${percent}`),
    collect: () => told.push("collect"),
  };
  const ended = keepHeapRoom(heap, clock, ending.signal);
  onTestFinished(() => ending.abort());
  const works = async (share: number, seconds: number): Promise<string[]> => {
    const before = told.length;
    for (let look = 0; look < seconds; look += LOOK_MS / 1_000) {
      activeMs += share * LOOK_MS;
      await clock.advance(LOOK_MS);
    }
    return told.slice(before);
  };
  return { works, told, ending, ended };
}

const quietSeconds = QUIET_MS / 1_000;

describe("the room of the operator's heap", () => {
  it("is next to none from the start, and as long as little is done", async () => {
    const { works, told } = aKeptHeap();
    expect(await works(0.2, 60)).toEqual([]);
    expect(told).toEqual(["grow by 0"]);
  });

  it("is plenty a look after much is done, and stays so while that goes on", async () => {
    const { works } = aKeptHeap();
    expect(new Set(await works(0.9, 30))).toEqual(new Set(["grow by 50"]));
    expect(await works(0.2, 60)).not.toContain("collect");
  });

  it("is next to none again, and free memory given back once, when nothing was done for a while", async () => {
    const { works } = aKeptHeap();
    await works(0.9, 3);
    expect(await works(0.02, quietSeconds)).not.toContain("collect");
    expect(await works(0.02, 60)).toEqual(["grow by 0", "collect"]);
  });

  it("outlasts a pause in the work", async () => {
    const { works } = aKeptHeap();
    await works(0.9, 3);
    for (let pause = 0; pause < 5; pause += 1) {
      expect(await works(0.02, quietSeconds - 1)).not.toContain("collect");
      expect(await works(0.5, 1)).not.toContain("collect");
    }
  });

  it("is about the same for a small heap and a large one, within reason", () => {
    expect(growthPercent(48 * MIB)).toBe(50);
    expect(growthPercent(96 * MIB)).toBe(25);
    expect(growthPercent(1)).toBe(100);
    expect(growthPercent(4_096 * MIB)).toBe(10);
  });

  it("is left as it is at the end", async () => {
    const { told, ending, ended } = aKeptHeap();
    ending.abort();
    await ended;
    expect(told).toEqual(["grow by 0"]);
  });
});
