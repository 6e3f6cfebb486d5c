/** The front door of a cluster as one process: what it knows of agents, the port for clients, the management port, and its end. */
import type { KubeConfig } from "@kubernetes/client-node";
import type { AuthConfig } from "../agent-config/agent-config.ts";
import { createAuthenticator } from "../authentication/create-authenticator.ts";
import type { ConsoleFiles } from "../gateway/console/console-files.ts";
import { sessionLocator } from "../gateway/api/sessions/locate-session.ts";
import { createGatewayMetrics } from "../gateway/gateway-metrics.ts";
import type { Callers } from "../gateway/caller.ts";
import { loadGatewayTracer } from "../gateway/gateway-tracer.ts";
import { createGateway, type Gateway, type GatewayOptions } from "../gateway/gateway.ts";
import { KubeClient } from "../kube/client/client.ts";
import type { ResourceType } from "../kube/client/object.ts";
import { RateLimiter } from "../kube/client/rate-limiter.ts";
import { createTransport } from "../kube/client/transport.ts";
import type { Log } from "../observability/log.ts";
import { Management } from "../observability/management.ts";
import type { Environment } from "../observability/tracing/tracing-settings.ts";
import { createMetrics } from "../observability/metrics.ts";
import type { Clock } from "../time/clock.ts";
import { Deadline } from "../time/deadline.ts";
import { AgentWaker } from "./agent-waker.ts";
import { ClusterAgents } from "./cluster-agents.ts";
import { createClusterCallers } from "./cluster-callers.ts";
import { GatewayKey } from "./gateway-key.ts";
import { ClusterResources } from "./resources/cluster-resources.ts";

/** Open connections are judged again this often. */
const REVIEW_MS = 10_000;
/** What is left at the end of a drain gets this long to end in order. */
const LAST_WORDS_MS = 2_000;
/** Questions about callers wait in line past this many a second. */
const REQUESTS = { perSecond: 200, burst: 400 };

export interface GatewaySettings {
  /** Undefined: all addresses. */
  readonly host?: string | undefined;
  readonly port: number;
  readonly managementPort: number;
  /** Empty: all namespaces. */
  readonly namespaces: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly maxConnections: number;
  /** Undefined: agents alone ask their clients who they are. */
  readonly auth: AuthConfig | undefined;
  /** The file of the key that proves to agents who asks. */
  readonly keyFile: string | undefined;
  /** Whether tokens of the cluster are taken, and there is an HTTP API for those who have one. */
  readonly hasApi: boolean;
  /** Whether the page for people is served. It asks the API. */
  readonly hasConsole: boolean;
  readonly drainGraceMs: number;
}

export interface GatewayProcessOptions {
  readonly kubeConfig: KubeConfig;
  readonly settings: GatewaySettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** The version of the program. */
  readonly version: string;
  /** Names the changes that this process tells of. It has to be another one at each start. */
  readonly streamId: string;
  /** Its variables of OpenTelemetry say whether and where to traces are exported. */
  readonly env: Environment;
  /** The page for people, where it is served. */
  readonly console?: ConsoleFiles | undefined;
}

export interface RunningGateway {
  readonly port: number;
  readonly managementPort: number;
}

/**
 * Runs until the signal is aborted and the drain is over; `endNow` cuts the drain short. Rejects when a port cannot be had, or there is
 * no key to sign with.
 */
