/**
 * A whole control plane of a test's own: a real kube-apiserver with the three kinds, the real controllers that an operator's
 * work meets, and a simulated kubelet. It takes some eight seconds to start: one for a test file.
 */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuditLog } from "./audit-log.ts";
import {
  type KubeAnswer,
  type KubeAPIServer,
  type KubeAPIServerOptions,
  startKubeAPIServer,
} from "./kube-api-server.ts";
import { installKinds } from "./kube-api-server-kinds.ts";
import {
  type KubeControllerManager,
  startKubeControllerManager,
} from "./kube-controller-manager.ts";
import { permitOperator } from "../operator/operator-permissions.ts";
import { ProcessGuard } from "../processes/process-guard.ts";
import { SimulatedKubelet, type SimulatedKubeletOptions } from "./node/simulated-kubelet.ts";

/** The operator under test, with the permissions of one. What it writes is told by this name from what others write. */
export const OPERATOR_USER = "omnia-operator";

export interface KubeClusterOptions
  extends KubeAPIServerOptions, Omit<SimulatedKubeletOptions, "server"> {
  /** False: nothing comes of a Deployment, and nothing is garbage-collected. */
  withControllers?: boolean;
  /** True: HorizontalPodAutoscalers are acted on. There are no metrics. */
  scalesHorizontally?: boolean;
  /** True: reads are in the audit log too. */
  auditsReads?: boolean;
  /** False: the three kinds are not known yet, and the operator has no permissions. */
  withKinds?: boolean;
}

export class KubeCluster {
  readonly server: KubeAPIServer;
  readonly kubelet: SimulatedKubelet;
  readonly audit: AuditLog;
  readonly #controllers: KubeControllerManager | undefined;
  readonly #guard: ProcessGuard;
  readonly #folder: string;

  private constructor(parts: {
    server: KubeAPIServer;
    kubelet: SimulatedKubelet;
    audit: AuditLog;
    controllers: KubeControllerManager | undefined;
    guard: ProcessGuard;
    folder: string;
  }) {
    this.server = parts.server;
    this.kubelet = parts.kubelet;
    this.audit = parts.audit;
    this.#controllers = parts.controllers;
    this.#guard = parts.guard;
    this.#folder = parts.folder;
  }

  static async start(options: KubeClusterOptions = {}): Promise<KubeCluster> {
    const folder = await mkdtemp(join(tmpdir(), "omnia-cluster-"));
    const guard = new ProcessGuard(folder);
    const audit = await AuditLog.create(folder, { reads: options.auditsReads ?? false });
    const server = await startKubeAPIServer({
      // Every Service takes an address.
      flags: ["--service-cluster-ip-range=10.0.0.0/16", ...audit.flags, ...(options.flags ?? [])],
      users: { [OPERATOR_USER]: [], ...options.users },
    });
    if (options.withKinds !== false) {
      await permitOperator(server, OPERATOR_USER);
      await installKinds(server);
    }
    const [controllers, kubelet] = await Promise.all([
      options.withControllers === false
        ? undefined
        : startKubeControllerManager(server.kubeconfig, guard, options),
      SimulatedKubelet.start({ ...options, server }),
    ]);
    return new KubeCluster({ server, kubelet, audit, controllers, guard, folder });
  }

