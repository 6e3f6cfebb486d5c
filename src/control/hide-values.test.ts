import { describe, expect, it } from "vitest";
import { processorTime } from "../../test/support/builders/processor-time.ts";
import { agentRuntimeSchema } from "../api/agent-runtime.ts";
import { promptPackSchema } from "../api/prompt-pack.ts";
import { structuralSchema, type StructuralSchema } from "../api/structural-schema.ts";
import { toolRegistrySchema } from "../api/tool-registry.ts";
import { HIDDEN, hideInText, hideInURL, hideValues } from "./hide-values.ts";

const SECRET = "5ecret";

/** A resource that holds this text at the path, and nothing else. */
function withTextAt(path: readonly string[], text: string): unknown {
  return path.reduceRight<unknown>((value, field) => {
    if (field === "[]") return [value];
    return { [field]: value };
  }, text);
}

/** The paths of all texts that the schema knows. `[]` stands for the items of a list, and `<key>` for an entry of a map. */
function textsOf(schema: StructuralSchema, path: readonly string[] = []): string[][] {
  const { type, properties = {}, additionalProperties, items } = schema;
  if (items !== undefined) return textsOf(items, [...path, "[]"]);
  if (additionalProperties !== undefined) return textsOf(additionalProperties, [...path, "<key>"]);
  if (type === "object") {
    return Object.entries(properties).flatMap(([name, field]) => textsOf(field, [...path, name]));
  }
  const isChoice = Array.isArray(schema["enum"]);
  const isText = type === "string" || schema["x-kubernetes-int-or-string"] === true;
  return isText && !isChoice ? [[...path]] : [];
}

const shapes = {
  AgentRuntime: agentRuntimeSchema,
  PromptPack: promptPackSchema,
  ToolRegistry: toolRegistrySchema,
};

function judgedTexts(
  kind: keyof typeof shapes,
  text: string,
): { hidden: string[]; shown: string[] } {
  const { spec, status } = shapes[kind].shape;
  const paths = [
    // Labels of nodes and pods are all that stands in an affinity.
    ...textsOf(structuralSchema(spec), ["spec"]).filter(([, field]) => field !== "affinity"),
    ...textsOf(structuralSchema(status.unwrap()), ["status"]),
  ];
  const isHidden = (path: readonly string[]): boolean => {
    const resource = { kind, ...(withTextAt(path, text) as object) };
    return !JSON.stringify(hideValues(resource)).includes(SECRET);
  };
  const names = (wanted: boolean): string[] =>
    paths.filter((path) => isHidden(path) === wanted).map((path) => path.join("."));
  return { hidden: names(true), shown: names(false) };
}

