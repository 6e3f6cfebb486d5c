import { describe, expect, it } from "vitest";
import { podTemplateSchema } from "../../../api/pod-template.ts";
import { mergePodTemplate, type MadePodTemplate } from "./merge-pod-template.ts";

const spread = (topologyKey: string) => ({
  topologyKey,
  maxSkew: 1,
  whenUnsatisfiable: "ScheduleAnyway",
  labelSelector: { matchLabels: { app: "a" } },
});

const MADE: MadePodTemplate = {
  metadata: { labels: { app: "a" }, annotations: { scrape: "true" } },
  spec: {
    terminationGracePeriodSeconds: 80,
    priorityClassName: "default",
    containers: [{ name: "agent", volumeMounts: [{ name: "config", mountPath: "/etc/omnia" }] }],
    volumes: [{ name: "config", configMap: { name: "a-config" } }],
    topologySpreadConstraints: [spread("host"), spread("zone")],
  },
};

const merged = (template: object): MadePodTemplate =>
  mergePodTemplate(MADE, podTemplateSchema.parse(template));

describe("the pod template of an agent", () => {
  it("changes nothing where nothing is said", () => {
    expect(mergePodTemplate(MADE, undefined)).toBe(MADE);
    expect(merged({})).toEqual(MADE);
  });

  it("adds to what Omnia has, and takes nothing of it away", () => {
    const { metadata, spec } = merged({
      labels: { team: "x" },
      annotations: { scrape: "false" },
      priorityClassName: "first",
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
      volumeMounts: [{ name: "data", mountPath: "/data", readOnly: true }],
    });
    expect(metadata).toEqual({ labels: { app: "a", team: "x" }, annotations: { scrape: "false" } });
    expect(spec).toMatchObject({ priorityClassName: "first", terminationGracePeriodSeconds: 80 });
    expect(spec.volumes?.map(({ name }) => name)).toEqual(["config", "data"]);
    expect(spec.containers[0]?.volumeMounts).toEqual([
      { name: "config", mountPath: "/etc/omnia" },
      { name: "data", mountPath: "/data", readOnly: true },
    ]);
  });

  it("puts a constraint in the place of that for the same nodes, and counts the agent's own pods", () => {
    const { spec } = merged({
      topologySpreadConstraints: [{ topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" }],
    });
    expect(spec.topologySpreadConstraints).toEqual([
      spread("host"),
      { ...spread("zone"), whenUnsatisfiable: "DoNotSchedule" },
    ]);
  });

  it("has sidecars start before the agent, with no more rights than it has", () => {
    const env = [{ name: "A", value: "b" }];
    const { spec } = merged({ sidecars: [{ name: "proxy", image: "example/proxy:1", env }] });
    expect(spec.initContainers).toEqual([
      {
        name: "proxy",
        image: "example/proxy:1",
        env,
        restartPolicy: "Always",
        terminationMessagePolicy: "FallbackToLogsOnError",
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
      },
    ]);
    expect(spec.containers).toHaveLength(1);
  });
});
