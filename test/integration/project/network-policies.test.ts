/** Who may reach agents, by the values of the Helm chart: what the operator is told to put into the NetworkPolicy of each agent. */
import { describe, expect, it } from "vitest";
import { readNetworkPolicy } from "../../../src/cli/operator/read-network-policy.ts";
import type { AgentNetworkPolicy } from "../../../src/operator/cluster/agent-network-policy.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import {
  findHelm,
  type Manifest,
  RELEASE_NAMESPACE,
  renderChart,
  renderTest,
} from "../../support/kubernetes/helm-chart.ts";

const HELM_TIMEOUT_MS = 300_000;
const FLAG = "--network-policy=";
const SHOP = { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } } };
const FROM_SHOP = ["--set-json", `networkPolicy.facadeFrom=${JSON.stringify([SHOP])}`];
const NAMED = ["--set", "networkPolicy.facade=Named"];

const helm = forAllTests(() => findHelm(), undefined, HELM_TIMEOUT_MS);

async function policyWith(...flags: string[]): Promise<AgentNetworkPolicy> {
  const manifests = await renderChart(helm(), ...flags);
  const operator = manifests.find(
    ({ kind, metadata }) => kind === "Deployment" && metadata.name === "omnia-operator",
  );
  const { args } = operator.spec.template.spec.containers[0];
  const flag = args.find((argument: string) => argument.startsWith(FLAG));
  return readNetworkPolicy(flag.slice(FLAG.length));
}

/** Pods of the release, as a NetworkPolicy names them. */
function podsOf(component: string): Manifest {
  const labels = { "app.kubernetes.io/name": "omnia", "app.kubernetes.io/instance": "omnia" };
  return {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": RELEASE_NAMESPACE } },
    podSelector: { matchLabels: { ...labels, "app.kubernetes.io/component": component } },
  };
}

async function refusal(...flags: string[]): Promise<string> {
  return await renderChart(helm(), ...flags).then(
    () => "",
    ({ stderr }: { stderr: string }) => stderr,
  );
}

describe("the facade of agents", () => {
  it("is open to everybody at first", async () => {
    expect((await policyWith()).facadeFrom).toBeUndefined();
    expect((await policyWith("--set", "gateway.enabled=true")).facadeFrom).toBeUndefined();
  });

  it("is open to the gateway and to helm test alone, where they are named", async () => {
    const [pod] = (await renderTest(helm())).filter(({ kind }) => kind === "Pod");
    const { matchLabels } = podsOf("test").podSelector;
    expect(pod.metadata.labels).toMatchObject(matchLabels);
    expect((await policyWith(...NAMED)).facadeFrom).toEqual([podsOf("test")]);
    const withGateway = await policyWith(...NAMED, "--set", "gateway.enabled=true");
    expect(withGateway.facadeFrom).toEqual([podsOf("test"), podsOf("gateway")]);
  });

  it("is open to the namespaces that are named, too", async () => {
    const { facadeFrom } = await policyWith(...NAMED, ...FROM_SHOP);
    expect(facadeFrom).toEqual([SHOP, podsOf("test")]);
  });

  it("is not left open by somebody who names namespaces and means to close it", async () => {
    expect(await refusal(...FROM_SHOP)).toContain("unless networkPolicy.facade is Named");
    expect(await refusal("--set", "networkPolicy.facade=Nobody")).toContain("facade");
    expect(await refusal(...NAMED, "--set-json", "networkPolicy.facadeFrom=[{}]")).toContain(
      "facadeFrom",
    );
  });
});