describe("hideValues", () => {
  it("hides each text that may be a credential, and shows each other one", () => {
    const plain = (kind: keyof typeof shapes) => judgedTexts(kind, SECRET);
    expect({
      agent: plain("AgentRuntime").hidden,
      pack: plain("PromptPack").hidden,
      registry: plain("ToolRegistry").hidden,
    }).toMatchInlineSnapshot(`
      {
        "agent": [
          "spec.promptPackRef.variables.<key>",
          "spec.env.[].value",
          "spec.autoscaling.keda.triggers.[].metadata.<key>",
          "spec.podTemplate.annotations.<key>",
          "spec.podTemplate.volumes.[].csi.volumeAttributes.<key>",
          "spec.podTemplate.sidecars.[].command.[]",
          "spec.podTemplate.sidecars.[].args.[]",
          "spec.podTemplate.sidecars.[].env.[].value",
          "spec.podTemplate.sidecars.[].startupProbe.exec.command.[]",
          "spec.podTemplate.sidecars.[].readinessProbe.exec.command.[]",
          "spec.podTemplate.sidecars.[].livenessProbe.exec.command.[]",
        ],
        "pack": [],
        "registry": [
          "spec.tools.[].headers.<key>",
          "spec.tools.[].mcp.command.[]",
          "spec.tools.[].mcp.env.<key>",
        ],
      }
    `);
    expect(plain("AgentRuntime").shown).toMatchInlineSnapshot(`
      [
        "spec.provider.model",
        "spec.provider.apiKeySecretRef.name",
        "spec.provider.apiKeySecretRef.key",
        "spec.provider.baseURL",
        "spec.provider.parameters.stopSequences.[]",
        "spec.provider.prices.currency",
        "spec.providerSecretRef.name",
        "spec.providerSecretRef.key",
        "spec.promptPackRef.name",
        "spec.promptPackRef.namespace",
        "spec.promptPackRef.prompt",
        "spec.toolRegistryRef.name",
        "spec.toolRegistryRef.namespace",
        "spec.toolRegistryRef.credentials.[].tool",
        "spec.toolRegistryRef.credentials.[].secretRef.name",
        "spec.toolRegistryRef.credentials.[].secretRef.key",
        "spec.facade.allowedOrigins.[]",
        "spec.facade.auth.jwt.issuer",
        "spec.facade.auth.jwt.jwksUri",
        "spec.facade.auth.jwt.audiences.[]",
        "spec.facade.auth.jwt.requiredClaims.<key>",
        "spec.facade.auth.apiKeysSecretRef.name",
        "spec.session.ttl",
        "spec.session.storeRef.name",
        "spec.session.storeRef.key",
        "spec.resources.limits.<key>",
        "spec.resources.requests.<key>",
        "spec.resources.claims.[].name",
        "spec.resources.claims.[].request",
        "spec.env.[].name",
        "spec.env.[].valueFrom.configMapKeyRef.name",
        "spec.env.[].valueFrom.configMapKeyRef.key",
        "spec.env.[].valueFrom.secretKeyRef.name",
        "spec.env.[].valueFrom.secretKeyRef.key",
        "spec.env.[].valueFrom.fieldRef.apiVersion",
        "spec.env.[].valueFrom.fieldRef.fieldPath",
        "spec.env.[].valueFrom.resourceFieldRef.containerName",
        "spec.env.[].valueFrom.resourceFieldRef.resource",
        "spec.env.[].valueFrom.resourceFieldRef.divisor",
        "spec.autoscaling.keda.triggers.[].type",
        "spec.nodeSelector.<key>",
        "spec.tolerations.[].key",
        "spec.tolerations.[].value",
        "spec.image",
        "spec.imagePullSecrets.[].name",
        "spec.podTemplate.labels.<key>",
        "spec.podTemplate.priorityClassName",
        "spec.podTemplate.serviceAccountName",
        "spec.podTemplate.topologySpreadConstraints.[].topologyKey",
        "spec.podTemplate.topologySpreadConstraints.[].labelSelector.matchLabels.<key>",
        "spec.podTemplate.topologySpreadConstraints.[].labelSelector.matchExpressions.[].key",
        "spec.podTemplate.topologySpreadConstraints.[].labelSelector.matchExpressions.[].values.[]",
        "spec.podTemplate.topologySpreadConstraints.[].matchLabelKeys.[]",
        "spec.podTemplate.volumes.[].name",
        "spec.podTemplate.volumes.[].configMap.name",
        "spec.podTemplate.volumes.[].configMap.items.[].key",
        "spec.podTemplate.volumes.[].configMap.items.[].path",
        "spec.podTemplate.volumes.[].secret.secretName",
        "spec.podTemplate.volumes.[].secret.items.[].key",
        "spec.podTemplate.volumes.[].secret.items.[].path",
        "spec.podTemplate.volumes.[].emptyDir.sizeLimit",
        "spec.podTemplate.volumes.[].persistentVolumeClaim.claimName",
        "spec.podTemplate.volumes.[].projected.sources.[].configMap.name",
        "spec.podTemplate.volumes.[].projected.sources.[].configMap.items.[].key",
        "spec.podTemplate.volumes.[].projected.sources.[].configMap.items.[].path",
        "spec.podTemplate.volumes.[].projected.sources.[].secret.name",
        "spec.podTemplate.volumes.[].projected.sources.[].secret.items.[].key",
        "spec.podTemplate.volumes.[].projected.sources.[].secret.items.[].path",
        "spec.podTemplate.volumes.[].projected.sources.[].serviceAccountToken.path",
        "spec.podTemplate.volumes.[].projected.sources.[].serviceAccountToken.audience",
        "spec.podTemplate.volumes.[].csi.driver",
        "spec.podTemplate.volumes.[].csi.fsType",
        "spec.podTemplate.volumes.[].csi.nodePublishSecretRef.name",
        "spec.podTemplate.volumeMounts.[].name",
        "spec.podTemplate.volumeMounts.[].mountPath",
        "spec.podTemplate.volumeMounts.[].subPath",
        "spec.podTemplate.sidecars.[].name",
        "spec.podTemplate.sidecars.[].image",
        "spec.podTemplate.sidecars.[].env.[].name",
        "spec.podTemplate.sidecars.[].env.[].valueFrom.configMapKeyRef.name",
        "spec.podTemplate.sidecars.[].env.[].valueFrom.configMapKeyRef.key",
        "spec.podTemplate.sidecars.[].env.[].valueFrom.secretKeyRef.name",
        "spec.podTemplate.sidecars.[].env.[].valueFrom.secretKeyRef.key",
        "spec.podTemplate.sidecars.[].env.[].valueFrom.fieldRef.apiVersion",
        "spec.podTemplate.sidecars.[].env.[].valueFrom.fieldRef.fieldPath",
        "spec.podTemplate.sidecars.[].env.[].valueFrom.resourceFieldRef.containerName",
        "spec.podTemplate.sidecars.[].env.[].valueFrom.resourceFieldRef.resource",
        "spec.podTemplate.sidecars.[].env.[].valueFrom.resourceFieldRef.divisor",
        "spec.podTemplate.sidecars.[].ports.[].name",
        "spec.podTemplate.sidecars.[].resources.limits.<key>",
        "spec.podTemplate.sidecars.[].resources.requests.<key>",
        "spec.podTemplate.sidecars.[].resources.claims.[].name",
        "spec.podTemplate.sidecars.[].resources.claims.[].request",
        "spec.podTemplate.sidecars.[].volumeMounts.[].name",
        "spec.podTemplate.sidecars.[].volumeMounts.[].mountPath",
        "spec.podTemplate.sidecars.[].volumeMounts.[].subPath",
        "spec.podTemplate.sidecars.[].startupProbe.httpGet.path",
        "spec.podTemplate.sidecars.[].readinessProbe.httpGet.path",
        "spec.podTemplate.sidecars.[].livenessProbe.httpGet.path",
        "status.ready",
        "status.selector",
        "status.promptPackVersion",
        "status.endpoint",
        "status.conditions.[].type",
        "status.conditions.[].reason",
        "status.conditions.[].message",
        "status.conditions.[].lastTransitionTime",
      ]
    `);
    expect(plain("PromptPack").shown).toMatchInlineSnapshot(`
      [
        "spec.source.configMapRef.name",
        "spec.source.configMapRef.key",
        "spec.rollout.canary.steps.[].duration",
        "spec.rollout.canary.abortWhen.p95FirstChunk",
        "spec.rollout.evals.groups.[]",
        "spec.allowedNamespaces.selector.matchLabels.<key>",
        "spec.allowedNamespaces.selector.matchExpressions.[].key",
        "spec.allowedNamespaces.selector.matchExpressions.[].values.[]",
        "status.activeVersion",
        "status.activeSemver",
        "status.previousVersion",
        "status.canaryVersion",
        "status.canarySemver",
        "status.canaryStepSince",
        "status.canaryMessage",
        "status.abortedVersion",
        "status.abortedSemver",
        "status.abortedReason",
        "status.conditions.[].type",
        "status.conditions.[].reason",
        "status.conditions.[].message",
        "status.conditions.[].lastTransitionTime",
      ]
    `);
    expect(plain("ToolRegistry").shown).toMatchInlineSnapshot(`
      [
        "spec.tools.[].name",
        "spec.tools.[].url",
        "spec.tools.[].description",
        "spec.tools.[].selector.matchLabels.<key>",
        "spec.tools.[].selector.names.[]",
        "spec.tools.[].port",
        "spec.tools.[].timeout",
        "spec.tools.[].authSecretRef.name",
        "spec.tools.[].authSecretRef.key",
        "spec.tools.[].authHeader",
        "spec.tools.[].responseLimit",
        "spec.tools.[].allow.[]",
        "spec.tools.[].openapi.server",
        "spec.tools.[].grpc.descriptorSetRef.name",
        "spec.tools.[].grpc.descriptorSetRef.key",
        "spec.tools.[].grpc.services.[]",
        "spec.allowedNamespaces.selector.matchLabels.<key>",
        "spec.allowedNamespaces.selector.matchExpressions.[].key",
        "spec.allowedNamespaces.selector.matchExpressions.[].values.[]",
        "status.tools.[].name",
        "status.tools.[].type",
        "status.tools.[].endpoint",
        "status.tools.[].reason",
        "status.tools.[].message",
        "status.tools.[].server",
        "status.tools.[].hash",
        "status.conditions.[].type",
        "status.conditions.[].reason",
        "status.conditions.[].message",
        "status.conditions.[].lastTransitionTime",
      ]
    `);
  });

  it("hides what a URL holds beside its address, in each text that may be or hold a URL", () => {
    const url = `http://me:${SECRET}@host:80/path?key=${SECRET}&${SECRET}#${SECRET}`;
    const texts = (kind: keyof typeof shapes) => judgedTexts(kind, url).hidden;
    expect([...texts("AgentRuntime"), ...texts("PromptPack"), ...texts("ToolRegistry")])
      .toMatchInlineSnapshot(`
        [
          "spec.provider.baseURL",
          "spec.promptPackRef.variables.<key>",
          "spec.facade.auth.jwt.issuer",
          "spec.facade.auth.jwt.jwksUri",
          "spec.env.[].value",
          "spec.autoscaling.keda.triggers.[].metadata.<key>",
          "spec.podTemplate.annotations.<key>",
          "spec.podTemplate.volumes.[].csi.volumeAttributes.<key>",
          "spec.podTemplate.sidecars.[].command.[]",
          "spec.podTemplate.sidecars.[].args.[]",
          "spec.podTemplate.sidecars.[].env.[].value",
          "spec.podTemplate.sidecars.[].startupProbe.exec.command.[]",
          "spec.podTemplate.sidecars.[].readinessProbe.exec.command.[]",
          "spec.podTemplate.sidecars.[].livenessProbe.exec.command.[]",
          "status.conditions.[].message",
          "status.conditions.[].message",
          "spec.tools.[].url",
          "spec.tools.[].headers.<key>",
          "spec.tools.[].mcp.command.[]",
          "spec.tools.[].mcp.env.<key>",
          "status.tools.[].endpoint",
          "status.tools.[].reason",
          "status.tools.[].message",
          "status.conditions.[].message",
        ]
      `);
  });

  it("keeps the names of what it hides", () => {
    const agent = {
      kind: "AgentRuntime",
      metadata: {
        name: "bot",
        annotations: { "kubectl.kubernetes.io/last-applied-configuration": SECRET },
      },
      spec: {
        env: [
          { name: "DEBUG", value: SECRET },
          { name: "EMPTY", value: "" },
          { name: "KEY", valueFrom: { secretKeyRef: { name: "keys", key: "k" } } },
        ],
        promptPackRef: { name: "prompts", variables: { customer: SECRET } },
        provider: { baseURL: `https://models.example/v1?key=${SECRET}` },
      },
      status: { endpoint: "ws://localhost:8080/ws?agent=bot" },
    };
    expect(hideValues(agent)).toEqual({
      kind: "AgentRuntime",
      metadata: {
        name: "bot",
        annotations: { "kubectl.kubernetes.io/last-applied-configuration": HIDDEN },
      },
      spec: {
        env: [
          { name: "DEBUG", value: HIDDEN },
          { name: "EMPTY", value: HIDDEN },
          { name: "KEY", valueFrom: { secretKeyRef: { name: "keys", key: "k" } } },
        ],
        promptPackRef: { name: "prompts", variables: { customer: HIDDEN } },
        provider: { baseURL: `https://models.example/v1?key=${HIDDEN}` },
      },
      status: { endpoint: "ws://localhost:8080/ws?agent=bot" },
    });
    expect(agent.spec.env[0]).toEqual({ name: "DEBUG", value: SECRET });
  });
});

