/** The Deployment of an agent: what its replicas are, and how they are replaced. */
import type {
  V1Container,
  V1PodSpec,
  V1SecretProjection,
  V1SecretVolumeSource,
  V1Volume,
  V1VolumeMount,
} from "@kubernetes/client-node";
import { dirname, relative } from "node:path/posix";
import {
  AGENT_CONFIG_PATH,
  MANAGEMENT_PORT,
  SECRETS_FOLDER,
} from "../../../agent-config/agent-config.ts";
import { CONFIG_KEY_VARIABLE } from "../../../agent-config/config-signature.ts";
import { agentSelector } from "../../../control/agent-runtime/agent-selector.ts";
import type { ReplicasDecision } from "../../../control/agent-runtime/decide-replicas.ts";
import type {
  SecretFile,
  WorkloadDecision,
} from "../../../control/agent-runtime/workload-decision.ts";
import { contentHash } from "../../../promptpack/document/content-hash.ts";
import { withoutUndefined } from "../../../control/without-undefined.ts";
import type { DeploymentObject } from "../../cluster/kubernetes-objects.ts";
import {
  agentLabels,
  configMapName,
  ENVIRONMENT_ANNOTATION,
  FACADE_PORT_NAME,
  ROLL_HASH_ANNOTATION,
} from "../../cluster/labels.ts";
import type { OperatorSettings } from "../../cluster/operator-context.ts";
import { AGENT_CONTAINER } from "../../../api/pod-template.ts";
import { CONFIG_KEY } from "./build-config-map.ts";
import { scalingAnnotation } from "../../cluster/scaling-mark.ts";
import { mergePodTemplate } from "./merge-pod-template.ts";

const MANAGEMENT_PORT_NAME = "management";
/** A user id that no machine gives to a user. */
const NON_ROOT = 65_532;
/** Everybody in the container may read the files, and nobody may write them. */
const FILE_MODE = 0o444;
/**
 * A replica that is to end goes on as before for this long, and is told only then (SIGTERM). Meanwhile every node learns that the
 * Service leads to it no longer, so that no new connection comes to a port that is closed.
 */
const UNROUTED_SECONDS = 5;
/** The time that running turns have to end (section 5 of the protocol), and what the rest of the shutdown may take. */
const DRAIN_SECONDS = 60;
const DRAIN_MARGIN_SECONDS = 15;
/** A rollout without progress for this long has failed. */
const PROGRESS_DEADLINE_SECONDS = 300;
const KEPT_REPLICA_SETS = 3;
const SCRATCH_SIZE = "64Mi";

/** While an autoscaler sets the number of replicas, we do not send the field, and it keeps its value. */
export const HANDED_OVER = [["spec", "replicas"]] as const;

const CONFIG_FOLDER = dirname(AGENT_CONFIG_PATH);

export interface DeploymentWanted {
  readonly agentRuntime: { readonly name: string; readonly namespace: string };
  readonly workload: WorkloadDecision;
  /** How many replicas there are to be while an autoscaler sets their number, or after it did. */
  readonly scaling?: Pick<ReplicasDecision, "replicas" | "mark"> | undefined;
  /** See the function `environmentDigest`. */
  readonly environmentDigest: string | undefined;
  readonly settings: Pick<
    OperatorSettings,
    "agentImage" | "agentImagePullPolicy" | "agentDefaults"
  >;
  /** The key by which the agent knows its config for ours, as a ConfigSigner has it. */
  readonly publicKey: string;
}

