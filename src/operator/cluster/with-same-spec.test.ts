import { describe, expect, it } from "vitest";
import { withSameSpec } from "./with-same-spec.ts";

function stored(fields: { uid?: string; generation?: number; version?: string; spec?: unknown }) {
  const { uid = "u", generation = 1, version = "1", spec = { replicas: 1 } } = fields;
  return {
    metadata: { name: "support", namespace: "team", uid, generation, resourceVersion: version },
    spec,
    status: { of: version },
  };
}

describe("withSameSpec", () => {
  it("takes over the spec of the object before, and nothing else of it", () => {
    const before = stored({});
    const after = withSameSpec(before, stored({ version: "2" }));
    expect(after).toEqual(stored({ version: "2" }));
    expect(after.spec).toBe(before.spec);
  });

  it.each([
    ["another object has its name", { uid: "v" }],
    ["its spec was changed and changed back", { generation: 3 }],
    ["the API server has another default by now", { spec: { replicas: 1, more: true } }],
    ["there is no spec any more", { spec: null }],
  ])("leaves the object as it is where %s", (_, fields) => {
    const after = stored({ version: "2", ...fields });
    expect(withSameSpec(stored({}), after)).toBe(after);
  });

  it("leaves the first of its name as it is", () => {
    const after = stored({});
    expect(withSameSpec(undefined, after)).toBe(after);
  });
});
