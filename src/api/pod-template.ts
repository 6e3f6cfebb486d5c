/** What an AgentRuntime says of its pods beside the agent itself: parts of core/v1, merged into the pods that Omnia makes. */
import { z } from "zod";
import { envSchema, quantitySchema, resourceRequirementsSchema } from "./fields/pod-fields.ts";
import { labelSelectorSchema } from "./fields/label-selector.ts";
import { dataKey, dnsLabel, dnsSubdomain, labelValue } from "./fields/names.ts";
import { type Rule, withRules } from "./fields/rule.ts";
import { atomicList, int32, listByKey, mapOf, pattern, stringMap, text } from "./fields/types.ts";

const MAX_VOLUMES = 32;
const MAX_SIDECARS = 8;
const MAX_PATH_LENGTH = 1024;
const MAX_GRACE_SECONDS = 24 * 60 * 60;
/** The labels by which Omnia finds the pods of an agent. */
export const OWN_POD_LABELS = [
  "app.kubernetes.io/name",
  "app.kubernetes.io/instance",
  "app.kubernetes.io/managed-by",
  "app.kubernetes.io/component",
] as const;
/** The volumes that Omnia itself gives a pod. */
export const OWN_VOLUMES = ["config", "secrets", "api-keys", "tmp"] as const;
/** The name of the container of the agent. */
export const AGENT_CONTAINER = "agent";
/** Where Omnia's own volumes are mounted. */
const OWN_FOLDER = "/etc/omnia";

const list = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(", ");

const podLabelsSchema = withRules(mapOf(labelValue(), 64), [
  {
    cel: `!self.exists(key, key in [${list(OWN_POD_LABELS)}])`,
    holds: (labels) => !OWN_POD_LABELS.some((key) => Object.hasOwn(labels, key)),
    message: `${OWN_POD_LABELS.join(", ")} are set by Omnia itself; choose others`,
    reason: "FieldValueForbidden",
  },
]);

const podAnnotationsSchema = withRules(stringMap(64, 16_384), [
  {
    cel: "!self.exists(key, key.startsWith('omnia.altairalabs.ai/'))",
    holds: (annotations) =>
      !Object.keys(annotations).some((key) => key.startsWith("omnia.altairalabs.ai/")),
    message: "those that begin with omnia.altairalabs.ai/ are set by Omnia itself; choose others",
    reason: "FieldValueForbidden",
  },
]);

const spreadSchema = z.strictObject({
  topologyKey: text(317).describe("Label of nodes by which they are grouped"),
  maxSkew: int32(1).default(1).describe("By how many replicas the groups may differ"),
  whenUnsatisfiable: z
    .enum(["DoNotSchedule", "ScheduleAnyway"])
    .default("ScheduleAnyway")
    .describe("Whether a replica waits where no node would do"),
  minDomains: int32(1).optional().describe("Groups that there have to be, for DoNotSchedule"),
  labelSelector: labelSelectorSchema
    .optional()
    .describe("Pods that are counted; the replicas of the agent if unset"),
  matchLabelKeys: atomicList(text(317), 16)
    .optional()
    .describe("Labels of the replica whose values the counted pods must have too"),
  nodeAffinityPolicy: z
    .enum(["Honor", "Ignore"])
    .optional()
    .describe("Whether nodeSelector counts"),
  nodeTaintsPolicy: z.enum(["Honor", "Ignore"]).optional().describe("Whether taints count"),
});

const itemsSchema = atomicList(
  z.strictObject({
    key: dataKey().describe("Key in the object"),
    path: text(MAX_PATH_LENGTH).describe("File in the volume"),
    mode: int32(0, 0o777).optional().describe("Permissions of the file"),
  }),
  64,
)
  .optional()
  .describe("Keys to take; all if unset");
const optional = z.boolean().optional().describe("Whether it may be missing");
const defaultMode = int32(0, 0o777).optional().describe("Permissions of the files");