export function buildDeployment(wanted: DeploymentWanted): DeploymentObject {
  const { agentRuntime, workload, environmentDigest, scaling } = wanted;
  const labels = agentLabels(agentRuntime.name);
  const template = mergePodTemplate(
    {
      metadata: {
        labels,
        annotations: {
          "prometheus.io/scrape": "true",
          "prometheus.io/port": String(MANAGEMENT_PORT),
          "prometheus.io/path": "/metrics",
        },
      },
      spec: podSpec(wanted),
    },
    workload.podTemplate,
  );
  const { annotations, labels: podLabels } = template.metadata;
  // The labels and annotations that every pod has were not part of the hash before there were others.
  const others = workload.podTemplate === undefined ? [] : [annotations, podLabels];
  return {
    metadata: withoutUndefined<DeploymentObject["metadata"]>({
      ...agentRuntime,
      labels,
      annotations: scalingAnnotation(scaling?.mark),
    }),
    spec: {
      ...withoutUndefined<Omit<DeploymentObject["spec"], "template">>({
        replicas: scaling === undefined ? workload.replicas : scaling.replicas,
        selector: { matchLabels: agentSelector(agentRuntime.name) },
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" } },
        progressDeadlineSeconds: PROGRESS_DEADLINE_SECONDS,
        revisionHistoryLimit: KEPT_REPLICA_SETS,
      }),
      template: {
        metadata: {
          labels: { ...podLabels },
          annotations: withoutUndefined<Record<string, string>>({
            // A pod that has this value was made from the newest template.
            [ROLL_HASH_ANNOTATION]: contentHash([template.spec, environmentDigest, ...others]),
            [ENVIRONMENT_ANNOTATION]: environmentDigest,
            ...annotations,
          }),
        },
        // No field of it is undefined, as it was made.
        spec: template.spec,
      },
    },
  };
}

function podSpec({ agentRuntime, workload, settings, publicKey }: DeploymentWanted): V1PodSpec {
  const { image, secretFiles } = workload;
  const { agentDefaults = {} } = settings;
  const { priorityClassName } = agentDefaults;
  const {
    nodeSelector = agentDefaults.nodeSelector,
    tolerations = agentDefaults.tolerations,
    affinity = agentDefaults.affinity,
    imagePullSecrets = agentDefaults.imagePullSecrets,
  } = workload;
  const mounted = [...secretVolumes(secretFiles), ...(image === undefined ? [] : [scratch])];
  const volumes: V1Volume[] = [
    {
      name: "config",
      configMap: {
        name: configMapName(agentRuntime.name),
        defaultMode: FILE_MODE,
        items: [{ key: CONFIG_KEY, path: CONFIG_KEY }],
      },
    },
    ...mounted.map(({ volume }) => volume),
  ];
  const mounts: V1VolumeMount[] = [
    { name: "config", mountPath: CONFIG_FOLDER, readOnly: true },
    ...mounted.map(({ mount }) => mount),
  ];
  return withoutUndefined<V1PodSpec>({
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: UNROUTED_SECONDS + DRAIN_SECONDS + DRAIN_MARGIN_SECONDS,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: NON_ROOT,
      runAsGroup: NON_ROOT,
      seccompProfile: { type: "RuntimeDefault" },
    },
    priorityClassName,
    imagePullSecrets: imagePullSecrets?.map(({ name }) => ({ name })),
    containers: [container(workload, settings, publicKey, mounts)],
    volumes,
    nodeSelector: nodeSelector && { ...nodeSelector },
    tolerations: tolerations as V1PodSpec["tolerations"],
    affinity: affinity as unknown as V1PodSpec["affinity"],
    topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map(
      (topologyKey) => ({
        topologyKey,
        maxSkew: 1,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: agentSelector(agentRuntime.name) },
        matchLabelKeys: ["pod-template-hash"],
      }),
    ),
  });
}

const TRACE_ENDPOINT_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT";

/** An agent that names an endpoint itself, even an empty one, goes by that. */
function traceVariables(
  environment: WorkloadDecision["environment"],
  endpoint: string | undefined,
): { name: string; value: string }[] {
  const isGiven = environment.some(({ name }) => name === TRACE_ENDPOINT_VARIABLE);
  return endpoint === undefined || isGiven
    ? []
    : [{ name: TRACE_ENDPOINT_VARIABLE, value: endpoint }];
}

