/** What one agent costs the API server: each request that is not needed counts a thousand times where there are a thousand agents. */
import { describe, expect, it, vi } from "vitest";
import { SOME_TIME } from "../../support/operator/agent-in-cluster.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { KubeCluster, OPERATOR_USER } from "../../support/kubernetes/kube-cluster.ts";
import {
  anAgentManifest,
  aNamespaceManifest,
  theReferences,
} from "../../support/builders/manifests.ts";
import { OperatorProcess } from "../../support/operator/operator-process.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

const NAMESPACE = "team";
const QUIET_MS = 3_000;

// Nothing comes of a Deployment, so that every status of one is reported by this test.
const cluster = forAllTests(
  () => KubeCluster.start({ withControllers: false }),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const operator = forAllTests(
  async () =>
    await OperatorProcess.start({ kubeconfig: await cluster().kubeconfigOf(OPERATOR_USER) }),
  (operator) => operator.stop(),
);

/** The passes over AgentRuntimes so far. */
async function passes(): Promise<number> {
  const { managementPort } = await operator().logs("The operator runs");
  const answer = await fetch(`http://127.0.0.1:${String(managementPort)}/metrics`);
  const counts = (await answer.text()).matchAll(
    /^controller_runtime_reconcile_total\{controller="agentruntime".*\} (\d+)$/gm,
  );
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** What the operator has written about the agent since then, once it writes no more, and the passes that it took. */
async function costs(
  agent: string,
  change: () => Promise<unknown>,
): Promise<{ writes: string[]; passes: number }> {
  const [since, before] = [Date.now(), await passes()];
  await change();
  const about = async () =>
    (await cluster().audit.writes({ by: OPERATOR_USER, since })).filter(({ what }) =>
      what.includes(`/${agent}`),
    );
  await vi.waitFor(async () => {
    const writes = await about();
    expect(writes.length).toBeGreaterThan(0);
    expect(Date.now() - (writes.at(-1)?.at ?? 0)).toBeGreaterThan(QUIET_MS);
  }, SOME_TIME);
  const writes = (await about()).map(
    ({ verb, what }) => `${verb} ${what.replace(/(?<=\.)[0-9a-f-]+$/, "…")}`,
  );
  return { writes: writes.toSorted(), passes: (await passes()) - before };
}

async function report(agent: string, readyReplicas: number): Promise<void> {
  const replicas = { replicas: 1, updatedReplicas: 1, readyReplicas };
  const status = { observedGeneration: 1, ...replicas, availableReplicas: readyReplicas };
  const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${agent}/status`;
  expect((await cluster().server.request("PATCH", path, { status })).status).toBe(200);
}

describe("an agent among others", () => {
  it("costs one claim, its objects, one status and one event when it is new", async () => {
    await cluster().create(aNamespaceManifest(NAMESPACE), ...theReferences(NAMESPACE));
    const create = (name: string) =>
      cluster().create(anAgentManifest({ name, namespace: NAMESPACE }));
    await costs("first", () => create("first"));

    const { writes, passes } = await costs("second", () => create("second"));
    expect(writes).toEqual([
      "create configmaps team/second-config",
      "create deployments team/second",
      "create events team/second.…",
      "create services team/second",
      "patch agentruntimes team/second",
      "patch agentruntimes/status team/second",
    ]);
    // One that makes the objects, one that sees them. What comes in between finds that they are not seen yet.
    expect(passes).toBeGreaterThanOrEqual(2);
    expect(passes).toBeLessThanOrEqual(4);
  });

  it("costs one pass and one status, with its events, when its Deployment reports another one", async () => {
    const up = await costs("second", () => report("second", 1));
    expect(up.passes).toBe(1);
    expect(up.writes.filter((write) => !write.startsWith("create events"))).toEqual([
      "patch agentruntimes/status team/second",
    ]);
  });

  it("costs a claim no second time, and no write, when somebody labels it", async () => {
    const before = await passes();
    const since = Date.now();
    const at = anAgentManifest({ name: "second", namespace: NAMESPACE });
    await cluster().patch(at, { metadata: { labels: { owner: "somebody" } } });
    await vi.waitFor(async () => expect(await passes()).toBe(before + 1), SOME_TIME);
    expect(await cluster().audit.writes({ by: OPERATOR_USER, since })).toEqual([]);
  });
});