const projectionSchema = withRules(
  z.strictObject({
    configMap: z
      .strictObject({ name: dnsSubdomain().describe("Its name"), items: itemsSchema, optional })
      .optional()
      .describe("A ConfigMap"),
    secret: z
      .strictObject({ name: dnsSubdomain().describe("Its name"), items: itemsSchema, optional })
      .optional()
      .describe("A Secret"),
    serviceAccountToken: z
      .strictObject({
        path: text(MAX_PATH_LENGTH).describe("File in the volume"),
        audience: text(2048).optional().describe("Who the token is for"),
        expirationSeconds: int32(600).optional().describe("How long it is good"),
      })
      .optional()
      .describe("A token of the service account"),
  }),
  [exactlyOne("configMap", "secret", "serviceAccountToken")],
);

const volumeSchema = withRules(
  z.strictObject({
    name: dnsLabel().describe("Name of the volume"),
    configMap: z
      .strictObject({
        name: dnsSubdomain().describe("Its name"),
        items: itemsSchema,
        optional,
        defaultMode,
      })
      .optional()
      .describe("A ConfigMap"),
    secret: z
      .strictObject({
        secretName: dnsSubdomain().describe("Its name"),
        items: itemsSchema,
        optional,
        defaultMode,
      })
      .optional()
      .describe("A Secret"),
    emptyDir: z
      .strictObject({
        medium: z.enum(["", "Memory"]).optional().describe("Where it is kept"),
        sizeLimit: quantitySchema.optional().describe("How large it may become"),
      })
      .optional()
      .describe("An empty folder of the pod"),
    persistentVolumeClaim: z
      .strictObject({
        claimName: dnsSubdomain().describe("Its name"),
        readOnly: z.boolean().optional().describe("Whether nothing may be written"),
      })
      .optional()
      .describe("A PersistentVolumeClaim"),
    projected: z
      .strictObject({
        sources: atomicList(projectionSchema, 16).describe("What is put together"),
        defaultMode,
      })
      .optional()
      .describe("Several objects in one folder"),
    csi: z
      .strictObject({
        driver: text(253).describe("Name of the driver"),
        readOnly: z.boolean().optional().describe("Whether nothing may be written"),
        fsType: text(63).optional().describe("Type of the file system"),
        volumeAttributes: stringMap(64, 4096).optional().describe("What the driver is told"),
        nodePublishSecretRef: z
          .strictObject({ name: dnsSubdomain().describe("Its name") })
          .optional()
          .describe("A Secret for the driver"),
      })
      .optional()
      .describe("A volume of a CSI driver that lives as long as the pod"),
  }),
  [
    exactlyOne("configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected", "csi"),
    {
      cel: `!(self.name in [${list(OWN_VOLUMES)}])`,
      holds: ({ name }) => !(OWN_VOLUMES as readonly string[]).includes(name),
      path: ["name"],
      message: `${OWN_VOLUMES.join(", ")} are volumes of Omnia itself; choose another name`,
      reason: "FieldValueForbidden",
    },
  ],
);

const mountPath = () =>
  pattern(MAX_PATH_LENGTH, /^\/[^:]*$/, "must be a path that begins with / and has no colon");

const volumeMountSchema = z.strictObject({
  name: dnsLabel().describe("Name of the volume"),
  mountPath: mountPath().describe("Where it is in the container"),
  readOnly: z.boolean().optional().describe("Whether nothing may be written"),
  subPath: text(MAX_PATH_LENGTH).optional().describe("A folder or file of the volume"),
});

const agentMountsSchema = listByKey(
  withRules(volumeMountSchema, [
    {
      cel: `self.mountPath != '${OWN_FOLDER}' && !self.mountPath.startsWith('${OWN_FOLDER}/')`,
      holds: ({ mountPath: path }) => path !== OWN_FOLDER && !path.startsWith(`${OWN_FOLDER}/`),
      path: ["mountPath"],
      message: `${OWN_FOLDER} is where Omnia's own files are; choose another folder`,
      reason: "FieldValueForbidden",
    },
  ]),
  "mountPath",
  MAX_VOLUMES,
);

