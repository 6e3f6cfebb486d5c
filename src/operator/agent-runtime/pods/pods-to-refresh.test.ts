import { describe, expect, it } from "vitest";
import type { PodObject } from "../../cluster/kubernetes-objects.ts";
import { FILES_REVISION_ANNOTATION } from "../../cluster/labels.ts";
import { podsToRefresh } from "./pods-to-refresh.ts";

function aPod(revision: number | undefined, more: Partial<PodObject> = {}): PodObject {
  const annotations =
    revision === undefined ? {} : { [FILES_REVISION_ANNOTATION]: String(revision) };
  return { metadata: { name: "p", annotations }, spec: { nodeName: "node-1" }, ...more };
}

const isDue = (pod: PodObject, revision: number): boolean =>
  podsToRefresh([pod], revision).length === 1;

describe("podsToRefresh", () => {
  it("tells pods that were told of another change", () => {
    expect(isDue(aPod(2), 3)).toBe(true);
    expect(isDue(aPod(3), 3)).toBe(false);
    // The count begins again when the ConfigMap was deleted.
    expect(isDue(aPod(3), 1)).toBe(true);
  });

  it("tells pods that were told of none, unless there was none", () => {
    expect(isDue(aPod(undefined), 1)).toBe(false);
    expect(isDue(aPod(undefined), 2)).toBe(true);
  });

  it("leaves pods alone that have no kubelet, that end and that have ended", () => {
    expect(isDue(aPod(1, { spec: {} }), 2)).toBe(false);
    const deletionTimestamp = "2026-03-01T12:00:00Z";
    expect(isDue(aPod(1, { metadata: { name: "p", deletionTimestamp } }), 2)).toBe(false);
    expect(isDue(aPod(1, { status: { phase: "Failed" } }), 2)).toBe(false);
    expect(isDue(aPod(1, { status: { phase: "Succeeded" } }), 2)).toBe(false);
  });
});
