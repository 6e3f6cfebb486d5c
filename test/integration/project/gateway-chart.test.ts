/** The gateway in the Helm chart: what is rendered for it, what is refused, and what a real API server says of it. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import {
  GATEWAY_API_RULES,
  GATEWAY_RESOURCE_RULES,
  GATEWAY_RULES,
} from "../../../src/gateway-cluster/permissions.ts";
import { gatewayKeyRules } from "../../../src/operator/permissions.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import {
  CHART,
  findHelm,
  type Manifest,
  RELEASE_NAMESPACE,
  renderChart,
} from "../../support/kubernetes/helm-chart.ts";
import {
  KUBE_API_SERVER_TIMEOUT_MS,
  startKubeAPIServer,
} from "../../support/kubernetes/kube-api-server.ts";

const run = promisify(execFile);
const GATEWAY_ACCOUNT = `system:serviceaccount:${RELEASE_NAMESPACE}:omnia-gateway`;
/** Each of many questions about rights is a program of its own. */
const QUESTIONS_TIMEOUT_MS = 180_000;
const ENABLED = ["--set", "gateway.enabled=true"];
const EVERYTHING = [
  ...ENABLED,
  "--set",
  "gateway.api.enabled=true,gateway.console.enabled=true,gateway.auth.apiKeysSecret=keys",
  "--set",
  "gateway.auth.jwt.issuer=https://id.example,gateway.auth.jwt.audiences={omnia}",
  "--set",
  "gateway.auth.jwt.requiredClaims.team=a,gateway.auth.jwt.jwksUri=https://id.example/keys",
  "--set",
  "gateway.ingress.enabled=true,gateway.ingress.hosts={agents.example.com},gateway.ingress.className=nginx",
  "--set",
  "gateway.ingress.tls.secretName=certificate,gateway.allowedOrigins={https://app.example.com}",
  "--set",
  "gateway.service.type=LoadBalancer,gateway.affinity.nodeAffinity=null",
  "--set-json",
  'networkPolicy.gateway.egress=[{"ports":[{"port":443}]}]',
];

