import { setTimeout as delay } from "node:timers/promises";
import { customResourceDefinitions } from "../../../src/api/crd.ts";
import { API_VERSION } from "../../../src/api/group.ts";
import type { KubeAPIServer } from "./kube-api-server.ts";

const SERVED_TIMEOUT_MS = 90_000;

/** Makes the three kinds known to `server` and waits until it serves and documents them. */
export async function installKinds(server: KubeAPIServer): Promise<void> {
  const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?fieldValidation=Strict";
  for (const definition of customResourceDefinitions()) {
    const { status, body } = await server.request("POST", path, definition);
    if (status !== 201) throw new Error(`the API server refuses a CRD: ${JSON.stringify(body)}`);
  }
  const deadline = performance.now() + SERVED_TIMEOUT_MS;
  while (!(await isServed(server))) {
    if (performance.now() > deadline) throw new Error("the API server does not serve the kinds");
    await delay(100);
  }
}

async function isServed(server: KubeAPIServer): Promise<boolean> {
  const discovery = await server.request("GET", `/apis/${API_VERSION}`);
  if (discovery.status !== 200) return false;
  // Three kinds, each with its status, and one with its scale.
  if (discovery.body.resources.length !== 7) return false;
  // A kind that is documented may still be refused for a moment, while its storage is made.
  for (const { spec } of customResourceDefinitions() as { spec: { names: { plural: string } } }[]) {
    const path = `/apis/${API_VERSION}/${spec.names.plural}?resourceVersion=0`;
    if ((await server.request("GET", path)).status !== 200) return false;
  }
  const documentation = await server.request("GET", "/openapi/v3");
  return documentation.body?.paths?.[`apis/${API_VERSION}`] !== undefined;
}
