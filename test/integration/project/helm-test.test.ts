/** `helm test`: what it makes, that a real API server takes it, and that what its pod runs gets an answer. No node is here: the test plays the kubelet. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { AgentProcess } from "../../support/agent/agent-process.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import {
  CHART,
  findHelm,
  type Manifest,
  RELEASE_NAMESPACE,
  renderTest,
} from "../../support/kubernetes/helm-chart.ts";
import {
  KUBE_API_SERVER_TIMEOUT_MS,
  startKubeAPIServer,
} from "../../support/kubernetes/kube-api-server.ts";
import { omnia } from "../../support/processes/omnia-process.ts";

const run = promisify(execFile);
const POD = `/api/v1/namespaces/${RELEASE_NAMESPACE}/pods/omnia-test`;
const WAIT = { timeout: 60_000, interval: 100 };

const helm = forAllTests(() => findHelm(), undefined, KUBE_API_SERVER_TIMEOUT_MS);
const server = forAllTests(
  () => startKubeAPIServer(),
  (server) => server.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
beforeAll(async () => {
  for (const name of [RELEASE_NAMESPACE, "team-a"]) {
    await server().kubectl(["create", "namespace", name]);
  }
  const enforced = "pod-security.kubernetes.io/enforce=restricted";
  await server().kubectl(["label", "namespace", RELEASE_NAMESPACE, enforced]);
});

async function tested(...flags: string[]): Promise<{ agent: Manifest; pod: Manifest }> {
  const manifests = await renderTest(helm(), ...flags);
  const [agent, pod] = manifests.toSorted((a, b) => (a.kind < b.kind ? -1 : 1));
  expect(manifests.length).toBe(2);
  expect([agent.kind, pod.kind]).toEqual(["AgentRuntime", "Pod"]);
  return { agent, pod };
}

function argsOf({ spec }: Manifest): string[] {
  return spec.containers[0].args;
}

async function helmWith(...args: string[]): Promise<string> {
  const all = [...args, "-n", RELEASE_NAMESPACE, "--kubeconfig", server().kubeconfig];
  return (await run(helm(), all)).stdout;
}

/** Runs `helm test`, and ends its pod as a kubelet would once it is there. */
async function testedWhilePodEnds(phase: "Succeeded" | "Failed"): Promise<string> {
  const outcome = helmWith("test", "omnia", "--timeout", "60s").catch(
    ({ stderr }: { stderr: string }) => stderr,
  );
  // One that an earlier run has left is taken away first.
  const phaseNow = async () => (await server().request("GET", POD)).body.status.phase as unknown;
  await expect.poll(phaseNow, WAIT).toBe("Pending");
  const patch = ["--type=merge", "-p", JSON.stringify({ status: { phase } })];
  const pod = ["pod/omnia-test", "-n", RELEASE_NAMESPACE];
  await server().kubectl(["patch", ...pod, "--subresource=status", ...patch]);
  return await outcome;
}

