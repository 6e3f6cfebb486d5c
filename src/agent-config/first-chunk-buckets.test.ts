import { describe, expect, it } from "vitest";
import {
  emptyFirstChunkBuckets,
  FIRST_CHUNK_BOUNDS_MS,
  firstChunkBucketOf,
  firstChunkQuantile,
} from "./first-chunk-buckets.ts";

function bucketsOf(times: readonly number[]): number[] {
  const buckets = emptyFirstChunkBuckets();
  for (const time of times) {
    const bucket = firstChunkBucketOf(time);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  return buckets;
}

describe("the histogram of first chunks", () => {
  it("has a bucket for every time", () => {
    expect(firstChunkBucketOf(0)).toBe(0);
    expect(firstChunkBucketOf(10)).toBe(0);
    expect(firstChunkBucketOf(10.01)).toBe(1);
    expect(firstChunkBucketOf(1e9)).toBe(FIRST_CHUNK_BOUNDS_MS.length);
    expect(FIRST_CHUNK_BOUNDS_MS.at(-1)).toBeGreaterThan(100_000);
  });

  it("knows no quantile without a turn", () => {
    expect(firstChunkQuantile(emptyFirstChunkBuckets(), 0.95)).toBeUndefined();
  });

  it.each([20, 300, 2_000, 29_000])("tells a time of %i ms within a quarter", (time) => {
    const quantile = firstChunkQuantile(bucketsOf(Array.from({ length: 100 }, () => time)), 0.95);
    expect(quantile).toBeGreaterThan(time / 1.25);
    expect(quantile).toBeLessThan(time * 1.25);
  });

  it("leaves one slow turn in twenty out of account, and no more", () => {
    const fast = Array.from({ length: 95 }, () => 100);
    const slow = Array.from({ length: 5 }, () => 10_000);
    expect(firstChunkQuantile(bucketsOf([...fast, ...slow]), 0.95)).toBeLessThan(130);
    expect(firstChunkQuantile(bucketsOf([...fast, ...slow, 10_000]), 0.95)).toBeGreaterThan(5_000);
  });

  it("has no bound for times past the last bucket", () => {
    expect(firstChunkQuantile(bucketsOf([1e9]), 0.95)).toBe(Infinity);
  });
});
