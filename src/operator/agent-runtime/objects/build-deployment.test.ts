/** What a pod of an agent is made of, whatever its manifest says. */
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { decided, theVersion } from "../../../../test/support/builders/a-decision.ts";
import {
  makeAgent,
  type MadeAgent,
  type World,
} from "../../../../test/support/operator/made-agent.ts";
import { anAgentManifest } from "../../../../test/support/builders/manifests.ts";
import { AGENT_CONFIG_PATH } from "../../../agent-config/agent-config.ts";
import type { WorkloadDecision } from "../../../control/agent-runtime/workload-decision.ts";
import { ROLL_HASH_ANNOTATION } from "../../cluster/labels.ts";
import { buildDeployment } from "./build-deployment.ts";
import { folderForAllTests } from "../../../../test/support/builders/fixtures.ts";

const WORLD: World = {
  packs: { "agents/prompts": theVersion() },
  registries: { "agents/tools": { authSecretRef: { name: "tool-token", key: "token" } } },
  secrets: {
    "agents/model": { "api-key": "sk-first" },
    "agents/redis": { url: "redis://store:6379" },
    "agents/clients": { phone: "key-phone" },
    "agents/tool-token": { token: "of-the-tool" },
  },
};
const SESSION = { type: "redis", storeRef: { name: "redis", key: "url" } };
const AUTH = { apiKeysSecretRef: { name: "clients" } };

const folder = folderForAllTests();

const make = (spec: object = {}): Promise<MadeAgent> =>
  makeAgent(
    stringify(anAgentManifest({ name: "support", namespace: "agents" }, spec)),
    WORLD,
    folder(),
  );

const AT = { name: "support", namespace: "agents" };
const SETTINGS = { agentImage: "omnia:1", agentImagePullPolicy: undefined };

function hashOf(
  workload: WorkloadDecision,
  {
    environmentDigest,
    settings = SETTINGS,
  }: { environmentDigest?: string; settings?: typeof SETTINGS } = {},
): string | undefined {
  const wanted = { agentRuntime: AT, workload, environmentDigest, settings, publicKey: "key" };
  const { metadata } = buildDeployment(wanted).spec.template;
  return metadata?.annotations?.[ROLL_HASH_ANNOTATION];
}

function aWorkload(spec: Record<string, unknown> = {}): WorkloadDecision {
  const { workload } = decided({ spec });
  if (workload === undefined) throw new Error("there is no workload");
  return workload;
}

