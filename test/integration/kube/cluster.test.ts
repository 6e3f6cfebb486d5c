/** The cluster that other tests rely on: what its kubelet simulates is what a real one does. */
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { KubeCluster, type KubeObject } from "../../support/kubernetes/kube-cluster.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

const WITHIN = { timeout: 60_000, interval: 20 };

const cluster = forAllTests(
  () => KubeCluster.start(),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);

const metadata = (name: string): KubeObject["metadata"] => ({ name, namespace: "default" });

function aDeployment(name: string, podSpec: object = {}, containerSpec: object = {}): KubeObject {
  const labels = { "app.kubernetes.io/instance": name };
  const spec = {
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: "agent", image: "agent:1", ...containerSpec }], ...podSpec },
    },
  };
  return { kind: "Deployment", metadata: metadata(name), spec } as KubeObject;
}

async function availableReplicas(deployment: KubeObject): Promise<number> {
  return (await cluster().get(deployment))?.status?.availableReplicas ?? 0;
}

describe("in the cluster that other tests rely on,", () => {
  it("a Deployment gets ready pods, its Service endpoints, and nothing stays when it goes", async () => {
    const deployment = aDeployment("plain");
    const service = {
      kind: "Service",
      metadata: metadata("plain"),
      spec: { selector: { "app.kubernetes.io/instance": "plain" }, ports: [{ port: 80 }] },
    } as KubeObject;
    await cluster().create(deployment, service);
    await vi.waitFor(async () => expect(await availableReplicas(deployment)).toBe(1), WITHIN);
    await vi.waitFor(async () => {
      const [slice] = await cluster().list("EndpointSlice", "default");
      expect(slice?.endpoints?.[0]?.conditions?.ready).toBe(true);
    }, WITHIN);

    await cluster().delete(deployment);
    await vi.waitFor(async () => {
      expect(await cluster().list("ReplicaSet", "default")).toEqual([]);
      expect(await cluster().list("Pod", "default")).toEqual([]);
    }, WITHIN);
  });

  it("the files of a pod are mounted inside one another, and follow when its annotations change", async () => {
    const config = {
      kind: "ConfigMap",
      metadata: metadata("files"),
      data: { "agent.json": "one" },
    } as const;
    const secret = {
      kind: "Secret",
      metadata: metadata("files"),
      stringData: { key: "k1", other: "x" },
    } as const;
    const projected = {
      sources: [
        { secret: { name: "files", items: [{ key: "key", path: "provider/api-key" }] } },
        { secret: { name: "missing", optional: true } },
      ],
    };
    const volumes = [
      { name: "config", configMap: { name: "files" } },
      { name: "secrets", projected },
    ];
    const volumeMounts = [
      { name: "config", mountPath: "/etc/omnia" },
      { name: "secrets", mountPath: "/etc/omnia/secrets" },
    ];
    const deployment = aDeployment("files", { volumes }, { volumeMounts });
    await cluster().create(deployment, config);
    // Nothing starts while a volume cannot be made.
    await vi.waitFor(
      () => expect(cluster().kubelet.podsOf("default/files")).toHaveLength(1),
      WITHIN,
    );
    await cluster().create(secret);
    await vi.waitFor(async () => expect(await availableReplicas(deployment)).toBe(1), WITHIN);

    const [pod] = cluster().kubelet.podsOf("default/files");
    if (pod === undefined) throw new Error("there is no pod");
    const file = (path: string): Promise<string> =>
      readFile(join(cluster().kubelet.rootOf(pod), "etc/omnia", path), "utf8");
    expect(await file("agent.json")).toBe("one");
    expect(await file("secrets/provider/api-key")).toBe("k1");
    await expect(file("secrets/other")).rejects.toThrow("ENOENT");

    await cluster().patch(config, { data: { "agent.json": "two", "more.json": "new" } });
    await cluster().patch(secret, { stringData: { key: "k2" } });
    expect(await file("agent.json")).toBe("one");
    const inCluster = { kind: "Pod", metadata: { ...pod.metadata } } as KubeObject;
    await cluster().patch(inCluster, { metadata: { annotations: { touched: "1" } } });
    await vi.waitFor(async () => {
      expect(await file("secrets/provider/api-key")).toBe("k2");
      expect(await file("more.json")).toBe("new");
      expect(await file("agent.json")).toBe("two");
    }, WITHIN);

    const root = cluster().kubelet.rootOf(pod);
    await cluster().delete(inCluster);
    await vi.waitFor(() => expect(access(root)).rejects.toThrow("ENOENT"), WITHIN);
  });

  it("pods fail in the ways that they are told to", async () => {
    cluster().kubelet.setBehaviour("default/bad", { state: "unschedulable" });
    await cluster().create(aDeployment("bad"));
    const pod = async () => (await cluster().list("Pod", "default")).find(isBad);
    const isBad = ({ metadata: { labels } }: { metadata: { labels: Record<string, string> } }) =>
      labels["app.kubernetes.io/instance"] === "bad";
    await vi.waitFor(async () => {
      expect((await pod()).status.conditions[0]).toMatchObject({ reason: "Unschedulable" });
    }, WITHIN);

    cluster().kubelet.setBehaviour("default/bad", { state: "image-pull-fails" });
    const status = async () => (await pod()).status.containerStatuses?.[0];
    await vi.waitFor(async () => {
      expect(await status()).toMatchObject({ state: { waiting: { reason: "ImagePullBackOff" } } });
    }, WITHIN);

    cluster().kubelet.setBehaviour("default/bad", {
      state: "crash-loop",
      message: "no such model",
    });
    await vi.waitFor(async () => {
      expect(await status()).toMatchObject({
        restartCount: 1,
        state: { waiting: { reason: "CrashLoopBackOff" } },
        lastState: { terminated: { exitCode: 1, message: "no such model" } },
      });
    }, WITHIN);

    cluster().kubelet.setBehaviour("default/bad", { state: "unready" });
    await vi.waitFor(async () => {
      expect(await status()).toMatchObject({ ready: false, state: { running: {} } });
    }, WITHIN);

    cluster().kubelet.setBehaviour("default/bad", { state: "ready" });
    await vi.waitFor(async () => expect(await status()).toMatchObject({ ready: true }), WITHIN);
  });

  it("the audit log tells who wrote what", async () => {
    const since = Date.now();
    await cluster().create({ kind: "ConfigMap", metadata: metadata("audited") });
    const writes = await cluster().audit.writes({ by: "admin", since });
    expect(writes).toContainEqual(
      expect.objectContaining({ verb: "create", what: "configmaps default/audited", status: 201 }),
    );
  });
});
