/** The kind ScaledObject of KEDA, by the CustomResourceDefinition of its release. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import { installed } from "../processes/installed.ts";
import type { KubeAPIServer } from "./kube-api-server.ts";

const INSTALL = join(import.meta.dirname, "keda-install");
const PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const NAME = "scaledobjects.keda.sh";
const SERVED_TIMEOUT_MS = 90_000;

export async function installKeda(server: KubeAPIServer): Promise<void> {
  const folder = await installed([INSTALL]);
  const definitions = await server.kubectl(["kustomize", join(folder, "config/crd")]);
  const definition = parseAllDocuments(definitions)
    .map((document) => document.toJSON() as { metadata: { name: string } })
    .find(({ metadata }) => metadata.name === NAME);
  const { status, body } = await server.request("POST", PATH, definition);
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
