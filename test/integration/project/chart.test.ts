/** The Helm chart: what it renders, what it refuses, and that a real API server takes it and holds the operator to its rights. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import packageJSON from "../../../package.json" with { type: "json" };
import { chartFiles } from "../../../charts/generate.ts";
import { LEASE_NAME } from "../../../src/operator/cluster/labels.ts";
import { ADMISSION_POLICY } from "../../../src/operator/admission-policy.ts";
import {
  CLUSTER_RULES,
  SECRET_RULES,
  WATCHED_NAMESPACE_RULES,
} from "../../../src/operator/permissions.ts";
import { readNetworkPolicy } from "../../../src/cli/operator/read-network-policy.ts";
import {
  CHART,
  findHelm,
  type Manifest,
  MAX_OUTPUT_BYTES,
  OPERATOR_ACCOUNT,
  RELEASE_NAMESPACE,
  renderChart,
} from "../../support/kubernetes/helm-chart.ts";
import {
  KUBE_API_SERVER_TIMEOUT_MS,
  startKubeAPIServer,
} from "../../support/kubernetes/kube-api-server.ts";
import { installKeda, removeKeda } from "../../support/kubernetes/keda-kind.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

const run = promisify(execFile);
const GRANTED = [...WATCHED_NAMESPACE_RULES, ...SECRET_RULES.watch, ...CLUSTER_RULES];

const helm = forAllTests(() => findHelm(), undefined, KUBE_API_SERVER_TIMEOUT_MS);
const server = forAllTests(
  () => startKubeAPIServer(),
  (server) => server.stop(),
  KUBE_API_SERVER_TIMEOUT_MS,
);
beforeAll(async () => {
  for (const name of [RELEASE_NAMESPACE, "team-a", "team-b", "elsewhere"]) {
    await server().kubectl(["create", "namespace", name]);
  }
});

const rendered = (...flags: string[]): Promise<Manifest[]> => renderChart(helm(), ...flags);

function find(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  return manifests.find(
    (manifest) => manifest.kind === kind && (name === undefined || manifest.metadata.name === name),
  );
}

async function helmWith(...args: string[]): Promise<string> {
  const { stdout } = await run(helm(), [...args, "--kubeconfig", server().kubeconfig], {
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  return stdout;
}

async function refusal(...flags: string[]): Promise<string> {
  return await rendered(...flags).then(
    () => "",
    (error: { stderr: string }) => error.stderr,
  );
}

describe("the chart's files", () => {
  it("are those that the sources make", async () => {
    const made = await Promise.all(
      [...chartFiles().keys()].map(async (path) => [
        path,
        await readFile(join(CHART, "files", path), "utf8"),
      ]),
    );
    expect(Object.fromEntries(made)).toEqual(Object.fromEntries(chartFiles()));
    const there = await readdir(join(CHART, "files"), { recursive: true });
    const files = there.filter((path) => path.endsWith(".yaml"));
    expect(files.toSorted()).toEqual([...chartFiles().keys()].toSorted());
  });

  it("carry the version of the program", () => {
    const chart = readFileSync(join(CHART, "Chart.yaml"), "utf8");
    expect(chart).toContain(`\nversion: ${packageJSON.version}\n`);
    expect(chart).toContain(`\nappVersion: ${packageJSON.version}\n`);
  });

  it("pass Helm's own check", async () => {
    await expect(run(helm(), ["lint", "--strict", CHART])).resolves.toBeDefined();
  });
});

describe("what the chart renders", () => {
  it("is two operators with restricted pods, of which one leads, for every namespace", async () => {
    const manifests = await rendered();
    const { spec } = find(manifests, "Deployment");
    expect(spec.replicas).toBe(2);
    const { containers, securityContext } = spec.template.spec;
    expect(securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(containers[0]).toMatchObject({
      image: `omnia:${packageJSON.version}`,
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
      readinessProbe: { httpGet: { path: "/readyz" } },
      livenessProbe: { httpGet: { path: "/healthz" } },
    });
    expect(containers[0].args).toContain(`--agent-image=omnia:${packageJSON.version}`);
    expect(containers[0].args.join(" ")).not.toContain("--namespace");
    expect(find(manifests, "PodDisruptionBudget").spec.maxUnavailable).toBe(1);
    expect(find(manifests, "Service").spec.ports).toEqual([
      { name: "metrics", port: 8081, targetPort: "metrics" },
    ]);
    expect(find(manifests, "ClusterRole", "omnia-operator").rules).toEqual(GRANTED);
    expect(find(manifests, "ClusterRoleBinding")).toBeDefined();
  });

  it("is roles in the watched namespaces, and no cluster role for the operator, when it is bound to some", async () => {
    const manifests = await rendered("--set", "watchNamespaces={team-a,team-b}");
    expect(find(manifests, "ClusterRoleBinding")).toBeUndefined();
    expect(find(manifests, "ClusterRole", "omnia-operator")).toBeUndefined();
    const roles = manifests.filter(
      ({ kind, metadata }) => kind === "Role" && metadata.name === "omnia-operator",
    );
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(["team-a", "team-b"]);
    const { args } = find(manifests, "Deployment").spec.template.spec.containers[0];
    expect(args).toEqual(expect.arrayContaining(["--namespace=team-a", "--namespace=team-b"]));
  });

  it("has no right to list or watch Secrets when they are read by their names", async () => {
    const manifests = await rendered("--set", "rbac.secrets=Get");
    const { rules } = find(manifests, "ClusterRole", "omnia-operator");
    expect(rules).toEqual([...WATCHED_NAMESPACE_RULES, ...SECRET_RULES.get, ...CLUSTER_RULES]);
    const ofSecrets = rules.filter(({ resources }: Manifest) => resources.includes("secrets"));
    expect(ofSecrets.map(({ verbs }: Manifest) => verbs)).toEqual([["get"]]);
    const { args } = find(manifests, "Deployment").spec.template.spec.containers[0];
    expect(args).toContain("--secrets=get");
  });

  it("is a NetworkPolicy for the operator, and the rules of those that it makes, unless they are turned off", async () => {
    const manifests = await rendered();
    expect(find(manifests, "NetworkPolicy").spec).toEqual({
      podSelector: find(manifests, "Deployment").spec.selector,
      policyTypes: ["Ingress"],
      ingress: [],
    });
    const argumentOf = (of: Manifest[]): string | undefined =>
      find(of, "Deployment").spec.template.spec.containers[0].args.find((argument: string) =>
        argument.startsWith("--network-policy="),
      );
    // The operator asks replicas that are not ready why.
    const operator = {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": RELEASE_NAMESPACE } },
      podSelector: find(manifests, "Deployment").spec.selector,
    };
    expect(readNetworkPolicy(argumentOf(manifests)?.split("=")[1] ?? "")).toEqual({
      managementFrom: [operator],
      ingress: [],
      egress: [],
    });

    const monitoring = { namespaceSelector: { matchLabels: { "a/b": "c" } } };
    const egress = [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }];
    const named = await rendered(
      "--set-json",
      `networkPolicy.managementFrom=${JSON.stringify([monitoring])}`,
      "--set-json",
      `networkPolicy.agents.egress=${JSON.stringify(egress)},networkPolicy.operator.egress=${JSON.stringify(egress)}`,
    );
    expect(find(named, "NetworkPolicy").spec).toMatchObject({
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: [monitoring], ports: [{ protocol: "TCP", port: 8081 }] }],
      egress,
    });
    expect(readNetworkPolicy(argumentOf(named)?.split("=")[1] ?? "")).toEqual({
      managementFrom: [monitoring, operator],
      ingress: [],
      egress,
    });

    const without = await rendered("--set", "networkPolicy.enabled=false");
    expect(find(without, "NetworkPolicy")).toBeUndefined();
    expect(argumentOf(without)).toBeUndefined();
  });

  it("is a policy that holds the operator's account to its own objects, where the API server knows such policies", async () => {
    const policyOf = async (...flags: string[]): Promise<Manifest> =>
      find(await rendered(...flags), "ValidatingAdmissionPolicy");
    const { metadata, spec } = await policyOf();
    expect(metadata.name).toBe(`omnia-operator.${RELEASE_NAMESPACE}`);
    expect(spec).toEqual({
      ...ADMISSION_POLICY,
      matchConditions: [
        { name: "operator", expression: `request.userInfo.username == '${OPERATOR_ACCOUNT}'` },
      ],
    });
    const binding = find(await rendered(), "ValidatingAdmissionPolicyBinding");
    expect(binding.spec).toEqual({
      policyName: metadata.name,
      validationActions: ["Deny"],
    });
    expect((await policyOf("--set", "serviceAccount.name=mine")).spec.matchConditions).toEqual([
      {
        name: "operator",
        expression: `request.userInfo.username == 'system:serviceaccount:${RELEASE_NAMESPACE}:mine'`,
      },
    ]);
    expect(await policyOf("--set", "admissionPolicy.enabled=false")).toBeUndefined();
    expect(await policyOf("--kube-version", "1.29.0")).toBeUndefined();
  });

  it("has CustomResourceDefinitions that stay when it is uninstalled, or none", async () => {
    const kept = (await rendered()).filter(({ kind }) => kind === "CustomResourceDefinition");
    expect(kept.map(({ metadata }) => metadata.annotations["helm.sh/resource-policy"])).toEqual([
      "keep",
      "keep",
      "keep",
    ]);
    const without = await rendered("--set", "crds.install=false");
    expect(find(without, "CustomResourceDefinition")).toBeUndefined();
  });

  it("carries the labels, the image, the resources and the settings that are asked for", async () => {
    const manifests = await rendered(
      "--set",
      "commonLabels.team=platform,podLabels.tier=control",
      "--set",
      "image.repository=example.com/omnia,image.tag=v9,image.pullSecrets={pull}",
      "--set",
      "agent.image=agents:1,agent.pullPolicy=Always",
      "--set",
      "agent.defaults.resources=null,agent.defaults.priorityClassName=agents",
      "--set",
      "resources.limits.memory=1Gi,heapMegabytes=700,kubeAPI.qps=20,kubeAPI.burst=40",
      "--set",
      "replicas=1,logLevel=debug,workers=3,resync=1h",
      "--set",
      "crossNamespaceReferences=Granted,allowedBaseURLHosts={llm.example.com,*.models.svc},allowedImages={agents:1},allowedToolNetworks={10.1.0.0/16,fd12::/16}",
      "--set",
      "nodeSelector.disk=ssd,tolerations[0].operator=Exists",
      "--set",
      "extraEnv[0].name=HTTPS_PROXY,extraEnv[0].value=http://outbound.example.com",
    );
    for (const { kind, metadata } of manifests) {
      expect(metadata.labels, `${kind} ${metadata.name}`).toMatchObject({ team: "platform" });
    }
    expect(find(manifests, "PodDisruptionBudget")).toBeUndefined();
    const { template } = find(manifests, "Deployment").spec;
    expect(template.metadata.labels).toMatchObject({ team: "platform", tier: "control" });
    expect(template.spec).toMatchObject({
      imagePullSecrets: [{ name: "pull" }],
      nodeSelector: { disk: "ssd" },
      tolerations: [{ operator: "Exists" }],
    });
    const [container] = template.spec.containers;
    expect(container.image).toBe("example.com/omnia:v9");
    expect(container.args).toEqual([
      "operator",
      "--agent-image=agents:1",
      "--agent-image-pull-policy=Always",
      '--agent-defaults={"priorityClassName":"agents"}',
      "--cross-namespace-references=Granted",
      "--allowed-base-url-hosts=llm.example.com,*.models.svc",
      "--allowed-images=agents:1",
      "--allowed-tool-networks=10.1.0.0/16,fd12::/16",
      "--secrets=watch",
      expect.stringMatching(/^--network-policy=\{/),
      "--kube-api-qps=20",
      "--kube-api-burst=40",
      "--workers=3",
      "--resync=1h",
    ]);
    expect(container.resources.limits.memory).toBe("1Gi");
    expect(container.env).toEqual(
      expect.arrayContaining([
        { name: "LOG_LEVEL", value: "debug" },
        { name: "NODE_OPTIONS", value: "--max-old-space-size=700 --max-semi-space-size=4" },
        { name: "HTTPS_PROXY", value: "http://outbound.example.com" },
      ]),
    );
  });

  it("names the image by its digest, for the operator and for agents, whatever the tag says", async () => {
    const digest = `sha256:${"0a".repeat(32)}`;
    const imagesWith = async (...flags: string[]): Promise<string[]> => {
      const manifests = await rendered("--set", `image.tag=v9,image.digest=${digest}`, ...flags);
      const [container] = find(manifests, "Deployment").spec.template.spec.containers;
      return [container.image, ...container.args.filter((one: string) => /agent-image=/.test(one))];
    };
    expect(await imagesWith()).toEqual([`omnia@${digest}`, `--agent-image=omnia@${digest}`]);
    expect(await imagesWith("--set", "agent.image=agents:1")).toEqual([
      `omnia@${digest}`,
      "--agent-image=agents:1",
    ]);
  });

  it("keeps the labels that selectors and Helm go by, whatever labels are asked for", async () => {
    const clash = "app\\.kubernetes\\.io/name=other";
    const manifests = await rendered(
      "--set",
      `commonLabels.${clash},podLabels.${clash}`,
      "--set",
      `metrics.serviceMonitor.enabled=true,metrics.serviceMonitor.labels.${clash}`,
    );
    const { selector, template } = find(manifests, "Deployment").spec;
    expect(selector.matchLabels["app.kubernetes.io/name"]).toBe("omnia");
    for (const labelled of [template, ...manifests]) {
      expect(labelled.metadata.labels).toMatchObject({ "app.kubernetes.io/name": "omnia" });
    }
  });

  it("has a variable of the environment once, as extraEnv says it", async () => {
    const flags = "extraEnv[0].name=NODE_OPTIONS,extraEnv[0].value=--max-old-space-size=99";
    const [container] = find(await rendered("--set", flags), "Deployment").spec.template.spec
      .containers;
    expect(container.env).toEqual([
      expect.objectContaining({ name: "POD_NAMESPACE" }),
      expect.objectContaining({ name: "POD_NAME" }),
      expect.objectContaining({ name: "POD_UID" }),
      { name: "LOG_LEVEL", value: "info" },
      { name: "NODE_OPTIONS", value: "--max-old-space-size=99" },
    ]);
  });

  it("names things within the limits of Kubernetes, and writes large numbers out", async () => {
    const manifests = await rendered(
      "--set",
      `fullnameOverride=${"o".repeat(80)}`,
      "--set-json",
      "heapMegabytes=1048576",
    );
    expect(find(manifests, "Service").metadata.name).toHaveLength(63);
    const { env } = find(manifests, "Deployment").spec.template.spec.containers[0];
    const value = "--max-old-space-size=1048576 --max-semi-space-size=4";
    expect(env).toContainEqual({ name: "NODE_OPTIONS", value });
  });

  it("has the Service that a ServiceMonitor looks for", async () => {
    const manifests = await rendered(
      "--set",
      "metrics.service.enabled=false,metrics.serviceMonitor.enabled=true",
    );
    expect(find(manifests, "Service").metadata.labels).toMatchObject(
      find(manifests, "ServiceMonitor").spec.selector.matchLabels,
    );
  });

  it.each([
    ["a value that there is not", "replicaCount=3", "replicaCount"],
    ["a word where a number is wanted", "replicas=many", "/replicas"],
    ["a level of logging that there is not", "logLevel=loud", "/logLevel"],
    ["a name that no namespace can have", "watchNamespaces={Team}", "/watchNamespaces/0"],
    ["no requests at all", "kubeAPI.qps=0", "/kubeAPI/qps"],
    ["a value that was taken away", "kubeAPI=null", "'kubeAPI'"],
    ["a peer that names nobody", "networkPolicy.managementFrom[0].pods=a", "/networkPolicy"],
    ["another way to know Secrets", "rbac.secrets=List", "/rbac/secrets"],
    ["what is no digest of an image", "image.digest=sha256:abc", "/image/digest"],
    ["a name that nothing can have", "fullnameOverride=My_Omnia", "/fullnameOverride"],
  ])("refuses %s, and names it", async (_what, value, named) => {
    expect((await refusal("--set", value)).replaceAll(".", "/")).toContain(named);
  });
});

describe("on a real API server", () => {
  it("installs, upgrades the kinds, and leaves them and the agents behind when it is uninstalled", async () => {
    const notes = await helmWith("install", "omnia", CHART, "-n", RELEASE_NAMESPACE);
    expect(notes).toContain("kubectl apply -f -");
    expect(notes).toContain("omnia chat quickstart");
    const name = "agentruntimes.omnia.altairalabs.ai";
    // What an older version of the chart had.
    const schema = "/spec/versions/0/schema/openAPIV3Schema/description";
    const older = JSON.stringify([{ op: "replace", path: schema, value: "older" }]);
    await server().kubectl(["patch", "crd", name, "--type=json", "-p", older]);
    await helmWith("upgrade", "omnia", CHART, "-n", RELEASE_NAMESPACE, "--set", "logLevel=debug");
    const at = "jsonpath={.spec.versions[0].schema.openAPIV3Schema.description}";
    expect(await server().kubectl(["get", "crd", name, "-o", at])).not.toBe("older");
    await server().kubectl(["wait", "--for=condition=Established", `crd/${name}`]);
    const agent = {
      apiVersion: "omnia.altairalabs.ai/v1alpha1",
      kind: "AgentRuntime",
      metadata: { name: "kept", namespace: "team-a" },
      spec: { facade: { type: "websocket", handler: "demo" } },
    };
    await server().kubectl(["apply", "-f", "-"], JSON.stringify(agent));
    await helmWith("uninstall", "omnia", "-n", RELEASE_NAMESPACE);
    const left = await server().kubectl(["get", "agentruntimes", "-A", "-o", "name"]);
    expect(left.trim()).toBe("agentruntime.omnia.altairalabs.ai/kept");
    await helmWith("install", "omnia", CHART, "-n", RELEASE_NAMESPACE);
    await helmWith("uninstall", "omnia", "-n", RELEASE_NAMESPACE);
  });

  it("takes over kinds that somebody else brought, when it is told to", async () => {
    // What a release of another name leaves behind.
    const other = "meta.helm.sh/release-name=other";
    await server().kubectl(["annotate", "crd", "--all", "--overwrite", other]);
    const install = ["install", "omnia", CHART, "-n", RELEASE_NAMESPACE];
    await expect(helmWith(...install)).rejects.toThrow(/exists and cannot be imported/);
    await helmWith(...install, "--take-ownership");
    await helmWith("uninstall", "omnia", "-n", RELEASE_NAMESPACE);
  });

  it("knows every field that the chart can set", async () => {
    const manifests = await rendered(
      "--set",
      "watchNamespaces={team-a},commonLabels.team=platform,podLabels.tier=control",
      "--set",
      "podAnnotations.note=yes,metrics.service.annotations.note=yes",
      "--set",
      "serviceAccount.annotations.note=yes,priorityClassName=system-cluster-critical",
      "--set",
      "image.pullSecrets={pull},agent.image=agents:1,agent.pullPolicy=Never",
      "--set",
      "nodeSelector.disk=ssd,tolerations[0].operator=Exists",
      "--set",
      "affinity.podAntiAffinity=null,affinity.nodeAffinity=null",
      "--set-json",
      'networkPolicy.managementFrom=[{"namespaceSelector":{"matchLabels":{"a":"b"}}}]',
      "--set-json",
      'networkPolicy.operator.ingress=[{}],networkPolicy.operator.egress=[{"ports":[{"port":443}]}]',
      "--set",
      "extraEnv[0].name=HTTPS_PROXY,extraEnv[0].value=proxy",
    );
    const list = { apiVersion: "v1", kind: "List", items: manifests };
    const strictly = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];
    await server().kubectl(strictly, JSON.stringify(list));
  });

  it("lets its pods into a namespace under the restricted standard of pod security", async () => {
    const enforced = "pod-security.kubernetes.io/enforce=restricted";
    await server().kubectl(["label", "namespace", "elsewhere", enforced]);
    const { metadata, spec } = find(await rendered(), "Deployment").spec.template;
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, name: "one" }, spec };
    const dryRun = ["create", "--dry-run=server", "-n", "elsewhere", "-f", "-"];
    await server().kubectl(dryRun, JSON.stringify(pod));
    // The standard is held to here: what it forbids is refused.
    spec.hostNetwork = true;
    await expect(server().kubectl(dryRun, JSON.stringify(pod))).rejects.toThrow(/host namespaces/);
  });

  const mayDo = async (verb: string, resource: string, ...flags: string[]): Promise<boolean> =>
    (
      await server()
        .kubectl(["auth", "can-i", verb, resource, `--as=${OPERATOR_ACCOUNT}`, ...flags])
        .catch(({ stdout }: { stdout: string }) => stdout)
    )
      .trim()
      .startsWith("yes");

  async function withRoles(flags: readonly string[], check: () => Promise<void>): Promise<void> {
    await helmWith("install", "omnia", CHART, "-n", RELEASE_NAMESPACE, ...flags);
    try {
      await check();
    } finally {
      await helmWith("uninstall", "omnia", "-n", RELEASE_NAMESPACE);
    }
  }

  /** Each with the flags of `kubectl auth can-i`. */
  const QUESTIONS = GRANTED.flatMap(({ apiGroups, resources, resourceNames, verbs }) =>
    resources.flatMap((resource) => {
      const [name = "", subresource] = resource.split("/");
      const group = apiGroups[0] === "" ? name : `${name}.${apiGroups[0]}`;
      const what = resourceNames === undefined ? group : `${group}/${resourceNames[0]}`;
      const flags = subresource === undefined ? [] : [`--subresource=${subresource}`];
      return verbs.map((verb) => ({ verb, what, flags }));
    }),
  );

  it("the operator may do in every namespace what it does, and not more", async () => {
    // kubectl asks for no kind that it does not know.
    await installKeda(server());
    onTestFinished(() => removeKeda(server()));
    await withRoles([], async () => {
      for (const { verb, what, flags } of QUESTIONS) {
        const may = await mayDo(verb, what, ...flags, "-n", "elsewhere");
        expect({ verb, what, flags, may }).toMatchObject({ may: true });
      }
      const lease = `leases.coordination.k8s.io/${LEASE_NAME}`;
      expect(await mayDo("update", lease, "-n", RELEASE_NAMESPACE)).toBe(true);
      for (const [verb, resource] of [
        ["create", "secrets"],
        ["delete", "secrets"],
        ["delete", "pods"],
        ["create", "pods"],
        ["delete", "agentruntimes.omnia.altairalabs.ai"],
        ["create", "agentruntimes.omnia.altairalabs.ai"],
        ["update", "agentruntimes.omnia.altairalabs.ai"],
        ["get", "leases.coordination.k8s.io"],
        ["delete", "deployments.apps"],
        ["create", "clusterroles.rbac.authorization.k8s.io"],
        ["update", "leases.coordination.k8s.io"],
        ["get", "nodes"],
        ["impersonate", "users"],
        ["escalate", "roles.rbac.authorization.k8s.io"],
        ["bind", "clusterroles.rbac.authorization.k8s.io"],
        ["create", "leases.coordination.k8s.io"],
        ["create", "serviceaccounts/token"],
      ] as const) {
        expect(await mayDo(verb, resource, "-n", "elsewhere"), `${verb} ${resource}`).toBe(false);
      }
    });
  });

  it("bound to namespaces, the operator sees nothing of the others", async () => {
    await withRoles(["--set", "watchNamespaces={team-a}"], async () => {
      expect(await mayDo("list", "secrets", "-n", "team-a")).toBe(true);
      for (const resource of ["secrets", "configmaps", "agentruntimes.omnia.altairalabs.ai"]) {
        expect({ [resource]: await mayDo("list", resource, "-n", "team-b") }).toEqual({
          [resource]: false,
        });
      }
    });
  });

  it("people who may edit in a namespace may edit agents there, and who may view may view them", async () => {
    await withRoles([], async () => {
      // Aggregation is the work of a controller; what it goes by is on the roles.
      const labels = "jsonpath={.metadata.labels}";
      const edit = await server().kubectl(["get", "clusterrole", "omnia-edit", "-o", labels]);
      expect(JSON.parse(edit)).toMatchObject({
        "rbac.authorization.k8s.io/aggregate-to-edit": "true",
        "rbac.authorization.k8s.io/aggregate-to-admin": "true",
      });
      const view = await server().kubectl(["get", "clusterrole", "omnia-view", "-o", labels]);
      expect(JSON.parse(view)).toMatchObject({
        "rbac.authorization.k8s.io/aggregate-to-view": "true",
      });
    });
  });
});