const probeSchema = withRules(
  z.strictObject({
    httpGet: z
      .strictObject({
        path: text(MAX_PATH_LENGTH).optional().describe("Path; / if unset"),
        port: int32(1, 65_535).describe("Port of the container"),
        scheme: z.enum(["HTTP", "HTTPS"]).optional().describe("HTTP if unset"),
      })
      .optional()
      .describe("A request that has to be answered"),
    tcpSocket: z
      .strictObject({ port: int32(1, 65_535).describe("Port of the container") })
      .optional()
      .describe("A port that has to be open"),
    exec: z
      .strictObject({ command: atomicList(z.string().max(4096), 64).describe("The command") })
      .optional()
      .describe("A command that has to end with 0"),
    initialDelaySeconds: int32(0).optional().describe("Before the first time"),
    periodSeconds: int32(1).optional().describe("From one time to the next"),
    timeoutSeconds: int32(1).optional().describe("How long one time may take"),
    failureThreshold: int32(1).optional().describe("How often it may fail in a row"),
  }),
  [exactlyOne("httpGet", "tcpSocket", "exec")],
);

const sidecarSchema = withRules(
  z.strictObject({
    name: dnsLabel().describe("Name of the container"),
    image: text(1024).describe("Its image"),
    imagePullPolicy: z
      .enum(["Always", "IfNotPresent", "Never"])
      .optional()
      .describe("When the image is pulled"),
    command: atomicList(z.string().max(4096), 64).optional().describe("In place of its entrypoint"),
    args: atomicList(z.string().max(4096), 64).optional().describe("Arguments"),
    env: envSchema.optional().describe("Environment variables"),
    ports: atomicList(
      z.strictObject({
        containerPort: int32(1, 65_535).describe("The port"),
        name: text(15).optional().describe("Its name"),
        protocol: z.enum(["TCP", "UDP", "SCTP"]).optional().describe("TCP if unset"),
      }),
      16,
    )
      .optional()
      .describe("Ports that it listens on"),
    resources: resourceRequirementsSchema.optional().describe("CPU and memory"),
    volumeMounts: listByKey(volumeMountSchema, "mountPath", MAX_VOLUMES)
      .optional()
      .describe("Volumes of podTemplate.volumes"),
    startupProbe: probeSchema.optional().describe("The agent starts once it holds"),
    readinessProbe: probeSchema.optional().describe("The replica is ready while it holds"),
    livenessProbe: probeSchema
      .optional()
      .describe("The container is restarted when it does not hold"),
  }),
  [
    {
      cel: `self.name != '${AGENT_CONTAINER}'`,
      holds: ({ name }) => name !== AGENT_CONTAINER,
      path: ["name"],
      message: `"${AGENT_CONTAINER}" is the container of the agent itself; choose another name`,
      reason: "FieldValueForbidden",
    },
  ],
);

export const podTemplateSchema = z.strictObject({
  labels: podLabelsSchema.optional().describe("Labels of the pods"),
  annotations: podAnnotationsSchema.optional().describe("Annotations of the pods"),
  priorityClassName: dnsSubdomain().optional().describe("Which pods go first"),
  serviceAccountName: dnsSubdomain()
    .optional()
    .describe("Service account of the pods; no token of it is mounted by itself"),
  topologySpreadConstraints: atomicList(spreadSchema, 16)
    .optional()
    .describe("How replicas are spread; in place of Omnia's own for the same topologyKey"),
  volumes: listByKey(volumeSchema, "name", MAX_VOLUMES).optional().describe("Further volumes"),
  volumeMounts: agentMountsSchema.optional().describe("Where the agent has these volumes"),
  terminationGracePeriodSeconds: int32(1, MAX_GRACE_SECONDS)
    .optional()
    .describe("How long a replica may take to end; running turns have up to 60 of them"),
  sidecars: listByKey(sidecarSchema, "name", MAX_SIDECARS)
    .optional()
    .describe("Containers that start before the agent and end after it"),
});

export type PodTemplate = z.output<typeof podTemplateSchema>;

/** Just one of the fields has to be set. */
function exactlyOne<Value extends object>(...fields: (keyof Value & string)[]): Rule<Value> {
  return {
    cel: `[${fields.map((field) => `has(self.${field})`).join(", ")}].filter(one, one).size() == 1`,
    holds: (value) => fields.filter((field) => value[field] !== undefined).length === 1,
    message: `needs exactly one of ${fields.join(", ")}`,
  };
}