  /** Path of a kubeconfig for one of the users; `url` is where a proxy before the API server listens. */
  async kubeconfigOf(user: string, url = this.server.url): Promise<string> {
    const path = join(this.#folder, `kubeconfig-${user}-${new URL(url).port}`);
    const certificate = Buffer.from(this.server.ca).toString("base64");
    const secure = url.startsWith("https:");
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: "test",
          cluster: {
            server: url,
            ...(secure ? { "certificate-authority-data": certificate } : {}),
          },
        },
      ],
      users: [{ name: user, user: { token: this.server.tokens[user] } }],
      contexts: [{ name: "test", context: { cluster: "test", user } }],
      "current-context": "test",
    };
    await writeFile(path, JSON.stringify(config), { mode: 0o600 });
    return path;
  }

  /** Creates the objects in the order given; rejects when one is refused. */
  async create(...objects: readonly KubeObject[]): Promise<void> {
    for (const object of objects) {
      const answer = await this.server.request("POST", collectionOf(object), object);
      if (answer.status !== 201) throw refused("POST", object, answer);
    }
  }

  /** A merge patch, `null` for what is to go. */
  async patch(object: KubeObject, patch: object): Promise<void> {
    const answer = await this.server.request("PATCH", pathOf(object), patch);
    if (answer.status !== 200) throw refused("PATCH", object, answer);
  }

  /** As a controller of its kind writes it. */
  async patchStatus(object: KubeObject, status: object): Promise<void> {
    const answer = await this.server.request("PATCH", `${pathOf(object)}/status`, { status });
    if (answer.status !== 200) throw refused("PATCH", object, answer);
  }

  /** What it owns goes after it. */
  async delete(object: KubeObject): Promise<void> {
    const path = `${pathOf(object)}?propagationPolicy=Background`;
    const answer = await this.server.request("DELETE", path);
    if (answer.status !== 200) throw refused("DELETE", object, answer);
  }

  /** `undefined`: there is no such object. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into many shapes
  async get(object: KubeObject): Promise<any> {
    const answer = await this.server.request("GET", pathOf(object));
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw refused("GET", object, answer);
    return answer.body;
  }

  /** All objects of the kind in the namespace. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into many shapes
  async list(kind: keyof typeof PLURALS, namespace: string): Promise<any[]> {
    const object = { kind, metadata: { name: "", namespace } };
    const answer = await this.server.request("GET", collectionOf(object));
    if (answer.status !== 200) throw refused("GET", object, answer);
    return answer.body.items;
  }

  async stop(): Promise<void> {
    await this.kubelet.stop();
    await this.#controllers?.stop();
    await this.server.stop();
    await this.#guard.end();
  }
}

export interface KubeObject {
  kind: keyof typeof PLURALS;
  metadata: { name: string; namespace?: string };
}

const PLURALS = {
  Namespace: "/api/v1 namespaces",
  ConfigMap: "/api/v1 configmaps",
  Secret: "/api/v1 secrets",
  Service: "/api/v1 services",
  Pod: "/api/v1 pods",
  Deployment: "/apis/apps/v1 deployments",
  ReplicaSet: "/apis/apps/v1 replicasets",
  PodDisruptionBudget: "/apis/policy/v1 poddisruptionbudgets",
  NetworkPolicy: "/apis/networking.k8s.io/v1 networkpolicies",
  HorizontalPodAutoscaler: "/apis/autoscaling/v2 horizontalpodautoscalers",
  ScaledObject: "/apis/keda.sh/v1alpha1 scaledobjects",
  EndpointSlice: "/apis/discovery.k8s.io/v1 endpointslices",
  Event: "/apis/events.k8s.io/v1 events",
  Lease: "/apis/coordination.k8s.io/v1 leases",
  AgentRuntime: "/apis/omnia.altairalabs.ai/v1alpha1 agentruntimes",
  PromptPack: "/apis/omnia.altairalabs.ai/v1alpha1 promptpacks",
  ToolRegistry: "/apis/omnia.altairalabs.ai/v1alpha1 toolregistries",
} as const;

function collectionOf({ kind, metadata }: KubeObject): string {
  const [api = "", plural = ""] = PLURALS[kind].split(" ");
  const { namespace } = metadata;
  return namespace === undefined ? `${api}/${plural}` : `${api}/namespaces/${namespace}/${plural}`;
}

function pathOf(object: KubeObject): string {
  return `${collectionOf(object)}/${object.metadata.name}`;
}

function refused(method: string, { kind, metadata }: KubeObject, answer: KubeAnswer): Error {
  const { message = JSON.stringify(answer.body) } = answer.body ?? {};
  return new Error(`${method} ${kind} ${metadata.name}: ${answer.status} ${message}`);
}
