/** The console of a gateway in a cluster: a person signs in with a token of a service account, and with another one when that has ended. */
import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect } from "vitest";
import { gatewayPublicKey } from "../../src/agent-config/gateway-token.ts";
import { USER_RULES } from "../../src/operator/permissions.ts";
import { TestAgent } from "../support/agent/test-agent.ts";
import { it } from "../support/browser/it.ts";
import { folderForAllTests, forAllTests } from "../support/builders/fixtures.ts";
import { GatewayProcess } from "../support/gateway/gateway-process.ts";
import {
  agentRuntimeOf,
  bind,
  GATEWAY_USER,
  machineAddress,
  permitGateway,
  sliceOf,
} from "../support/gateway/routed-agents.ts";
import {
  createAccount,
  deleteAccount,
  tokenOf,
  userOf,
} from "../support/gateway/service-accounts.ts";
import { KUBE_API_SERVER_TIMEOUT_MS } from "../support/kubernetes/kube-api-server.ts";
import { KubeCluster } from "../support/kubernetes/kube-cluster.ts";

/** What the cluster says of a token is believed for some seconds. */
const SOME_TIME = { timeout: 60_000 };
const ANNA = { namespace: "team", name: "anna" };
const PRIVATE_KEY = generateKeyPairSync("ed25519").privateKey.export({
  type: "pkcs8",
  format: "pem",
});

const folder = folderForAllTests();
const world = forAllTests(
  async () => {
    const atTheEnd: (() => unknown)[] = [];
    const cluster = await KubeCluster.start({
      withControllers: false,
      users: { [GATEWAY_USER]: [] },
    });
    atTheEnd.push(() => cluster.stop());
    await permitGateway(cluster.server);
    for (const namespace of ["team", "other"]) {
      await cluster.create({ kind: "Namespace", metadata: { name: namespace } });
      await cluster.create(agentRuntimeOf({ name: `bot-of-${namespace}`, namespace }));
    }
    const at = { name: "bot-of-team", namespace: "team" };
    const replica = await TestAgent.start({
      host: machineAddress(),
      config: { agent: at, gateway: { publicKeys: [gatewayPublicKey(PRIVATE_KEY)] } },
      atTheEnd: (end) => void atTheEnd.push(end),
    });
    await cluster.create(sliceOf(at, replica.running.facadePort ?? 0));
    const path = `/apis/omnia.altairalabs.ai/v1alpha1/namespaces/team/agentruntimes/${at.name}/status`;
    const condition = { status: "True", reason: "ReplicasAvailable", message: "It runs." };
    const lastTransitionTime = new Date().toISOString();
    const conditions = ["Available", "Ready"].map((type) => ({
      ...condition,
      type,
      lastTransitionTime,
    }));
    const status = { phase: "Running", ready: "1/1", replicas: 1, readyReplicas: 1, conditions };
    expect((await cluster.server.request("PATCH", path, { status })).status).toBe(200);
    await createAccount(cluster.server, ANNA);
    const rules = Object.values(USER_RULES).flat();
    await bind(cluster.server, userOf(ANNA), rules, "team");
    const keyFile = join(folder(), "key.pem");
    await writeFile(keyFile, PRIVATE_KEY);
    const kubeconfig = await cluster.kubeconfigOf(GATEWAY_USER);
    const flags = ["--api", "--console", "--gateway-key-file", keyFile];
    const gateway = await GatewayProcess.ready(kubeconfig, flags);
    atTheEnd.push(() => gateway[Symbol.asyncDispose]());
    return { cluster, url: `http://127.0.0.1:${gateway.port}`, atTheEnd };
  },
  async ({ atTheEnd }) => {
    for (const end of atTheEnd.toReversed()) await end();
  },
  KUBE_API_SERVER_TIMEOUT_MS,
);

async function signIn(page: Page): Promise<void> {
  await page.getByLabel(/Paste a token/).fill(await tokenOf(world().cluster.server, ANNA));
  await page.getByRole("button", { name: "Sign in" }).click();
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Your message").fill(text);
  await page.getByLabel("Your message").press("Enter");
}

describe("the console of a cluster", () => {
  it("wants a token, shows what its owner may see, and goes on in place with another one", async ({
    openPage,
  }) => {
    const { cluster, url } = world();
    const page = await openPage(url, { expected: [/401/, /4401/] });
    await page.getByText("You are signed out").waitFor(SOME_TIME);
    await signIn(page);
    await page.getByText("bot-of-team").first().waitFor(SOME_TIME);
    expect(await page.content()).not.toContain("bot-of-other");
    await page.getByText("bot-of-team").first().click();
    await say(page, "before");
    await page.locator("[data-turn]").getByText("before").last().waitFor(SOME_TIME);
    await page.getByLabel("Your message").fill("a draft");

    await deleteAccount(cluster.server, ANNA);
    await page.getByText("You are signed out").waitFor(SOME_TIME);
    expect(await page.getByLabel("Your message").inputValue()).toBe("a draft");
    await createAccount(cluster.server, ANNA);
    await signIn(page);
    await page.getByText("You are signed out").waitFor({ state: "hidden", ...SOME_TIME });
    expect(await page.getByLabel("Your message").inputValue()).toBe("a draft");
    await say(page, "after");
    await page.locator("[data-turn]").getByText("after").last().waitFor(SOME_TIME);
    expect(await page.locator("[data-turn]").getByText("before").count()).toBeGreaterThan(0);
  });
});
