/** The kind ScaledObject of KEDA as its CustomResourceDefinition has it, with the fields that an operator writes and reads. */
import { setTimeout as delay } from "node:timers/promises";
import type { KubeAPIServer } from "./kube-api-server.ts";

const PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const NAME = "scaledobjects.keda.sh";
const SERVED_TIMEOUT_MS = 30_000;

const text = { type: "string" };
const count = { type: "integer", format: "int32" };
const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

const spec = {
  type: "object",
  required: ["scaleTargetRef", "triggers"],
  properties: {
    advanced: {
      type: "object",
      properties: {
        horizontalPodAutoscalerConfig: {
          type: "object",
          properties: { behavior: anything, name: text },
        },
        restoreToOriginalReplicaCount: { type: "boolean" },
      },
    },
    cooldownPeriod: count,
    idleReplicaCount: count,
    initialCooldownPeriod: count,
    maxReplicaCount: count,
    minReplicaCount: count,
    pollingInterval: count,
    scaleTargetRef: {
      type: "object",
      required: ["name"],
      properties: { apiVersion: text, envSourceContainerName: text, kind: text, name: text },
    },
    triggers: {
      type: "array",
      items: {
        type: "object",
        required: ["metadata", "type"],
        properties: {
          metadata: { type: "object", additionalProperties: text },
          metricType: text,
          name: text,
          type: text,
          useCachedMetrics: { type: "boolean" },
        },
      },
    },
  },
};

export async function installKeda(server: KubeAPIServer): Promise<void> {
  const { status, body } = await server.request("POST", PATH, {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: NAME },
    spec: {
      group: "keda.sh",
      scope: "Namespaced",
      names: { kind: "ScaledObject", plural: "scaledobjects", singular: "scaledobject" },
      versions: [
        {
          name: "v1alpha1",
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: "object",
              required: ["spec"],
              properties: { spec, status: anything },
            },
          },
        },
      ],
    },
  });
  if (status !== 201) throw new Error(`the API server refuses KEDA's CRD: ${JSON.stringify(body)}`);
  await isServed(server, 200);
}

export async function removeKeda(server: KubeAPIServer): Promise<void> {
  await server.request("DELETE", `${PATH}/${NAME}`);
  await isServed(server, 404);
}

async function isServed(server: KubeAPIServer, status: number): Promise<void> {
  const deadline = performance.now() + SERVED_TIMEOUT_MS;
  while ((await server.request("GET", "/apis/keda.sh/v1alpha1/scaledobjects")).status !== status) {
    if (performance.now() > deadline) throw new Error("KEDA's kind does not come or go");
    await delay(100);
  }
}
