/** The environment of a pod's container, as a kubelet resolves it. */
import type { Pod } from "./pod.ts";
import { fieldOf, type ReadObject } from "./pod-volumes.ts";

/** Rejects when something that must be there is missing: then a kubelet does not start the container. */
export async function podEnvironment(pod: Pod, read: ReadObject): Promise<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const { name, value, valueFrom } of pod.spec.containers[0]?.env ?? []) {
    const { secretKeyRef, configMapKeyRef, fieldRef } = valueFrom ?? {};
    const reference = secretKeyRef ?? configMapKeyRef;
    if (fieldRef !== undefined) {
      environment[name] = fieldOf(pod, fieldRef.fieldPath);
    } else if (reference !== undefined) {
      const plural = secretKeyRef === undefined ? "configmaps" : "secrets";
      const found = await read(plural, reference.name ?? "");
      const text = found?.data?.[reference.key];
      if (text !== undefined) {
        const isSecret = secretKeyRef !== undefined;
        environment[name] = isSecret ? Buffer.from(text, "base64").toString() : text;
      } else if (reference.optional !== true) {
        throw new Error(`couldn't find key ${reference.key} in ${plural} ${reference.name ?? ""}`);
      }
    } else {
      environment[name] = value ?? "";
    }
  }
  return environment;
}