describe("what helm test makes", () => {
  it("is an agent that repeats what it is told, and a pod without rights that talks to it", async () => {
    const { agent, pod } = await tested();
    expect(agent).toMatchObject({
      metadata: { name: "omnia-test", namespace: RELEASE_NAMESPACE },
      spec: { facade: { type: "websocket", handler: "echo" } },
    });
    expect(pod.spec).toMatchObject({
      automountServiceAccountToken: false,
      restartPolicy: "OnFailure",
      activeDeadlineSeconds: expect.any(Number) as number,
    });
    expect(argsOf(pod)).toContain(`--url=ws://omnia-test.${RELEASE_NAMESPACE}.svc:8080/ws`);
    // The agent is there before the pod, and what did its part goes again.
    const weights = [agent, pod].map(({ metadata }) =>
      Number(metadata.annotations["helm.sh/hook-weight"]),
    );
    expect(weights).toEqual(weights.toSorted((a, b) => a - b));
    expect(new Set(weights).size).toBe(2);
    for (const { metadata } of [agent, pod]) {
      expect(metadata.annotations).toMatchObject({
        "helm.sh/hook": "test",
        "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
      });
    }
  });

  it("has its agent where the operator looks, and the placement and pull secrets of the operator", async () => {
    const { agent, pod } = await tested(
      "--set",
      "watchNamespaces={team-a,team-b},image.repository=example.com/omnia,image.pullSecrets={pull}",
      "--set",
      "nodeSelector.disk=ssd,tolerations[0].operator=Exists,commonLabels.team=platform",
    );
    expect(agent.metadata.namespace).toBe("team-a");
    expect(pod.metadata.namespace).toBe(RELEASE_NAMESPACE);
    expect(argsOf(pod)).toContain("--namespace=team-a");
    expect(argsOf(pod)).toContain("--url=ws://omnia-test.team-a.svc:8080/ws");
    expect(pod.spec).toMatchObject({
      imagePullSecrets: [{ name: "pull" }],
      nodeSelector: { disk: "ssd" },
      tolerations: [{ operator: "Exists" }],
    });
    expect(pod.spec.containers[0].image).toMatch(/^example\.com\/omnia:/);
    for (const { metadata } of [agent, pod]) {
      // No Service, budget or policy of the chart takes the pod for one of its own.
      expect(metadata.labels).toMatchObject({
        team: "platform",
        "app.kubernetes.io/component": "test",
      });
    }
  });

  it("goes through the gateway where there is one, unless that asks clients who they are", async () => {
    const through = async (...flags: string[]): Promise<string | undefined> =>
      argsOf((await tested("--set", "gateway.enabled=true", ...flags)).pod).find((argument) =>
        argument.startsWith("--url="),
      );
    expect(await through("--set", "gateway.service.port=9000")).toBe(
      `--url=ws://omnia-gateway.${RELEASE_NAMESPACE}.svc:9000/ws`,
    );
    const direct = `--url=ws://omnia-test.${RELEASE_NAMESPACE}.svc:8080/ws`;
    expect(await through("--set", "gateway.auth.apiKeysSecret=keys")).toBe(direct);
    expect(await through("--set", "gateway.api.enabled=true")).toBe(direct);
  });

  it("asks something that the agent answers", async () => {
    const { agent, pod } = await tested();
    const { name, namespace } = agent.metadata;
    const { handler } = agent.spec.facade;
    const process = await AgentProcess.start({ config: { agent: { name, namespace }, handler } });
    const args = argsOf(pod).map((argument) =>
      argument.replace(/^--url=.*/, `--url=${process.url}/ws`),
    );
    const { code, out, err } = await omnia(args);
    expect({ code, out: out.trim(), err }).toEqual({ code: 0, out: "Are you there?", err: "" });
    const nobody = args.map((argument) => argument.replace(/:\d+\/ws$/, ":9/ws"));
    expect((await omnia(nobody)).code).not.toBe(0);
  });
});

describe("helm test on a real API server", () => {
  it("passes when its pod has got an answer, and leaves nothing behind", async () => {
    await helmWith("install", "omnia", CHART);
    const { agent, pod } = await tested();
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: [agent, pod] });
    await server().kubectl(["apply", "--dry-run=server", "--validate=strict", "-f", "-"], list);
    // What an earlier, failed run has left is in nobody's way.
    expect(await testedWhilePodEnds("Failed")).toContain("pod omnia-test failed");
    expect((await server().request("GET", POD)).status).toBe(200);
    expect(await testedWhilePodEnds("Succeeded")).toMatch(/TEST SUITE: +omnia-test\n/);
    const left = ["get", "pods,agentruntimes", "-A", "-o", "name"];
    await expect.poll(() => server().kubectl(left), WAIT).toBe("");
    await helmWith("uninstall", "omnia");
  });
});
