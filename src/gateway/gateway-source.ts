import type { AgentReference, Route } from "./choose-replica.ts";

/** A resource as the HTTP API shows it. */
export interface ResourceView {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: object;
  readonly status: object;
}

/** Knows the agents. It is asked at each request, so it must answer from memory. */
export interface GatewaySource {
  resolve(agent: AgentReference): Route;
  agents(): readonly AgentReference[];
  /** Returns the resources of the three kinds with their status, as the HTTP API shows them. Never returns a Secret. */
  resources(): readonly ResourceView[];
}