export async function runGateway(
  options: GatewayProcessOptions,
  { signal, endNow }: { signal: AbortSignal; endNow: AbortSignal },
  onListening: (running: RunningGateway) => void = () => {},
): Promise<void> {
  const { kubeConfig, settings, clock, random, log, console } = options;
  const registry = createMetrics({ processMetrics: true });
  const transport = createTransport(kubeConfig, clock);
  const client = new KubeClient({
    transport,
    rateLimiter: new RateLimiter({ clock, ...REQUESTS }),
    fieldManager: "omnia-gateway",
    clock,
    repeating: { random },
  });
  const watching = {
    client,
    namespaces: settings.namespaces,
    clock,
    random,
    onError: (type: ResourceType, error: unknown) =>
      log.warn({ kind: type.kind, error }, "A watch failed; it is tried again"),
  };
  const agents = new ClusterAgents({ ...watching, isAuthenticated: settings.auth !== undefined });
  const waker = new AgentWaker({
    agents,
    client,
    clock,
    onError: ({ name, namespace }, error) =>
      log.warn({ agent: name, namespace, error }, "An agent could not be started for a client"),
  });
  const key = settings.keyFile === undefined ? undefined : new GatewayKey(settings.keyFile, clock);
  await key?.check();
  const callers = settings.hasApi ? createClusterCallers(client, clock) : undefined;
  const resources =
    callers && new ClusterResources({ ...watching, agentRuntimes: agents.agentRuntimes });
  const { env, version } = options;
  const tracer = await loadGatewayTracer({ env, log, clock, version });
  const gateway = createGateway({
    source: agents,
    log,
    tracer: () => tracer,
    token: "",
    allowedHosts: settings.allowedHosts,
    limits: { maxConnections: settings.maxConnections },
    console,
    locateSession: key && sessionLocator({ signRequest: (request) => key.sign(request), clock }),
    api: resources && callers && (await apiOf({ resources, callers, key, ...options })),
    cluster: {
      allowedOrigins: settings.allowedOrigins,
      authenticator: createAuthenticator(settings.auth, { configFolder: "/", clock, log }),
      callers,
      signToken:
        key &&
        (({ agent, subject }) => {
          const asked = { subject, verbs: ["chat:create"] as const };
          return key.sign({ agent: `${agent.namespace}/${agent.name}`, ...asked });
        }),
      metrics: createGatewayMetrics(registry),
      wake: (agent, until) => waker.wake(agent, until),
    },
  });
  const management = new Management({
    metrics: registry,
    reasons: async () => {
      if (signal.aborted) return [{ message: "the gateway is shutting down" }];
      if (!agents.isSynced) {
        return [{ message: "the API server has not told yet of all agents and their replicas" }];
      }
      if (resources?.isSynced === false) {
        return [{ message: "the API server has not told yet of all that the HTTP API shows" }];
      }
      return [];
    },
  });
  const ending = new AbortController();
  const watches = Promise.all([agents.run(ending.signal), resources?.run(ending.signal)]);
  const reviews = reviewRegularly(gateway, clock, ending.signal);
  try {
    const managementPort = await management.listen(settings.managementPort);
    const { port } = await gateway.listen(settings);
    const { namespaces } = settings;
    log.info({ port, managementPort, namespaces }, "The gateway runs");
    onListening({ port, managementPort });
    await untilAborted(signal);
    log.info({ graceMs: settings.drainGraceMs }, "The gateway drains");
    await gateway.drain(settings.drainGraceMs, endNow);
  } finally {
    using last = new Deadline({ ms: LAST_WORDS_MS, clock, signal: endNow });
    await gateway.close(last.signal);
    ending.abort();
    await Promise.all([watches, reviews]);
    await management.close();
    await tracer?.close();
    transport.close();
  }
}

/** The API is loaded where it is wanted. */
async function apiOf({
  resources,
  callers,
  key,
  ...options
}: Pick<GatewayProcessOptions, "version" | "streamId" | "clock" | "log"> & {
  resources: ClusterResources;
  callers: Callers;
  key: GatewayKey | undefined;
}): Promise<GatewayOptions["api"]> {
  const { version, streamId, clock, log } = options;
  const { createApi } = await import("../gateway/api/create-api.ts");
  return createApi({
    source: resources,
    callers,
    version,
    streamId,
    signRequest: key && ((request) => key.sign(request)),
    clock,
    log,
  });
}

async function reviewRegularly(gateway: Gateway, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(REVIEW_MS, signal).catch(() => {});
    if (!signal.aborted) await gateway.review(signal);
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
