/** Reads the three kinds from the cluster that the kubeconfig, or the pod, points at. */
import { API_VERSION, GROUP, OMNIA_KINDS, VERSION, type OmniaKind } from "../../api/group.ts";
import { ApiError } from "../../kube/client/api-error.ts";
import { KubeClient } from "../../kube/client/client.ts";
import {
  DEFAULT_BURST,
  DEFAULT_REQUESTS_PER_SECOND,
  RateLimiter,
} from "../../kube/client/rate-limiter.ts";
import { createTransport } from "../../kube/client/transport.ts";
import { systemClock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { CliError } from "../terminal/cli-error.ts";
import { loadKubeConfig } from "../source/load-kube-config.ts";
import { commandLine } from "../terminal/program-name.ts";
import type { Resources } from "./resources.ts";
import { pluralOf } from "./view.ts";

const CLUSTER_TIMEOUT_MS = 15_000;
const PAGE_SIZE = 500;
const START_UP = `Start agents on this machine with \`${commandLine("up")}\`, or point KUBECONFIG at a cluster.`;

type ClusterSource = Extract<Resources["source"], { kind: "cluster" }>;
type Local = { readonly url: string } | undefined;

export interface ClusterChoice {
  readonly context: string | undefined;
  /** An `omnia up` that runs on this machine and was not asked. */
  readonly local: Local;
}

export async function readCluster(choice: ClusterChoice): Promise<Resources> {
  return await askCluster(choice, async (client, signal, source) => {
    const lists = await Promise.all(OMNIA_KINDS.map((kind) => listAll(client, kind, signal)));
    return { source, items: lists.flat() };
  });
}

/** Does what `ask` does with the cluster. An error of the API server or of the way there becomes a CliError. */
export async function askCluster<Answer>(
  { context: wanted, local }: ClusterChoice,
  ask: (client: KubeClient, signal: AbortSignal, source: ClusterSource) => Promise<Answer>,
): Promise<Answer> {
  const kubeConfig = loadKubeConfig({ context: wanted, cure: START_UP });
  const cluster = kubeConfig?.getCurrentCluster();
  if (kubeConfig === undefined || cluster == null) {
    throw new CliError(`${alsoHere(local)} no cluster is configured.`, { cure: cureOf(local) });
  }
  const transport = createTransport(kubeConfig);
  try {
    const client = new KubeClient({
      transport,
      rateLimiter: new RateLimiter({
        clock: systemClock,
        perSecond: DEFAULT_REQUESTS_PER_SECOND,
        burst: DEFAULT_BURST,
      }),
      fieldManager: "omnia-cli",
    });
    using deadline = new Deadline({ ms: CLUSTER_TIMEOUT_MS, clock: systemClock });
    const { signal } = deadline;
    const context = kubeConfig.getCurrentContext();
    return await ask(client, signal, { kind: "cluster", context, server: cluster.server });
  } catch (error) {
    throw asCliError(error, cluster.server, local);
  } finally {
    transport.close();
  }
}

async function listAll(
  client: KubeClient,
  kind: OmniaKind,
  signal: AbortSignal,
): Promise<unknown[]> {
  const type = { group: GROUP, version: VERSION, kind, plural: pluralOf(kind), namespaced: true };
  const items: unknown[] = [];
  let next: string | undefined;
  do {
    const page = await client.list(type, { limit: PAGE_SIZE, continue: next, signal });
    // The items of a list have no apiVersion and kind of their own.
    items.push(...page.items.map((item) => ({ apiVersion: API_VERSION, kind, ...item })));
    next = page.continue;
  } while (next !== undefined);
  return items;
}

function alsoHere(local: Local): string {
  return local === undefined
    ? "No omnia up runs on this machine, and"
    : `An omnia up runs at ${local.url} and was not asked, and`;
}

function cureOf(local: Local): string {
  return local === undefined ? START_UP : "Ask the omnia up of this machine with --local.";
}

function asCliError(error: unknown, server: string, local: Local): CliError {
  if (error instanceof CliError) return error;
  if (!(error instanceof ApiError)) {
    return new CliError(
      `${alsoHere(local)} the cluster at ${server} cannot be reached: ${whyNot(error)}.`,
      { cure: cureOf(local), cause: error },
    );
  }
  if (error.status === 404) {
    return new CliError(`The cluster at ${server} does not know Omnia's kinds.`, {
      cure: `Install them with: ${commandLine("crds")} | kubectl apply --server-side -f -`,
      cause: error,
    });
  }
  return new CliError(`The cluster at ${server} refuses: ${error.message}`, {
    cure:
      error.status === 401 || error.status === 403
        ? `Does your user have the right to ${/\bconfigmaps\b/.test(error.message) ? "read and change ConfigMaps" : `list the resources of ${GROUP}`}?`
        : undefined,
    cause: error,
  });
}

function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  const { message, cause } = error;
  const said = !(cause instanceof Error) || message.includes(cause.message);
  return said ? message : `${message} (${cause.message})`;
}
