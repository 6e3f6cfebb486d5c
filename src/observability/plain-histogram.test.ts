import { Histogram, Registry } from "@prometheus-io/client";
import { describe, expect, it } from "vitest";
import { PlainHistogram } from "./plain-histogram.ts";

const BUCKETS = [0.1, 0.5, 2.5];
const DESCRIPTION = { name: "wait_seconds", help: "Waits", buckets: BUCKETS };

/** What a Prometheus reads of a histogram of the package, and of a plain one, with these values. */
async function textsOf(values: readonly number[]): Promise<[ofPackage: string, ofPlain: string]> {
  const [ofPackage, ofPlain] = [new Registry(), new Registry()];
  const registries = [ofPackage, ofPlain];
  for (const registry of registries) registry.setDefaultLabels({ agent: "helper" });
  const histogram = new Histogram({ ...DESCRIPTION, registers: [ofPackage] });
  const plain = new PlainHistogram(DESCRIPTION);
  ofPlain.registerMetric(plain);
  for (const value of values) {
    histogram.observe(value);
    plain.count(value);
  }
  expect(await ofPlain.getMetricsAsJSON()).toMatchObject([{ name: "wait_seconds" }]);
  return [await ofPackage.metrics(), await ofPlain.metrics()];
}

describe("a plain histogram", () => {
  it.each([[[]], [[0]], [[0.1, 0.100001, 0.5, 2.5, 2.6]], [[7, 7, 7]], [[-1, 0.3, 0.3]]])(
    "reads as one of the package does with the values %j",
    async (values) => {
      const [ofPackage, ofPlain] = await textsOf(values);
      expect(ofPlain).toBe(ofPackage);
    },
  );

  it("counts on after it was read", async () => {
    const registry = new Registry();
    const plain = new PlainHistogram(DESCRIPTION);
    registry.registerMetric(plain);
    plain.count(1);
    await registry.metrics();
    plain.count(3);
    expect(await registry.metrics()).toContain("wait_seconds_count 2");
    expect(await registry.metrics()).toContain('wait_seconds_bucket{le="2.5"} 1');
  });
});