function container(
  { image, port, environment, resources: own }: WorkloadDecision,
  settings: DeploymentWanted["settings"],
  publicKey: string,
  volumeMounts: V1VolumeMount[],
): V1Container {
  const probe = (path: string) => ({ httpGet: { path, port: MANAGEMENT_PORT_NAME } });
  const { agentImage, agentImagePullPolicy, agentDefaults } = settings;
  const resources = own ?? agentDefaults?.resources;
  const isOurs = image === undefined;
  return withoutUndefined<V1Container>({
    name: AGENT_CONTAINER,
    image: image ?? agentImage,
    // An image of somebody else has its own command.
    args: isOurs ? ["agent"] : undefined,
    imagePullPolicy: isOurs ? agentImagePullPolicy : undefined,
    env: [
      { name: CONFIG_KEY_VARIABLE, value: publicKey },
      ...traceVariables(environment, agentDefaults?.otel?.endpoint),
      ...(environment as NonNullable<V1Container["env"]>),
    ],
    ports: [
      { name: FACADE_PORT_NAME, containerPort: port, protocol: "TCP" },
      { name: MANAGEMENT_PORT_NAME, containerPort: MANAGEMENT_PORT, protocol: "TCP" },
    ],
    // It is probed every second until it has started. The other probes begin after that and are less frequent.
    startupProbe: { ...probe("/healthz"), periodSeconds: 1, failureThreshold: 120 },
    readinessProbe: {
      ...probe("/readyz"),
      periodSeconds: 2,
      // This is longer than the agent waits for its session store, so that its answer says what is wrong.
      timeoutSeconds: 5,
      failureThreshold: 2,
    },
    livenessProbe: {
      ...probe("/healthz"),
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 3,
    },
    // The kubelet itself sleeps, so that this works in every image.
    lifecycle: { preStop: { sleep: { seconds: UNROUTED_SECONDS } } },
    resources: resources as V1Container["resources"],
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts,
  });
}

interface MountedVolume {
  readonly volume: V1Volume;
  readonly mount: V1VolumeMount;
}

/** For images of others, which may expect to write to /tmp although the root file system is read-only. */
const scratch: MountedVolume = {
  volume: { name: "tmp", emptyDir: { sizeLimit: SCRATCH_SIZE } },
  mount: { name: "tmp", mountPath: "/tmp" },
};

/**
 * One projected volume for the files of single keys, and one volume for each Secret that is mounted with all its keys, because
 * further keys may be added to it.
 */
function secretVolumes(secretFiles: readonly SecretFile[]): MountedVolume[] {
  const folder = `${CONFIG_FOLDER}/${SECRETS_FOLDER}`;
  const named = secretFiles.filter((file) => file.key !== undefined);
  const whole = secretFiles.filter((file) => file.key === undefined);
  const projected: MountedVolume = {
    volume: {
      name: "secrets",
      projected: {
        defaultMode: FILE_MODE,
        // Each file is a source of its own, so that a missing optional key does not hide the other keys of its Secret.
        sources: named.map(({ path, secretName, key = "", optional }) => ({
          secret: withoutUndefined<V1SecretProjection>({
            name: secretName,
            items: [{ key, path: relative(SECRETS_FOLDER, path) }],
            optional,
          }),
        })),
      },
    },
    mount: { name: "secrets", mountPath: folder, readOnly: true },
  };
  return [
    ...(named.length > 0 ? [projected] : []),
    ...whole.map(({ path, secretName, optional }) => {
      const name = relative(SECRETS_FOLDER, path).replaceAll("/", "-");
      return {
        volume: {
          name,
          secret: withoutUndefined<V1SecretVolumeSource>({
            secretName,
            defaultMode: FILE_MODE,
            optional,
          }),
        },
        mount: { name, mountPath: `${CONFIG_FOLDER}/${path}`, readOnly: true },
      };
    }),
  ];
}
