/** A cluster of a test's own with a gateway that serves the HTTP API, and callers of different rights. */
import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gatewayPublicKey } from "../../../src/agent-config/gateway-token.ts";
import { agentLabels, promptPackLabels } from "../../../src/operator/cluster/labels.ts";
import { USER_RULES } from "../../../src/operator/permissions.ts";
import { parsePromptPack } from "../../../src/promptpack/check/parse-prompt-pack.ts";
import { TestAgent } from "../agent/test-agent.ts";
import { aPackText } from "../builders/a-pack.ts";
import { KubeCluster, type KubeObject } from "../kubernetes/kube-cluster.ts";
import { GatewayProcess } from "./gateway-process.ts";
import {
  agentRuntimeOf,
  bind,
  GATEWAY_USER,
  machineAddress,
  permitGateway,
  sliceOf,
} from "./routed-agents.ts";
import { createAccount, tokenOf, userOf } from "./service-accounts.ts";

const GROUP = "omnia.altairalabs.ai/v1alpha1";
/** Stands where what may be secret stands. */
export const SECRET = "p1anted";
const PRIVATE_KEY = generateKeyPairSync("ed25519").privateKey.export({
  type: "pkcs8",
  format: "pem",
});
const ACCOUNTS = ["none", "viewer", "admin"] as const;
export type ApiAccount = (typeof ACCOUNTS)[number];
export const PACK = aPackText({ version: "1.4.2" });
const parsed = parsePromptPack(PACK);
/** Of the pack. */
export const HASH = parsed.ok ? parsed.hash : "";

/** A cluster with an agent, a pack and a registry in namespace `team`, and the like of them in `other`, and a gateway before it. */
export async function startApiWorld(folder: string) {
  const atTheEnd: (() => unknown)[] = [];
  const cluster = await KubeCluster.start({
    withControllers: false,
    users: { [GATEWAY_USER]: [] },
  });
  atTheEnd.push(() => cluster.stop());
  const { server } = cluster;
  await permitGateway(server);
  for (const namespace of ["team", "other"]) {
    await cluster.create({ kind: "Namespace", metadata: { name: namespace } });
    await cluster.create(
      agentRuntimeOf({ name: "bot", namespace }, { env: [{ name: "KEY", value: SECRET }] }),
      ours("PromptPack", "help", namespace, { source: { configMapRef: { name: "help" } } }),
      ours("ToolRegistry", "tools", namespace, {
        tools: [{ name: "look", type: "http", url: `http://host.example/?key=${SECRET}` }],
      }),
    );
    const pack = await cluster.get(ours("PromptPack", "help", namespace, {}));
    await cluster.create(keptVersion(namespace, pack.metadata.uid));
    const agent = await cluster.get(agentRuntimeOf({ name: "bot", namespace }));
    await cluster.create(anEvent(namespace, agent.metadata.uid), aPod(namespace));
  }
  const at = { name: "bot", namespace: "team" };
  const replica = await TestAgent.start({
    host: machineAddress(),
    config: { agent: at, gateway: { publicKeys: [gatewayPublicKey(PRIVATE_KEY)] } },
    atTheEnd: (end) => void atTheEnd.push(end),
  });
  await cluster.create(sliceOf(at, replica.running.facadePort ?? 0));
  const tokens: Partial<Record<ApiAccount, string>> = {};
  for (const name of ACCOUNTS) {
    const account = { namespace: "team", name };
    await createAccount(server, account);
    tokens[name] = await tokenOf(server, account);
  }
  const rules = (...roles: (keyof typeof USER_RULES)[]) =>
    roles.flatMap((role) => USER_RULES[role]);
  const viewer = userOf({ namespace: "team", name: "viewer" });
  await bind(server, viewer, rules("view"), "team");
  const admin = userOf({ namespace: "team", name: "admin" });
  await bind(server, admin, rules("view", "edit", "sessions", "admin"), "team");
  const keyFile = join(folder, "key.pem");
  await writeFile(keyFile, PRIVATE_KEY);
  const flags = ["--api", "--gateway-key-file", keyFile];
  const gateway = await GatewayProcess.ready(await cluster.kubeconfigOf(GATEWAY_USER), flags);
  atTheEnd.push(() => gateway[Symbol.asyncDispose]());
  return { cluster, gateway, keyFile, tokens: tokens as Record<ApiAccount, string>, atTheEnd };
}

function ours(kind: "PromptPack" | "ToolRegistry", name: string, namespace: string, spec: object) {
  return { apiVersion: GROUP, kind, metadata: { name, namespace }, spec } as KubeObject;
}

function keptVersion(namespace: string, uid: string): KubeObject {
  const owner = { apiVersion: GROUP, kind: "PromptPack", name: "help", uid, controller: true };
  const metadata = { name: `help-${HASH}`, namespace, labels: promptPackLabels("help") };
  return {
    kind: "ConfigMap",
    metadata: { ...metadata, ownerReferences: [owner] },
    immutable: true,
    data: { "promptpack.json": PACK },
  } as KubeObject;
}

function anEvent(namespace: string, uid: string): KubeObject {
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: "bot.1", namespace },
    eventTime: "2026-03-01T12:00:00.000000Z",
    type: "Warning",
    reason: "PodsFailing",
    action: "Reconcile",
    note: "a replica has failed",
    reportingController: "omnia.altairalabs.ai/operator",
    reportingInstance: "operator-1",
    regarding: { apiVersion: GROUP, kind: "AgentRuntime", name: "bot", namespace, uid },
  } as KubeObject;
}

function aPod(namespace: string): KubeObject {
  const env = [{ name: "KEY", value: SECRET }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "bot-1", namespace, labels: agentLabels("bot") },
    spec: { containers: [{ name: "agent", image: "omnia", env }] },
  } as KubeObject;
}