describe("the pods of an agent", () => {
  it("are told where traces go to, unless the agent says it itself", () => {
    const endpoints = (env?: { name: string; value: string }[]) => {
      const agentDefaults = { otel: { endpoint: "http://collector:4318" } };
      const { spec } = buildDeployment({
        agentRuntime: AT,
        workload: aWorkload(env && { env }),
        environmentDigest: undefined,
        settings: { ...SETTINGS, agentDefaults },
        publicKey: "key",
      }).spec.template;
      const variables = spec?.containers[0]?.env ?? [];
      return variables
        .filter(({ name }) => name === "OTEL_EXPORTER_OTLP_ENDPOINT")
        .map(({ value }) => value);
    };
    expect(endpoints()).toEqual(["http://collector:4318"]);
    expect(endpoints([{ name: "OTEL_SERVICE_NAME", value: "a" }])).toHaveLength(1);
    expect(endpoints([{ name: "OTEL_EXPORTER_OTLP_ENDPOINT", value: "http://own" }])).toEqual([
      "http://own",
    ]);
  });

  it("are of the operator's image, and run the agent in it", async () => {
    expect((await make()).container).toMatchObject({
      name: "agent",
      image: "omnia:test",
      imagePullPolicy: "IfNotPresent",
      args: ["agent"],
      ports: [
        { name: "facade", containerPort: 8080 },
        { name: "management", containerPort: 8081 },
      ],
    });
  });

  it("may do nothing that an agent need not do", async () => {
    const { pod, container } = await make();
    expect(pod.spec).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65_532,
        runAsGroup: 65_532,
        seccompProfile: { type: "RuntimeDefault" },
      },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(container.volumeMounts?.every(({ readOnly }) => readOnly)).toBe(true);
  });

  it("are asked whether they are ready and alive, where they say it", async () => {
    const { container } = await make();
    const asked = (path: string) => ({ httpGet: { path, port: "management" } });
    expect(container).toMatchObject({
      startupProbe: { ...asked("/healthz"), periodSeconds: 1 },
      readinessProbe: asked("/readyz"),
      livenessProbe: asked("/healthz"),
      terminationMessagePolicy: "FallbackToLogsOnError",
    });
  });

  it("are told apart by labels of which those never change that select them", async () => {
    const { deployment, service, pod } = await make({ replicas: 2 });
    const selector = {
      "app.kubernetes.io/name": "omnia-agent",
      "app.kubernetes.io/instance": "support",
    };
    expect(deployment.spec.selector.matchLabels).toEqual(selector);
    expect(service.spec.selector).toEqual(selector);
    const labels = {
      ...selector,
      "app.kubernetes.io/managed-by": "omnia-operator",
      "app.kubernetes.io/component": "agent",
    };
    for (const { metadata } of [deployment, service, pod]) expect(metadata.labels).toEqual(labels);
  });

  it("have their metrics found, and keep them from the clients", async () => {
    const { pod, service } = await make();
    expect(pod.metadata.annotations).toMatchObject({
      "prometheus.io/scrape": "true",
      "prometheus.io/port": "8081",
      "prometheus.io/path": "/metrics",
    });
    expect(service.spec.ports).toEqual([
      {
        name: "facade",
        port: 8080,
        targetPort: "facade",
        protocol: "TCP",
        appProtocol: "kubernetes.io/ws",
      },
    ]);
  });

  it("are spread over nodes and zones, each template for itself", async () => {
    const { pod, deployment } = await make();
    expect(pod.spec.topologySpreadConstraints).toEqual(
      ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
        topologyKey,
        maxSkew: 1,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: deployment.spec.selector,
        matchLabelKeys: ["pod-template-hash"],
      })),
    );
  });

  it("have every file that their config names", async () => {
    const { config, file } = await make({ session: SESSION, facade: { auth: AUTH } });
    const at = (path = "none"): Promise<string> => file(join(dirname(AGENT_CONFIG_PATH), path));
    expect(await at(config.provider?.apiKeyFile)).toBe("sk-first");
    expect(await at(config.session.storeURLFile)).toBe("redis://store:6379");
    expect(await at(config.tools[0]?.authFile)).toBe("of-the-tool");
    expect(await at(`${config.facade.auth?.apiKeysFolder}/phone`)).toBe("key-phone");
  });

  it("have environment variables for every image, and more for one that is not ours", async () => {
    const ours = {
      OMNIA_AGENT_NAME: "support",
      OMNIA_NAMESPACE: "agents",
      OMNIA_CONFIG: "/etc/omnia/agent.json",
      OMNIA_CONFIG_PUBLIC_KEY: "public-key",
    };
    expect((await make({ session: SESSION })).environment).toEqual(ours);
    const { environment, file, container } = await make({ image: "custom:1", session: SESSION });
    expect(environment).toEqual({
      ...ours,
      OMNIA_PROVIDER_NAME: "openai",
      OMNIA_PROVIDER_MODEL: "test-model",
      OMNIA_PROVIDER_API_KEY_FILE: "/etc/omnia/secrets/provider/api-key",
      OMNIA_SESSION_TYPE: "redis",
      OMNIA_SESSION_TTL: "1h",
      OMNIA_SESSION_STORE_URL_FILE: "/etc/omnia/secrets/session-store/url",
    });
    expect(await file(environment["OMNIA_PROVIDER_API_KEY_FILE"] ?? "")).toBe("sk-first");
    expect(await file(environment["OMNIA_SESSION_STORE_URL_FILE"] ?? "")).toBe(
      "redis://store:6379",
    );
    expect(container).not.toHaveProperty("imagePullPolicy");
    expect(container.volumeMounts).toContainEqual({ name: "tmp", mountPath: "/tmp" });
  });

  it("wait for the Secrets that they cannot be without, and for no others", async () => {
    const { pod } = await make({ session: SESSION, facade: { auth: AUTH } });
    const sources = pod.spec.volumes?.flatMap(({ projected, secret }) => [
      ...(secret === undefined ? [] : [[secret.secretName, secret.optional ?? false]]),
      ...(projected?.sources ?? []).map(({ secret: one }) => [one?.name, one?.optional ?? false]),
    ]);
    expect(sources).toEqual([
      ["model", false],
      ["redis", true],
      ["redis", false],
      ["tool-token", true],
      ["clients", false],
    ]);
  });

  it("have no volume for secrets when there are none", async () => {
    const { pod } = await make({ facade: { handler: "echo" } });
    expect(pod.spec.volumes?.map(({ name }) => name)).toEqual(["config"]);
  });
});

describe("the template of pods", () => {
  const hash = hashOf(aWorkload());

  it("is another when anything of the pod is", () => {
    const image = { ...SETTINGS, agentImage: "omnia:2" };
    expect(hashOf(aWorkload({ env: [{ name: "A", value: "1" }] }))).not.toBe(hash);
    expect(hashOf(aWorkload(), { settings: image })).not.toBe(hash);
    expect(hashOf(aWorkload(), { environmentDigest: "A=1" })).not.toBe(hash);
  });

  it("is the same whatever is read from files", () => {
    const provider = {
      name: "anthropic",
      model: "another",
      apiKeySecretRef: { name: "openai-credentials", key: "api-key" },
    };
    expect(hashOf(aWorkload({ replicas: 3, session: { ttl: "2h" }, provider }))).toBe(hash);
  });
});
