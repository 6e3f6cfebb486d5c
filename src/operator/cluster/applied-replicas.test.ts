import { describe, expect, it } from "vitest";
import type { ManagedFields, ObjectMeta } from "../../kube/client/object.ts";
import { withAppliedReplicas } from "./applied-replicas.ts";
import type { StoredAgentRuntime } from "./kubernetes-objects.ts";

const HPA = { enabled: true, type: "hpa" };
const KEDA = { enabled: true, type: "keda" };

function isSeen(metadata: Partial<ObjectMeta>, autoscaling: object = HPA): boolean {
  const stored = { metadata: { name: "agent", ...metadata }, spec: { autoscaling } };
  return withAppliedReplicas(stored as StoredAgentRuntime).appliesReplicas === true;
}

const ofManifest = (text: string): Partial<ObjectMeta> => ({
  annotations: { "kubectl.kubernetes.io/last-applied-configuration": text },
});
const REPLICAS = { "f:spec": { "f:replicas": {}, "f:facade": {} } };
const ofManager = (entry: Partial<ManagedFields>): Partial<ObjectMeta> => ({
  managedFields: [{ manager: "argocd", operation: "Apply", fieldsV1: REPLICAS, ...entry }],
});

describe("a manifest that names spec.replicas beside an autoscaler", () => {
  it.each([
    ["of kubectl", ofManifest('{"spec":{"replicas":3}}')],
    ["of kubectl, with none", ofManifest('{"spec":{"replicas":0}}')],
    ["of server-side apply", ofManager({})],
  ])("is seen in what was applied: %s", (_, metadata) => {
    expect([isSeen(metadata), isSeen(metadata, KEDA)]).toEqual([true, true]);
    expect(isSeen(metadata, { ...HPA, enabled: false })).toBe(false);
  });

  it.each([
    ["another field in the manifest", ofManifest('{"spec":{"facade":{"handler":"echo"}}}')],
    ["a null", ofManifest('{"spec":{"replicas":null}}')],
    ["no JSON", ofManifest("{")],
    ["other JSON", ofManifest('"replicas"')],
    ["another field that is applied", ofManager({ fieldsV1: { "f:spec": { "f:facade": {} } } })],
    ["no field", ofManager({ fieldsV1: undefined })],
    ["whoever made it, defaults included", ofManager({ operation: "Update" })],
    ["a scaler", ofManager({ operation: "Update", subresource: "scale" })],
    ["a scaler that applies", ofManager({ subresource: "scale" })],
    ["nothing", {}],
  ])("is not seen in %s", (_, metadata) => {
    expect(isSeen(metadata)).toBe(false);
  });
});