describe("hideInURL", () => {
  it.each([
    ["https://host/path", "https://host/path"],
    ["https://host/a@b", "https://host/a@b"],
    ["host:8080/call?key=1", "host:8080/call?key=(hidden)"],
    ["https://me@host", "https://(hidden)@host"],
    ["https://me:p@ss@host/x", "https://(hidden)@host/x"],
    ["me:pass@host:80", "(hidden)@host:80"],
    ["https://host?a=1&b==2&c", "https://host?a=(hidden)&b=(hidden)&(hidden)"],
    ["https://host/?a=x?y=z#f", "https://host/?a=(hidden)#(hidden)"],
    ["https://host/?#", "https://host/"],
    ["https://host/#a?b=c", "https://host/#(hidden)"],
  ])("writes %s as %s", (url, shown) => {
    expect(hideInURL(url)).toBe(shown);
  });
});

describe("hideInText", () => {
  it.each([
    ["Is it up? Then start it again.", "Is it up? Then start it again."],
    [
      'http://h/?k=a"b cannot be connected to: refused.',
      "http://h/?k=(hidden) cannot be connected to: refused.",
    ],
    ['Tool "x" at (h:80/c?k=v), which is down', 'Tool "x" at (h:80/c?k=(hidden)), which is down'],
    ["a?", "a?"],
    ["??", "??"],
    ["redis://me:pw@host:6379 refused", "redis://(hidden)@host:6379 refused"],
  ])("writes %s as %s", (text, shown) => {
    expect(hideInText(text)).toBe(shown);
  });

  it("takes no longer for a word without an end", () => {
    const started = processorTime();
    for (const part of ["a", "?", ":", "//", "@", "#"]) hideInText(part.repeat(100_000));
    expect(processorTime() - started).toBeLessThan(1_000);
  });
});
