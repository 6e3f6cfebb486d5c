import { describe, expect, it } from "vitest";
import type { EnvVar } from "../../api/fields/pod-fields.ts";
import { resolveEnvironment, type EnvironmentSources } from "./resolve-environment.ts";

const sources: EnvironmentSources = {
  name: "bot",
  namespace: "agents",
  configMap: (name) => (name === "settings" ? { timeout: "5s", empty: "" } : undefined),
  secret: (name) =>
    name === "keys"
      ? new Map([
          ["token", "s3cret"],
          ["binary", "s3\0cret"],
        ])
      : undefined,
};
const resolve = (...variables: EnvVar[]) =>
  resolveEnvironment(variables, sources, "/state/agents/bot");

describe("resolveEnvironment", () => {
  it("takes values from where they are", () => {
    const { variables, problems } = resolve(
      { name: "PLAIN", value: "1" },
      { name: "UNSET" },
      { name: "TIMEOUT", valueFrom: { configMapKeyRef: { name: "settings", key: "timeout" } } },
      { name: "EMPTY", valueFrom: { configMapKeyRef: { name: "settings", key: "empty" } } },
      { name: "TOKEN", valueFrom: { secretKeyRef: { name: "keys", key: "token" } } },
      { name: "NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
    );
    expect(problems).toEqual([]);
    expect(variables).toEqual({
      PLAIN: "1",
      UNSET: "",
      TIMEOUT: "5s",
      EMPTY: "",
      TOKEN: "s3cret",
      NAME: "bot",
      NAMESPACE: "agents",
    });
  });

  it("refuses a value that no process can be given, and does not show it", () => {
    const valueFrom = { secretKeyRef: { name: "keys", key: "binary" } };
    const { variables, problems } = resolve({ name: "A", valueFrom });
    expect(variables).toEqual({});
    expect(problems).toEqual(["env A: its source holds a null character, which no variable can"]);
  });

  it("leaves out what is missing and optional", () => {
    const { variables, problems } = resolve(
      { name: "A", valueFrom: { configMapKeyRef: { name: "none", key: "a", optional: true } } },
      { name: "B", valueFrom: { secretKeyRef: { name: "keys", key: "none", optional: true } } },
    );
    expect([variables, problems]).toEqual([{}, []]);
  });

  it("says what is missing, and the cure", () => {
    const { problems } = resolve(
      { name: "A", valueFrom: { configMapKeyRef: { name: "none", key: "a" } } },
      { name: "B", valueFrom: { secretKeyRef: { name: "keys", key: "none" } } },
      { name: "C", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
      { name: "D", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
    );
    expect(problems).toEqual([
      "env A: there is no ConfigMap none in namespace agents; add it to the files",
      "env B: Secret keys has no key none; add the key, or set optional: true",
      "env C: the field spec.nodeName has no value outside a cluster; metadata.name and metadata.namespace have",
      "env D: resourceFieldRef has no value outside a cluster; give a value",
    ]);
  });

  it("puts earlier variables in place of $(NAME), as Kubernetes does", () => {
    const { variables } = resolve(
      { name: "HOST", value: "db" },
      { name: "URL", value: "tcp://$(HOST):$(PORT)/$$(HOST)$" },
      { name: "PORT", value: "1" },
    );
    expect(variables["URL"]).toBe("tcp://db:$(PORT)/$(HOST)$");
  });

  it("leads the names of Omnia to the folder of this machine", () => {
    const { variables } = resolve(
      { name: "OMNIA_CONFIG", value: "/etc/omnia/agent.json" },
      { name: "OWN", value: "/etc/omnia/agent.json" },
    );
    expect(variables).toEqual({
      OMNIA_CONFIG: "/state/agents/bot/agent.json",
      OWN: "/etc/omnia/agent.json",
    });
  });
});
