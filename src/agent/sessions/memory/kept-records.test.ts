import { describe, expect, it } from "vitest";
import { MAX_TURN_RECORD_BYTES, MAX_TURN_RECORDS, type TurnRecord } from "../turn-record.ts";
import { KeptRecords } from "./kept-records.ts";

function record(turn: number, more: Partial<TurnRecord> = {}): TurnRecord {
  const startedAt = 1_700_000_000_000 + turn;
  const turnId = `turn-${turn}`;
  return { turnId, startedAt, endedAt: startedAt + 5, replicas, calls: NO_CALLS, ...more };
}
const replicas = ["replica"];
const NO_CALLS: TurnRecord["calls"] = [];
const CALL = { id: "call", name: "tool", startedAt: 1, outcome: "ok" } as const;

/** Each differs from a record that tells nothing else in one field. */
const DIFFERENT: Partial<TurnRecord>[] = [
  { firstTurnId: "turn-0" },
  { messageId: "message" },
  { firstChunkAt: 1_700_000_000_001 },
  { endedAt: undefined },
  { packVersion: "2.0.0" },
  { model: "model" },
  { replicas: ["other"] },
  { finishReason: "stop" },
  { error: { code: "INTERNAL_ERROR", message: "broken" } },
  { warnings: [{ validator: "length", message: "too long" }] },
  { usage: { input_tokens: 1, output_tokens: 2 } },
  { workflowState: "begun" },
  { calls: [CALL] },
];

function keptOf(records: readonly TurnRecord[]): KeptRecords {
  const kept = new KeptRecords();
  for (const each of records) kept.add(each);
  return kept;
}

describe("KeptRecords", () => {
  it("gives the records as they were added, whatever follows what", () => {
    const records = DIFFERENT.flatMap((more, at) => [
      record(3 * at),
      record(3 * at + 1, more),
      record(3 * at + 2, more),
    ]);
    const kept = keptOf(records);
    expect(kept.length).toBe(records.length);
    expect(kept.toArray()).toEqual(records);
    expect(kept.last).toEqual(records.at(-1));
    expect(JSON.stringify(kept.toArray())).toBe(JSON.stringify(records));
  });

  it("has no last one while there is none", () => {
    expect(keptOf([]).last).toBeUndefined();
  });

  it("keeps the newest turns, up to their number, and counts what is kept", () => {
    const records = Array.from({ length: 3 * MAX_TURN_RECORDS }, (_, turn) =>
      record(turn, DIFFERENT[turn % DIFFERENT.length]),
    );
    const kept = new KeptRecords();
    for (const [turn, each] of records.entries()) {
      kept.add(each);
      expect(kept.length).toBe(Math.min(turn + 1, MAX_TURN_RECORDS));
    }
    const newest = records.slice(-MAX_TURN_RECORDS);
    expect(kept.toArray()).toEqual(newest);
    expect(kept.bytes).toBe(keptOf(newest).bytes);
  });

  it("keeps the newest turns, up to their bytes, and the last one whatever its size", () => {
    const large = (share: number) => ({
      error: { code: "INTERNAL_ERROR", message: "x".repeat(MAX_TURN_RECORD_BYTES / share) },
    });
    const records = Array.from({ length: 40 }, (_, turn) => record(turn, large(10)));
    const kept = keptOf(records);
    expect(kept.toArray()).toEqual(records.slice(-9));
    const last = record(41, large(0.5));
    kept.add(last);
    expect(kept.toArray()).toEqual([last]);
    kept.add(record(42));
    expect(kept.toArray()).toEqual([record(42)]);
  });
});
