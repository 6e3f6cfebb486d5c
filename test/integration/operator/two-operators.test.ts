/** Two operators that are told to look after the same resources: one does, the other keeps off and says so, and one follows the other. */
import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { MANAGED_BY_ANNOTATION } from "../../../src/api/group.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import {
  anAgentManifest,
  aNamespaceManifest,
  theReferences,
} from "../../support/builders/manifests.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { KubeCluster } from "../../support/kubernetes/kube-cluster.ts";
import { AgentInCluster, SOME_TIME } from "../../support/operator/agent-in-cluster.ts";
import { permitOperator } from "../../support/operator/operator-permissions.ts";
import { OperatorProcess } from "../../support/operator/operator-process.ts";

/** The user of each operator, which has a namespace of its own by the same name. */
const USERS = ["first", "second", "limited"] as const;
type User = (typeof USERS)[number];
const IDLE_MS = 8_000;
/** A lease has stood still for long enough, on a busy machine too. */
const TAKEN_OVER = { timeout: 90_000, interval: 200 };

const cluster = forAllTests(
  () => KubeCluster.start({ users: Object.fromEntries(USERS.map((user) => [user, []])) }),
  (cluster) => cluster.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
beforeAll(async () => {
  await cluster().create(
    ...[...USERS, "both", "handed", "taken", "limits", "left"].map(aNamespaceManifest),
  );
  for (const user of ["first", "second"]) {
    await permitOperator(cluster().server, user, { ownNamespace: user });
  }
  await permitOperator(cluster().server, "limited", {
    ownNamespace: "limited",
    namespaces: ["limits"],
  });
});

/** Starts an operator, for all namespaces unless some are given, and waits until it leads. */
async function start(user: User, namespaces: readonly string[] = []): Promise<OperatorProcess> {
  const operator = await OperatorProcess.start({
    kubeconfig: await cluster().kubeconfigOf(user),
    leaseNamespace: user,
    namespaces,
    flags: ["--resync", "1s"],
  });
  onTestFinished(async () => {
    await operator.stop();
  });
  await operator.logs("This process leads");
  return operator;
}

async function writesBy(user: User, since = 0): Promise<string[]> {
  const writes = await cluster().audit.writes({ by: user, since });
  return writes.map(({ verb, what, status }) => `${verb} ${what} ${status}`);
}

/** Resolves when neither has written for a while. */
async function quiet(...users: readonly User[]): Promise<void> {
  await vi.waitFor(async () => {
    const since = Date.now();
    await delay(2_000);
    for (const user of users) expect(await writesBy(user, since)).toEqual([]);
  }, TAKEN_OVER);
}

async function claimantOf(agent: AgentInCluster): Promise<string | undefined> {
  return (await cluster().get(agent.runtime)).metadata.annotations?.[MANAGED_BY_ANNOTATION];
}

const inCluster = (name: string, namespace: string): AgentInCluster =>
  new AgentInCluster(cluster(), { name, namespace });

async function isSaid(agent: AgentInCluster, of: User): Promise<void> {
  await vi.waitFor(async () => {
    expect(await agent.condition("Managed")).toMatchObject({
      status: "False",
      reason: "ManagedByAnother",
      message: expect.stringContaining(`The operator in namespace "${of}"`) as string,
    });
  }, TAKEN_OVER);
}

async function isUnsaid(agent: AgentInCluster): Promise<void> {
  await vi.waitFor(async () => {
    expect((await agent.condition("Managed")).status).toBe("");
  }, TAKEN_OVER);
}

async function eventsOf(namespace: string): Promise<string[]> {
  const events = await cluster().list("Event", namespace);
  return events.flatMap(({ reason, type, regarding }) =>
    reason === "ManagedByAnother" ? `${type} ${regarding.name}` : [],
  );
}

describe("of two operators for the same namespaces", { timeout: 240_000 }, () => {
  it("one looks after each resource, the other says once that it keeps off, and then neither writes", async () => {
    const operators = { first: await start("first"), second: await start("second") };
    await cluster().create(...theReferences("both"));
    const names = ["agent-0", "agent-1", "agent-2", "agent-3", "agent-4", "agent-5"];
    for (const name of names) {
      await cluster().create(anAgentManifest({ name, namespace: "both" }, { replicas: 2 }));
    }
    const agents = names.map((name) => inCluster(name, "both"));
    for (const agent of agents) {
      await agent.becomes("Running", SOME_TIME);
      await isSaid(agent, (await claimantOf(agent)) as User);
      await vi.waitFor(async () => {
        const found = { status: "True", reason: "AsWanted" };
        expect(await agent.condition("Ready")).toMatchObject(found);
      }, SOME_TIME);
    }
    await quiet("first", "second");
    const since = Date.now();
    const before = await Promise.all(agents.map((agent) => agent.footprint()));
    await delay(IDLE_MS);
    expect(await writesBy("first", since)).toEqual([]);
    expect(await writesBy("second", since)).toEqual([]);
    expect(await Promise.all(agents.map((agent) => agent.footprint()))).toEqual(before);
    for (const { metadata } of await cluster().list("Deployment", "both")) {
      expect(metadata.generation).toBe(1);
    }
    expect((await eventsOf("both")).toSorted()).toEqual(names.map((name) => `Warning ${name}`));
    const lines = Object.values(operators).flatMap((operator) =>
      operator.lines.filter(({ msg }) => msg === "Another operator looks after an AgentRuntime"),
    );
    expect(lines.map(({ key }) => String(key)).toSorted()).toEqual(
      names.map((name) => `both/${name}`),
    );
    for (const agent of agents) {
      const other = (await claimantOf(agent)) === "first" ? "second" : "first";
      const name = agent.runtime.metadata.name;
      const made = (await writesBy(other)).filter(
        (write) => write.includes(`both/${name}`) && / 20[01]$/.test(write),
      );
      const said = made.filter((write) => !write.startsWith("create events"));
      expect(said).toEqual([`patch agentruntimes/status both/${name} 200`]);
    }
  });

  it("a user's apply, of whichever side, leaves the claim, and one who removes it hands the agent over", async () => {
    const first = await start("first");
    const agent = inCluster("agent", "handed");
    const manifest = anAgentManifest(agent.runtime.metadata as never, {
      facade: { handler: "echo" },
    });
    const { server } = cluster();
    const apply = (...flags: string[]) =>
      server.kubectl(["apply", ...flags, "-f", "-"], JSON.stringify(manifest));
    await apply();
    await agent.becomes("Running", SOME_TIME);
    await start("second");
    await isSaid(agent, "first");
    await apply();
    await apply("--server-side", "--force-conflicts");
    (manifest as { spec?: object }).spec = { facade: { handler: "demo" } };
    await apply("--server-side");
    await agent.becomes("Running", SOME_TIME);
    expect(await claimantOf(agent)).toBe("first");

    await server.kubectl([
      "annotate",
      "-n",
      "handed",
      "agentruntime/agent",
      `${MANAGED_BY_ANNOTATION}-`,
    ]);
    await vi.waitFor(async () => expect(await claimantOf(agent)).toBe("second"), SOME_TIME);
    await isSaid(agent, "second");
    await quiet("first", "second");

    // The one that keeps off ends: what it said goes, and the agent goes on.
    await first.kill();
    await isUnsaid(agent);
    await agent.becomes("Running", SOME_TIME);
  });

  it("one follows the other when that is gone, and rolls the pods once, for its own signature", async () => {
    const first = await start("first");
    await cluster().create(...theReferences("taken"));
    await cluster().create(anAgentManifest({ name: "agent", namespace: "taken" }));
    const agent = inCluster("agent", "taken");
    await agent.becomes("Running", SOME_TIME);
    const { uid } = (await cluster().get(agent.deployment)).metadata;
    await first.kill();
    const second = await start("second");
    await vi.waitFor(async () => expect(await claimantOf(agent)).toBe("second"), TAKEN_OVER);
    await agent.becomes("Running", SOME_TIME);
    await quiet("second");
    const deployment = await cluster().get(agent.deployment);
    expect(deployment.metadata).toMatchObject({ uid, generation: 2 });
    const pack = { kind: "PromptPack", metadata: { name: "prompts", namespace: "taken" } } as const;
    expect((await cluster().get(pack)).metadata.annotations[MANAGED_BY_ANNOTATION]).toBe("second");
    expect(await eventsOf("taken")).toEqual([]);
    expect(second.lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("one that is limited to other namespaces is followed, and what one says that is limited goes", async () => {
    const agent = inCluster("agent", "left");
    const echo = { facade: { handler: "echo" } };
    const first = await start("first");
    await cluster().create(anAgentManifest(agent.runtime.metadata as never, echo));
    await agent.becomes("Running", SOME_TIME);
    await start("second");
    await isSaid(agent, "first");
    await first.stop();
    const limited = await start("first", ["limits"]);
    await vi.waitFor(async () => expect(await claimantOf(agent)).toBe("second"), TAKEN_OVER);
    await isUnsaid(agent);

    await limited.stop();
    const again = await start("first");
    await isSaid(agent, "second");
    await again.stop();
    await start("first", ["limits"]);
    await isUnsaid(agent);
    expect(await claimantOf(agent)).toBe("second");
  });

  it("one for some namespaces, which may not look at the lease of the other, says how to hand over", async () => {
    await start("first");
    const agent = inCluster("agent", "limits");
    await cluster().create(
      anAgentManifest(agent.runtime.metadata as never, { facade: { handler: "echo" } }),
    );
    await agent.becomes("Running", SOME_TIME);
    await start("limited", ["limits"]);
    await isSaid(agent, "first");
    const { message } = await agent.condition("Managed");
    expect(message).toContain(`remove the annotation ${MANAGED_BY_ANNOTATION}`);
    expect(message).toContain("no right to see");
    await cluster().patch(agent.runtime, {
      metadata: { annotations: { [MANAGED_BY_ANNOTATION]: null } },
    });
    await vi.waitFor(async () => expect(await claimantOf(agent)).toBe("limited"), SOME_TIME);
    await isSaid(agent, "limited");
    await quiet("first", "limited");
  });
});