const helm = forAllTests(() => findHelm(), undefined, KUBE_API_SERVER_TIMEOUT_MS);
const server = forAllTests(
  () => startKubeAPIServer(),
  (server) => server.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
beforeAll(async () => {
  for (const name of [RELEASE_NAMESPACE, "team-a", "team-b"]) {
    await server().kubectl(["create", "namespace", name]);
  }
});

const rendered = (...flags: string[]): Promise<Manifest[]> => renderChart(helm(), ...flags);

function find(manifests: readonly Manifest[], kind: string, name = "omnia-gateway"): Manifest {
  return manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
}

function argsOf(manifests: readonly Manifest[], name?: string): string[] {
  return find(manifests, "Deployment", name).spec.template.spec.containers[0].args;
}

describe("the chart with a gateway", () => {
  it("is quiet unless it is asked for one", async () => {
    const manifests = await rendered();
    expect(manifests.filter(({ metadata }) => metadata.name.includes("gateway"))).toEqual([]);
    expect(argsOf(manifests, "omnia-operator")).not.toContain("--gateway");
  });

  it("exports traces to where it is told, and nowhere by itself", async () => {
    const environment = async (...flags: string[]): Promise<unknown> =>
      find(await rendered(...ENABLED, ...flags), "Deployment").spec.template.spec.containers[0].env;
    const endpoint = { name: "OTEL_EXPORTER_OTLP_ENDPOINT", value: "http://collector:4318" };
    expect(JSON.stringify(await environment())).not.toContain("OTEL");
    expect(await environment("--set", `gateway.otel.endpoint=${endpoint.value}`)).toContainEqual(
      endpoint,
    );
    await expect(environment("--set", "gateway.otel.endpoint=collector")).rejects.toThrow("otel");
  });

  it("has two replicas with restricted pods, which end in order", async () => {
    const manifests = await rendered(...ENABLED);
    const { spec } = find(manifests, "Deployment");
    expect(spec.replicas).toBe(2);
    const pod = spec.template.spec;
    expect(pod).toMatchObject({
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 45,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          readinessProbe: { httpGet: { path: "/readyz", port: "metrics" } },
          livenessProbe: { httpGet: { path: "/healthz", port: "metrics" } },
          lifecycle: { preStop: { sleep: { seconds: 5 } } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
        },
      ],
    });
    // Without clients that it knows, it needs no key, and the operator makes none.
    expect(pod.volumes).toBeUndefined();
    expect(argsOf(manifests, "omnia-operator")).not.toContain("--gateway");
    expect(find(manifests, "PodDisruptionBudget").spec.maxUnavailable).toBe(1);
    expect(find(manifests, "Service").spec).toMatchObject({ type: "ClusterIP" });
    expect(find(manifests, "ClusterRole").rules).toEqual(GATEWAY_RULES);
    expect(find(manifests, "NetworkPolicy").spec.ingress).toEqual([
      { ports: [{ protocol: "TCP", port: 8080 }] },
    ]);
    const ingresses = { namespaceSelector: { matchLabels: { a: "ingress" } } };
    const from = ["--set-json", `networkPolicy.gatewayFrom=${JSON.stringify([ingresses])}`];
    const [rule, ...others] = find(await rendered(...ENABLED, ...from), "NetworkPolicy").spec
      .ingress;
    expect(others).toEqual([]);
    expect(rule.ports).toEqual([{ protocol: "TCP", port: 8080 }]);
    const test = expect.objectContaining({ "app.kubernetes.io/component": "test" }) as object;
    expect(rule.from).toEqual([
      ingresses,
      expect.objectContaining({ podSelector: { matchLabels: test } }),
    ]);
    const selected = find(manifests, "Service").spec.selector;
    expect(spec.template.metadata.labels).toMatchObject(selected);
    const operator = find(manifests, "Deployment", "omnia-operator").spec.template.metadata.labels;
    expect(operator).not.toMatchObject(selected);
  });

  it("leads to the watched namespaces, by roles in just these", async () => {
    const manifests = await rendered(...ENABLED, "--set", "watchNamespaces={team-a,team-b}");
    expect(argsOf(manifests)).toEqual(
      expect.arrayContaining(["--namespaces=team-a", "--namespaces=team-b"]),
    );
    expect(find(manifests, "ClusterRole")).toBeUndefined();
    const roles = manifests.filter(
      ({ kind, metadata }) => kind === "Role" && metadata.name === "omnia-gateway",
    );
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(["team-a", "team-b"]);
    expect(roles.map(({ rules }) => rules)).toEqual([GATEWAY_RULES, GATEWAY_RULES]);
  });

  it("reads in the watched namespaces alone what its API shows", async () => {
    const flags = "watchNamespaces={team-a},gateway.api.enabled=true";
    const manifests = await rendered(...ENABLED, "--set", flags);
    const role = `omnia-gateway.${RELEASE_NAMESPACE}`;
    expect(find(manifests, "ClusterRole", role).rules).toEqual(GATEWAY_API_RULES);
    expect(find(manifests, "ClusterRoleBinding", role).roleRef.name).toBe(role);
    expect(find(manifests, "Role").rules).toEqual([...GATEWAY_RULES, ...GATEWAY_RESOURCE_RULES]);
    expect(argsOf(manifests)).toContain("--api");
    expect(argsOf(manifests)).not.toContain("--console");
  });

  it("has the key that agents believe, once it asks clients who they are", async () => {
    const manifests = await rendered(...EVERYTHING);
    expect(argsOf(manifests)).toEqual([
      "gateway",
      "--port=8080",
      "--allowed-origin=https://app.example.com",
      "--allowed-host=agents.example.com",
      "--max-connections=10000",
      "--drain-grace=30s",
      "--auth-jwt-issuer=https://id.example",
      "--auth-jwt-audience=omnia",
      "--auth-jwt-jwks-uri=https://id.example/keys",
      "--auth-jwt-required-claims=team=a",
      "--api-keys-dir=/etc/omnia/api-keys",
      "--api",
      "--console",
      "--gateway-key-file=/etc/omnia/gateway-key/key.pem",
    ]);
    const { volumes } = find(manifests, "Deployment").spec.template.spec;
    expect(volumes.map(({ secret }: Manifest) => secret.secretName)).toEqual([
      "omnia-gateway-key",
      "keys",
    ]);
    expect(argsOf(manifests, "omnia-operator")).toContain("--gateway");
    const own = find(manifests, "Role", "omnia-operator-leader-election").rules;
    expect(own).toEqual(expect.arrayContaining([...gatewayKeyRules("omnia-gateway-key")]));
    expect(find(manifests, "ClusterRole").rules).toEqual([
      ...GATEWAY_RULES,
      ...GATEWAY_RESOURCE_RULES,
      ...GATEWAY_API_RULES,
    ]);
  });

  it("is reached through an Ingress and an HTTPRoute that end no conversation", async () => {
    const manifests = await rendered(
      ...EVERYTHING,
      "--set",
      "gateway.httpRoute.enabled=true,gateway.httpRoute.hostnames={chat.example.com}",
      "--set",
      "gateway.httpRoute.parentRefs[0].name=public,gateway.httpRoute.parentRefs[0].sectionName=https",
    );
    expect(find(manifests, "Ingress").spec).toMatchObject({
      ingressClassName: "nginx",
      tls: [{ secretName: "certificate", hosts: ["agents.example.com"] }],
      rules: [{ host: "agents.example.com" }],
    });
    expect(find(manifests, "Ingress").metadata.annotations).toMatchObject({
      "nginx.ingress.kubernetes.io/proxy-read-timeout": "86400",
    });
    expect(find(manifests, "HTTPRoute").spec).toEqual({
      parentRefs: [{ name: "public", sectionName: "https" }],
      hostnames: ["chat.example.com"],
      rules: [
        {
          matches: [{ path: { type: "PathPrefix", value: "/" } }],
          timeouts: { request: "0s", backendRequest: "0s" },
          backendRefs: [{ name: "omnia-gateway", port: 8080 }],
        },
      ],
    });
    // Pages come under these names.
    expect(argsOf(manifests)).toContain("--allowed-host=agents.example.com,chat.example.com");
  });

  it("is scraped once, by whichever monitors there are, and its metrics keep the namespace that they name", async () => {
    for (const enabled of [
      "metrics.serviceMonitor.enabled=true",
      "metrics.podMonitor.enabled=true",
      "metrics.podMonitor.enabled=true,metrics.serviceMonitor.enabled=true",
    ]) {
      const monitors = (await rendered(...ENABLED, "--set", enabled)).filter(({ kind }) =>
        /^(?:Pod|Service)Monitor$/.test(kind as string),
      );
      expect(monitors.filter(({ metadata }) => metadata.name === "omnia-gateway")).toHaveLength(1);
      for (const { spec } of monitors) {
        const [endpoint] = spec.endpoints ?? spec.podMetricsEndpoints;
        expect(endpoint).toMatchObject({ honorLabels: true });
      }
    }
  });

  it("has the Service that its ServiceMonitor looks for, and no other", async () => {
    const manifests = await rendered(...ENABLED, "--set", "metrics.serviceMonitor.enabled=true");
    const wanted = find(manifests, "ServiceMonitor").spec.selector.matchLabels;
    const services = manifests.filter(
      ({ kind, metadata }) =>
        kind === "Service" &&
        Object.entries(wanted).every(([label, value]) => metadata.labels[label] === value),
    );
    expect(services.map(({ metadata }) => metadata.name)).toEqual(["omnia-gateway-metrics"]);
  });

  it.each([
    ["a value that there is not", "gateway.replicaCount=3", "replicaCount"],
    ["an issuer without an audience", "gateway.auth.jwt.issuer=https://id.example", "audiences"],
    ["an Ingress without a host", "gateway.ingress.enabled=true", "hosts"],
    ["a route without a parent", "gateway.httpRoute.enabled=true", "parentRefs"],
    ["a page that is none", "gateway.allowedOrigins={app}", "allowedOrigins"],
    ["a host with a port", "gateway.allowedHosts={a.example:80}", "allowedHosts"],
    ["a console without the API that it asks", "gateway.console.enabled=true", "api"],
    ["no connections at all", "gateway.maxConnections=0", "maxConnections"],
  ])("refuses %s, and names it", async (_what, value, named) => {
    const outcome = await rendered("--set", value).then(
      () => "it was taken",
      ({ stderr }: { stderr: string }) => stderr,
    );
    expect(outcome).toContain(named);
  });
});

