/**
 * Agents of a test's cluster as a gateway finds them: AgentRuntimes, and EndpointSlices that are made by hand, and lead to agents of this
 * machine. An API server takes no loopback addresses in them, so these agents listen at another address of the machine.
 */
import { networkInterfaces } from "node:os";
import {
  FACADE_PORT_NAME,
  agentLabels,
  SERVICE_NAME_LABEL,
} from "../../../src/operator/cluster/labels.ts";
import {
  GATEWAY_API_RULES,
  GATEWAY_RESOURCE_RULES,
  GATEWAY_RULES,
} from "../../../src/gateway-cluster/permissions.ts";
import type { KubeAPIServer } from "../kubernetes/kube-api-server.ts";
import type { KubeCluster, KubeObject } from "../kubernetes/kube-cluster.ts";

export const GATEWAY_USER = "omnia-gateway";

/** An address of this machine that is not of the loopback. */
export function machineAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const found = addresses.find(({ internal, family }) => !internal && family === "IPv4");
  if (found === undefined) throw new Error("this machine has no address besides the loopback");
  return found.address;
}

export interface AgentName {
  readonly name: string;
  readonly namespace: string;
}

export function agentRuntimeOf({ name, namespace }: AgentName, spec: object = {}): KubeObject {
  const facade = { type: "websocket", handler: "echo" };
  return {
    kind: "AgentRuntime",
    apiVersion: "omnia.altairalabs.ai/v1alpha1",
    metadata: { name, namespace },
    spec: { facade, ...spec },
  } as KubeObject;
}

/** A slice with one replica, which listens at this port of the machine. */
export function sliceOf(
  { name, namespace }: AgentName,
  port: number,
  conditions: object = { ready: true },
): KubeObject {
  return {
    kind: "EndpointSlice",
    apiVersion: "discovery.k8s.io/v1",
    metadata: {
      name: `${name}-${port}`,
      namespace,
      labels: { ...agentLabels(name), [SERVICE_NAME_LABEL]: name },
    },
    addressType: "IPv4",
    ports: [{ name: FACADE_PORT_NAME, port, protocol: "TCP" }],
    endpoints: [{ addresses: [machineAddress()], conditions }],
  } as KubeObject;
}

/** Tells of the replica what the endpoint controller would: whether it is ready, serves still, and is about to go. */
export async function setConditions(
  cluster: KubeCluster,
  agent: AgentName,
  port: number,
  conditions: object,
): Promise<void> {
  const endpoints = [{ addresses: [machineAddress()], conditions }];
  await cluster.patch(sliceOf(agent, port), { endpoints });
}

/** Gives a user what the chart gives to a gateway that takes tokens of the cluster. */
export async function permitGateway(server: KubeAPIServer): Promise<void> {
  await bind(server, GATEWAY_USER, [
    ...GATEWAY_RULES,
    ...GATEWAY_RESOURCE_RULES,
    ...GATEWAY_API_RULES,
  ]);
}

/** Gives a user these rights: in a namespace, or everywhere. */
export async function bind(
  server: KubeAPIServer,
  user: string,
  rules: readonly object[],
  namespace?: string,
): Promise<void> {
  const isOfCluster = namespace === undefined;
  const prefix = isOfCluster ? "Cluster" : "";
  const folder = `/apis/rbac.authorization.k8s.io/v1${isOfCluster ? "" : `/namespaces/${namespace}`}`;
  const metadata = { name: user };
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: `${prefix}Role`, name: user };
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }];
  for (const [plural, object] of [
    ["roles", { kind: `${prefix}Role`, metadata, rules }],
    ["rolebindings", { kind: `${prefix}RoleBinding`, metadata, roleRef, subjects }],
  ] as const) {
    const path = `${folder}/${prefix.toLowerCase()}${plural}`;
    const { status, body } = await server.request("POST", path, object);
    if (status !== 201) throw new Error(`${path}: ${status} ${body?.message ?? ""}`);
  }
}
