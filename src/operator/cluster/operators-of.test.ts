import { describe, expect, it } from "vitest";
import { MANAGED_BY_ANNOTATION } from "../../api/group.ts";
import type { ManagedFields } from "../../kube/client/object.ts";
import type { StoredAgentRuntime } from "./kubernetes-objects.ts";
import { claimantOf, managerOf, operatorsOf, withKeptOff } from "./operators-of.ts";

function anAgent(value?: string, managedFields: ManagedFields[] = []): StoredAgentRuntime {
  const annotations = value === undefined ? undefined : { [MANAGED_BY_ANNOTATION]: value };
  return { metadata: { name: "agent", annotations, managedFields } } as StoredAgentRuntime;
}

const SAYS = { "f:status": { "f:conditions": { 'k:{"type":"Managed"}': {} } } };
const entry = (
  manager: string,
  fieldsV1: object = SAYS,
  subresource = "status",
): ManagedFields => ({
  manager,
  operation: "Apply",
  subresource,
  fieldsV1,
});

describe("the operator that looks after a resource", () => {
  it.each([
    ["team-a", "team-a"],
    [undefined, undefined],
    ["", undefined],
    ["../../secrets", undefined],
    ["Team", undefined],
    ["a".repeat(64), undefined],
  ])("by the annotation %j it is %j", (value, claimant) => {
    expect(claimantOf(anAgent(value))).toBe(claimant);
  });
});

describe("the operators that keep off an AgentRuntime", () => {
  it("are read from the managed fields of what they say", () => {
    const agent = anAgent("one", [
      entry("omnia-operator"),
      entry("kubectl"),
      entry(managerOf("one"), SAYS, ""),
      entry(managerOf("two")),
      entry(managerOf("three"), { "f:status": {} }),
    ]);
    const kept = withKeptOff(agent);
    expect(kept.keptOffBy).toEqual(["two"]);
    expect(operatorsOf(kept)).toEqual(["one", "two"]);
    expect(withKeptOff(anAgent()).keptOffBy).toBeUndefined();
  });
});
