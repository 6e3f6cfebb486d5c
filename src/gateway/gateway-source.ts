import type { AgentReference, Route } from "./route.ts";

/** A resource as the HTTP API shows it. */
export interface ResourceView {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: object;
  readonly status: object;
}

/** Whoever knows the agents. Asked at each request, so it must answer from memory. */
export interface GatewaySource {
  resolve(agent: AgentReference): Route;
  agents(): readonly AgentReference[];
  /** The three kinds with their status, as the HTTP API shows them. Never a Secret. */
  resources(): readonly ResourceView[];
}
