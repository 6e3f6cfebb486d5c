/** The connection to a runtime, which all its turns share. */
import { Code, ConnectError } from "@connectrpc/connect";
import type { RuntimeEndpoint } from "../../framework/runtime-endpoint.ts";
import { createRuntimeV1Client, type RuntimeV1Client } from "./runtime-v1-client.ts";

/** A runtime that was started again listens at another port. */
const clients = new WeakMap<RuntimeEndpoint, { href: string; client: RuntimeV1Client }>();

/** Rejects as `whenReady` of the endpoint does. */
export async function connectRuntime(
  endpoint: RuntimeEndpoint,
  signal: AbortSignal,
): Promise<RuntimeV1Client> {
  const base = await endpoint.whenReady(signal);
  const { href } = base;
  const known = clients.get(endpoint);
  if (known?.href === href) return known.client;
  const client = createRuntimeV1Client(base);
  clients.set(endpoint, { href, client });
  return client;
}

/** Asks a runtime that can be connected to whether it takes turns. Answers why it does not, in a sentence for people. */
export async function healthProblem(endpoint: RuntimeEndpoint): Promise<string | undefined> {
  const { signal } = new AbortController();
  try {
    const client = await connectRuntime(endpoint, signal);
    return (await client.isHealthy(signal)) ? undefined : "the runtime says that it is not healthy";
  } catch (error) {
    // Some runtimes only serve conversations.
    if (error instanceof ConnectError && error.code === Code.Unimplemented) return undefined;
    return "the runtime does not answer in the protocol omnia.runtime.v1";
  }
}
