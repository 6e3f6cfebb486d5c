/** Packs and tool schemas of people who mean harm, in a cluster: the operator judges each of them, and serves the others. */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { API_VERSION } from "../../../src/api/group.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import {
  aConfigMapManifest,
  anAgentManifest,
  aNamespaceManifest,
  aPromptPackManifest,
  PACK_KEY,
  theReferences,
} from "../../support/builders/manifests.ts";
import { hostilePacks, hostileSchemas } from "../../support/hostile/hostile-input.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { KubeCluster, OPERATOR_USER } from "../../support/kubernetes/kube-cluster.ts";
import { AgentInCluster, SOME_TIME } from "../../support/operator/agent-in-cluster.ts";
import { OperatorProcess } from "../../support/operator/operator-process.ts";

const NAMESPACE = "team";
const PACKS = 60;
const REGISTRIES = 40;
/** A ConfigMap holds no more. */
const MAX_PACK_BYTES = 1_000_000;

const cluster = forAllTests(
  () => KubeCluster.start(),
  (started) => started.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const operator = forAllTests(
  async () => OperatorProcess.start({ kubeconfig: await cluster().kubeconfigOf(OPERATOR_USER) }),
  (started) => started.stop(),
);
beforeAll(async () => {
  await cluster().create(aNamespaceManifest(NAMESPACE), ...theReferences(NAMESPACE));
});

describe("an operator that reads hostile packs and schemas", () => {
  it("judges each of them, and gives an honest agent its pods", async () => {
    operator();
    const packs = hostilePacks(PACKS, 11)
      // An API server takes text that UTF-8 can hold, and a certain size.
      .map((text) => text.toWellFormed().replaceAll("\0", ""))
      .filter((text) => text.length < MAX_PACK_BYTES);
    let created = 0;
    for (const [at, text] of packs.entries()) {
      const name = `hostile-${at}`;
      await cluster().create(
        aConfigMapManifest({ name, namespace: NAMESPACE }, { [PACK_KEY]: text }),
        aPromptPackManifest({ name, namespace: NAMESPACE }, name),
      );
    }
    for (const [at, schema] of hostileSchemas(REGISTRIES, 12).entries()) {
      const inputSchema = { type: "object", ...schema };
      const registry = {
        apiVersion: API_VERSION,
        kind: "ToolRegistry",
        metadata: { name: `hostile-${at}`, namespace: NAMESPACE },
        spec: { tools: [{ name: "tool", url: "http://127.0.0.1:9/", inputSchema }] },
      };
      const path = `/apis/${API_VERSION}/namespaces/${NAMESPACE}/toolregistries`;
      // What the API server refuses never comes to the operator.
      const { status } = await cluster().server.request("POST", path, registry);
      if (status === 201) created += 1;
    }
    const agent = new AgentInCluster(cluster(), { name: "honest", namespace: NAMESPACE });
    await cluster().create(anAgentManifest({ name: "honest", namespace: NAMESPACE }));
    await agent.becomes("Running", SOME_TIME);
    await vi.waitFor(
      async () => {
        for (const kind of ["PromptPack", "ToolRegistry"] as const) {
          const objects = await cluster().list(kind, NAMESPACE);
          const phases = objects.map(({ status }) => status?.phase as unknown);
          expect(phases).not.toContain(undefined);
          expect(phases).toHaveLength(1 + (kind === "PromptPack" ? packs.length : created));
        }
      },
      { timeout: 50_000, interval: 500 },
    );
    expect(created).toBeGreaterThan(REGISTRIES / 2);
    expect(operator().hasEnded).toBe(false);
  });
});
