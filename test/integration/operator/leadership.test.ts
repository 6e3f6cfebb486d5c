/** Of several operators one leads, and nothing is done twice. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { AgentInCluster, SOME_TIME } from "../../support/operator/agent-in-cluster.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { KubeCluster } from "../../support/kubernetes/kube-cluster.ts";
import {
  anAgentManifest,
  aNamespaceManifest,
  theReferences,
} from "../../support/builders/manifests.ts";
import { permitOperator } from "../../support/operator/operator-permissions.ts";
import { OperatorProcess } from "../../support/operator/operator-process.ts";
import type { Write } from "../../support/kubernetes/audit-log.ts";
import { expectWrittenOnce } from "../../support/documents/written-once.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { timeFor } from "../../support/processes/busy-machine.ts";

const TAKEOVER_MS = 15_000;
const AGENTS = 20;
const USERS = ["operator-a", "operator-b", "operator-c"] as const;
const operators: OperatorProcess[] = [];
/** A pod that stands for the one that an operator runs in. No node runs it. */
const spec = { schedulerName: "nobody", containers: [{ name: "operator", image: "omnia:test" }] };

const cluster = forAllTests(
  () =>
    KubeCluster.start({
      users: Object.fromEntries(USERS.map((user) => [user, []])),
    }),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
beforeAll(async () => {
  await cluster().create(aNamespaceManifest("system"));
  for (const user of USERS) {
    await permitOperator(cluster().server, user, { ownNamespace: "system" });
  }
});

afterAll(() => Promise.all(operators.map((operator) => operator.kill())));

async function start(
  user: (typeof USERS)[number],
  leaseNamespace = "system",
  pod?: { name: string; uid: string },
): Promise<OperatorProcess> {
  const operator = await OperatorProcess.start({
    kubeconfig: await cluster().kubeconfigOf(user),
    leaseNamespace,
    pod,
  });
  operators.push(operator);
  return operator;
}

async function createAgents(namespace: string): Promise<AgentInCluster[]> {
  await cluster().create(aNamespaceManifest(namespace), ...theReferences(namespace));
  const ats = Array.from({ length: AGENTS }, (_, index) => ({ name: `agent-${index}`, namespace }));
  await Promise.all(ats.map((at) => cluster().create(anAgentManifest(at, { replicas: 2 }))));
  return ats.map((at) => new AgentInCluster(cluster(), at));
}

/** Those that succeeded, by all operators. */
async function writesIn(namespace: string): Promise<Write[]> {
  const writes = await Promise.all(USERS.map((by) => cluster().audit.writes({ by })));
  const inNamespace = ({ what, status }: Write): boolean =>
    what.includes(` ${namespace}/`) && status < 300;
  return writes.flat().filter(inNamespace);
}

describe("of several operators", () => {
  it("one leads; when it is killed in the middle of its work, another has gone on within 15 s", async () => {
    const first = await start("operator-a");
    await first.logs("This process leads");
    const second = await start("operator-b");
    const creating = createAgents("killed");
    await vi.waitFor(async () => {
      expect((await writesIn("killed")).length).toBeGreaterThan(AGENTS);
    }, SOME_TIME);
    expect(await cluster().audit.writes({ by: "operator-b" })).toEqual([]);
    await first.kill();
    const killed = performance.now();
    await second.logs("This process leads");
    expect(performance.now() - killed).toBeLessThan(timeFor(TAKEOVER_MS));
    for (const agent of await creating) await agent.becomes("Running", SOME_TIME);
    expectWrittenOnce(await writesIn("killed"), "killed");
  });

  it("a leader that ends in order is followed at once", async () => {
    const [, second] = operators;
    const third = await start("operator-c");
    const stopped = performance.now();
    expect(await second?.stop()).toBe(0);
    await third.logs("This process leads");
    expect(performance.now() - stopped).toBeLessThan(timeFor(5_000));
  });

  it("a leader that stood still for longer than its lease writes nothing when it goes on, and stands by", async () => {
    const third = operators.at(-1);
    if (third === undefined) throw new Error("no operator runs");
    process.kill(third.pid, "SIGSTOP");
    const fourth = await start("operator-a");
    await fourth.logs("This process leads");
    const agents = await createAgents("stalled");
    for (const agent of agents) await agent.becomes("Running", SOME_TIME);
    const since = Date.now();
    process.kill(third.pid, "SIGCONT");
    await third.logs("The lease was lost: this process stands by");
    await delay(500);
    expect(await cluster().audit.writes({ by: "operator-c", since })).toEqual([]);
    expectWrittenOnce(await writesIn("stalled"), "stalled");

    await fourth.stop();
    const leads = (): number =>
      third.lines.filter(({ msg }) => msg === "This process leads").length;
    await vi.waitFor(() => expect(leads()).toBe(2), SOME_TIME);
    for (const agent of await createAgents("again")) await agent.becomes("Running", SOME_TIME);
  });

  it("a leader that was killed is followed at once when its pod is gone, and is waited for while its pod is there", async () => {
    const namespace = "pods";
    await cluster().create(aNamespaceManifest(namespace));
    await permitOperator(cluster().server, "operator-b", {
      namespaces: [],
      ownNamespace: namespace,
    });
    await permitOperator(cluster().server, "operator-c", {
      namespaces: [],
      ownNamespace: namespace,
    });
    const aPod = async (name: string): Promise<{ name: string; uid: string }> => {
      const pod = { kind: "Pod", metadata: { name, namespace }, spec } as const;
      await cluster().create(pod);
      return (await cluster().get(pod)).metadata;
    };
    const pods = [await aPod("first"), await aPod("second"), await aPod("third")] as const;
    const first = await start("operator-b", namespace, pods[0]);
    await first.logs("This process leads");
    const second = await start("operator-c", namespace, pods[1]);
    await cluster().server.request(
      "DELETE",
      `/api/v1/namespaces/${namespace}/pods/first?gracePeriodSeconds=0`,
    );
    await first.kill();
    const killed = performance.now();
    await second.logs("This process leads");
    expect(performance.now() - killed).toBeLessThan(timeFor(5_000));

    const third = await start("operator-b", namespace, pods[2]);
    await second.kill();
    const killedToo = performance.now();
    await third.logs("This process leads");
    expect(performance.now() - killedToo).toBeGreaterThan(6_000);
    await third.stop();
  });
});
