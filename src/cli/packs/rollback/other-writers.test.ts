import { describe, expect, it } from "vitest";
import type { ObjectMeta } from "../../../kube/client/object.ts";
import { otherWriters } from "./other-writers.ts";

const APPLIED = { "kubectl.kubernetes.io/last-applied-configuration": "{}" };
const managedBy = (...managers: string[]): Partial<ObjectMeta> => ({
  managedFields: managers.map((manager) => ({ manager, operation: "Apply" })),
});

describe("otherWriters", () => {
  it.each<[string, Partial<ObjectMeta>, string[]]>([
    ["nobody else", managedBy("omnia-cli", "kubectl-edit"), []],
    ["kubectl apply", managedBy("kubectl-client-side-apply"), ["kubectl apply"]],
    ["kubectl apply --server-side", managedBy("kubectl"), ["kubectl apply"]],
    ["Argo CD by its manager", managedBy("argocd-controller"), ["Argo CD"]],
    [
      "Argo CD by its annotation, which applies as kubectl does",
      { annotations: { "argocd.argoproj.io/tracking-id": "a", ...APPLIED } },
      ["Argo CD"],
    ],
    ["Flux", managedBy("kustomize-controller"), ["Flux"]],
    [
      "Flux with Helm",
      { labels: { "helm.toolkit.fluxcd.io/name": "a", "app.kubernetes.io/managed-by": "Helm" } },
      ["Flux"],
    ],
    ["Fleet", managedBy("fleetagent"), ["Fleet"]],
    ["Helm", { annotations: { "meta.helm.sh/release-name": "a" } }, ["Helm"]],
  ])("names %s", (_name, metadata, names) => {
    const sentences = otherWriters({ name: "a", ...metadata }, 'ConfigMap "a"');
    expect(sentences).toEqual(
      names.map((name) => expect.stringContaining(`${name} looks after ConfigMap "a" and `)),
    );
  });
});
