/** The keys of gateways in a cluster: made when the operator is told that there is a gateway, believed by agents, and replaced without a roll. */
import { generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { gatewayPublicKey, GatewayTokenSigner } from "../../../src/agent-config/gateway-token.ts";
import { GatewayClient } from "../../support/agent/gateway-client.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { anAgentManifest, aNamespaceManifest } from "../../support/builders/manifests.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../../support/kubernetes/kube-api-server.ts";
import { KubeCluster, OPERATOR_USER } from "../../support/kubernetes/kube-cluster.ts";
import { startAgentContainer } from "../../support/kubernetes/node/agent-container.ts";
import { AgentInCluster, SOME_TIME } from "../../support/operator/agent-in-cluster.ts";
import { OperatorProcess } from "../../support/operator/operator-process.ts";

const AT = { name: "support", namespace: "agents" };
const KEY = {
  kind: "Secret",
  metadata: { name: "omnia-gateway-key", namespace: "default" },
} as const;

const cluster = forAllTests(
  () => KubeCluster.start({ startContainer: startAgentContainer }),
  (started) => started.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
const agent = forAllTests(() => new AgentInCluster(cluster(), AT));

beforeAll(async () => {
  await cluster().create(aNamespaceManifest(AT.namespace));
  await cluster().create(anAgentManifest(AT, { facade: { handler: "echo" } }));
});

async function anOperator(...flags: string[]): Promise<OperatorProcess> {
  const kubeconfig = await cluster().kubeconfigOf(OPERATOR_USER);
  const operator = await OperatorProcess.start({ kubeconfig, flags });
  onTestFinished(async () => void (await operator.stop()));
  return operator;
}

async function entriesOfKey(): Promise<Record<string, string>> {
  const { data } = (await cluster().get(KEY)) as { data: Record<string, string> };
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, Buffer.from(value, "base64").toString()]),
  );
}

/** Asks the pod of the agent with a token of this key. */
async function asked(privateKey: string): Promise<number> {
  const [pod] = agent().pods;
  const port = pod && cluster().kubelet.facadePortOf(pod);
  const signer = new GatewayTokenSigner(privateKey, { now: () => Date.now() });
  const gateway = new GatewayClient(`http://127.0.0.1:${port ?? 0}`, signer, {
    agent: `${AT.namespace}/${AT.name}`,
  });
  return (await gateway.get("sessions")).status;
}

const believed = async () => (await agent().agentConfig()).gateway?.publicKeys;

describe("the key of gateways", () => {
  it("is not made, and agents believe no gateway, unless the operator is told that there is one", async () => {
    const operator = await anOperator();
    await agent().becomes("Running", SOME_TIME);
    expect(await cluster().get(KEY)).toBeUndefined();
    expect(await believed()).toBeUndefined();
    expect(operator.output).not.toContain(KEY.metadata.name);
  });

  it("is made, believed, and followed by another one without a new pod", async () => {
    const operator = await anOperator("--gateway");
    await vi.waitFor(async () => expect(await believed()).toHaveLength(1), SOME_TIME);
    const { "key.pem": key = "", ...others } = await entriesOfKey();
    expect(others).toEqual({});
    expect(await believed()).toEqual([gatewayPublicKey(key)]);
    await vi.waitFor(async () => expect(await asked(key)).toBe(200), SOME_TIME);
    const pods = agent().pods.map(({ metadata }) => metadata.uid);
    await operator.stop();

    const next = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
    expect(await asked(next)).toBe(404);
    const data = Object.fromEntries(
      Object.entries({ "key.pem": key, "next.pem": next }).map(([name, value]) => [
        name,
        Buffer.from(value).toString("base64"),
      ]),
    );
    await cluster().patch(KEY, { data });
    await anOperator("--gateway");
    await vi.waitFor(async () => expect(await believed()).toHaveLength(2), SOME_TIME);
    await vi.waitFor(async () => expect(await asked(next)).toBe(200), SOME_TIME);
    expect(await asked(key)).toBe(200);
    expect(agent().pods.map(({ metadata }) => metadata.uid)).toEqual(pods);
  });

  it("is believed no more once the operator is told that there is no gateway", async () => {
    const { "key.pem": key = "" } = await entriesOfKey();
    await anOperator();
    await vi.waitFor(async () => expect(await believed()).toBeUndefined(), SOME_TIME);
    await vi.waitFor(async () => expect(await asked(key)).toBe(404), SOME_TIME);
  });
});
