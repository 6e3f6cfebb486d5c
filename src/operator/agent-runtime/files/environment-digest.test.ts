import { describe, expect, it } from "vitest";
import type { EnvVar } from "../../../api/fields/pod-fields.ts";
import { environmentDigest } from "./environment-digest.ts";

const TOKEN: EnvVar = { name: "TOKEN", valueFrom: { secretKeyRef: { name: "s", key: "token" } } };
const REGION: EnvVar = {
  name: "REGION",
  valueFrom: { configMapKeyRef: { name: "c", key: "region", optional: true } },
};
const OTHERS: EnvVar[] = [
  { name: "LOG_LEVEL", value: "info" },
  { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
];
type Digests = Record<string, string>;

const digest = (environment: EnvVar[], digests: Digests, previous?: string): string | undefined =>
  environmentDigest(environment, previous, (...path) => digests[path.join("/")]);

const THERE = { "Secret/s/token": "a1", "ConfigMap/c/region": "b1" };

describe("the digest of an environment", () => {
  it("is none while nothing is taken from elsewhere", () => {
    expect(digest(OTHERS, THERE)).toBeUndefined();
    expect(digest([TOKEN, REGION], {})).toBeUndefined();
  });

  it("changes with every value that is taken from elsewhere, and with nothing else", () => {
    const before = digest([TOKEN, REGION, ...OTHERS], THERE);
    expect(digest([TOKEN, REGION], { ...THERE, "Secret/s/other": "x" }, before)).toBe(before);
    for (const path of Object.keys(THERE)) {
      expect(digest([TOKEN, REGION], { ...THERE, [path]: "z9" }, before)).not.toBe(before);
    }
  });

  it("stays when a source is lost, while the others are followed", () => {
    const before = digest([TOKEN, REGION], THERE);
    expect(digest([TOKEN, REGION], {}, before)).toBe(before);
    const after = digest([TOKEN, REGION], { "Secret/s/token": "a2" }, before);
    expect(after).toBe(digest([TOKEN, REGION], { ...THERE, "Secret/s/token": "a2" }));
  });

  it("changes when a source comes into being, for its pods wait in vain", () => {
    const before = digest([TOKEN, REGION], { "ConfigMap/c/region": "b1" });
    expect(digest([TOKEN, REGION], THERE, before)).not.toBe(before);
  });

  it("forgets what is no longer referred to", () => {
    expect(digest([REGION], THERE, digest([TOKEN, REGION], THERE))).toBe(digest([REGION], THERE));
  });

  it("is small enough for an annotation, however many there are", () => {
    const many = Array.from({ length: 256 }, (_, index) => ({
      ...TOKEN,
      name: `V${index}${"x".repeat(240)}`,
    }));
    expect(digest(many, { "Secret/s/token": "0123456789ab" })?.length).toBeLessThan(100_000);
  });
});