describe("on a real API server, the gateway", () => {
  it("has no field that is not known, and pods that the restricted standard lets in", async () => {
    const manifests = await rendered(...EVERYTHING);
    const list = { apiVersion: "v1", kind: "List", items: manifests };
    const strictly = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];
    await server().kubectl(strictly, JSON.stringify(list));
    const enforced = "pod-security.kubernetes.io/enforce=restricted";
    await server().kubectl(["label", "namespace", "team-b", enforced]);
    const { metadata, spec } = find(manifests, "Deployment").spec.template;
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, name: "one" }, spec };
    const dryRun = ["create", "--dry-run=server", "-n", "team-b", "-f", "-"];
    await server().kubectl(dryRun, JSON.stringify(pod));
  });

  it(
    "may watch what its API shows, ask who callers are, and nothing more",
    { timeout: QUESTIONS_TIMEOUT_MS },
    async () => {
      const where = [CHART, "-n", RELEASE_NAMESPACE, "--kubeconfig", server().kubeconfig];
      const api = ["--set", "gateway.api.enabled=true"];
      await run(helm(), ["install", "omnia", ...where, ...ENABLED, ...api]);
      const may = async (as: string, verb: string, resource: string, ...flags: string[]) =>
        (
          await server()
            .kubectl(["auth", "can-i", verb, resource, `--as=${as}`, "-n", "team-a", ...flags])
            .catch(({ stdout }: { stdout: string }) => stdout)
        )
          .trim()
          .startsWith("yes");
      for (const [verb, resource, expected] of [
        ["list", "agentruntimes.omnia.altairalabs.ai", true],
        ["watch", "endpointslices.discovery.k8s.io", true],
        ["create", "tokenreviews.authentication.k8s.io", true],
        ["create", "subjectaccessreviews.authorization.k8s.io", true],
        ["patch", "agentruntimes.omnia.altairalabs.ai", false],
        ["get", "secrets", false],
        ["watch", "promptpacks.omnia.altairalabs.ai", true],
        ["list", "pods", true],
        ["watch", "events", true],
        ["get", "configmaps", true],
        ["watch", "configmaps", false],
        ["patch", "configmaps", false],
        ["get", "pods/log", false],
        ["create", "pods", false],
        ["create", "events", false],
        ["impersonate", "users", false],
      ] as const) {
        expect([verb, resource, await may(GATEWAY_ACCOUNT, verb, resource)]).toEqual([
          verb,
          resource,
          expected,
        ]);
      }
      // Who may look at agents may not read what people say to them.
      for (const [role, ...allowed] of [
        ["view"],
        ["edit", "create chat"],
        ["sessions", "get sessions", "list sessions", "watch sessions"],
        ["admin", "create sessions", "delete sessions", "create toolcalls"],
      ] as const) {
        const binding = `rolebinding/${role}`;
        const created = [`--clusterrole=omnia-${role}`, `--user=${role}`, "-n", "team-a"];
        await server().kubectl(["create", ...binding.split("/"), ...created]);
        const rights = [];
        for (const subresource of ["chat", "sessions", "toolcalls"]) {
          for (const verb of ["get", "list", "watch", "create", "delete"]) {
            const flag = `--subresource=${subresource}`;
            const resource = "agentruntimes.omnia.altairalabs.ai";
            if (await may(role, verb, resource, flag)) rights.push(`${verb} ${subresource}`);
          }
        }
        expect({ [role]: rights }).toEqual({ [role]: allowed });
      }
    },
  );

  it("may stand beside that of another release of the same name, which is for other namespaces", async () => {
    const shared = ["--set", "crds.install=false,rbac.aggregateToUserRoles=false"];
    for (const namespace of ["team-a", "team-b"]) {
      const flags = `watchNamespaces={${namespace}},gateway.api.enabled=true`;
      const where = [CHART, "-n", namespace, "--kubeconfig", server().kubeconfig];
      const values = [...ENABLED, "--set", flags, ...shared];
      const { stdout } = await run(helm(), ["install", "omnia", ...where, ...values]);
      expect(stdout).toContain("STATUS: deployed");
      const subject = `--as=system:serviceaccount:${namespace}:omnia-gateway`;
      const asked = ["auth", "can-i", "create", "tokenreviews.authentication.k8s.io", subject];
      expect((await server().kubectl(asked)).trim()).toBe("yes");
    }
  });
});
