/** Merges what an AgentRuntime says of its pods into the pods that Omnia makes, as a strategic merge patch would. */
import type {
  V1Container,
  V1VolumeMount,
  V1PodSpec,
  V1TopologySpreadConstraint,
} from "@kubernetes/client-node";
import { AGENT_CONTAINER, type PodTemplate } from "../../../api/pod-template.ts";
import { withoutUndefined } from "../../../control/without-undefined.ts";

/** The types of the client are classes; their objects here are plain. */
type Plain<T> = { [Name in keyof T]: T[Name] };

/** A template of which all is there that Omnia itself sets. */
export interface MadePodTemplate {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: V1PodSpec;
}

/** Lists are merged by their keys: volumes by name, mounts by path, constraints by the label of the nodes. */
export function mergePodTemplate(
  made: MadePodTemplate,
  template: PodTemplate | undefined,
): MadePodTemplate {
  if (template === undefined) return made;
  const { metadata, spec } = made;
  const { labels, annotations, volumes = [], sidecars = [] } = template;
  const volumeMounts = template.volumeMounts as V1VolumeMount[] | undefined;
  const { priorityClassName, serviceAccountName, terminationGracePeriodSeconds } = template;
  const spread = template.topologySpreadConstraints?.map((constraint) =>
    withoutUndefined<V1TopologySpreadConstraint>({
      // Without a selector no pod would be counted.
      labelSelector: { matchLabels: { ...metadata.labels } },
      ...(constraint as Plain<V1TopologySpreadConstraint>),
    }),
  );
  return {
    metadata: {
      labels: { ...labels, ...metadata.labels },
      annotations: { ...metadata.annotations, ...annotations },
    },
    spec: withoutUndefined<V1PodSpec>({
      ...(spec as Plain<V1PodSpec>),
      priorityClassName: priorityClassName ?? spec.priorityClassName,
      serviceAccountName,
      terminationGracePeriodSeconds:
        terminationGracePeriodSeconds ?? spec.terminationGracePeriodSeconds,
      topologySpreadConstraints: mergeBy("topologyKey", spec.topologySpreadConstraints, spread),
      volumes: mergeBy("name", spec.volumes, volumes as typeof spec.volumes),
      initContainers: sidecars.length === 0 ? undefined : sidecars.map(sidecar),
      containers: spec.containers.map((container) =>
        container.name === AGENT_CONTAINER
          ? {
              ...(container as Plain<V1Container>),
              volumeMounts: mergeBy("mountPath", container.volumeMounts, volumeMounts),
            }
          : container,
      ),
    }),
  };
}

type Sidecar = NonNullable<PodTemplate["sidecars"]>[number];

/** It starts before the agent and ends after it, and may do no more than the agent itself. */
function sidecar(written: Sidecar): V1Container {
  return withoutUndefined<V1Container>({
    ...(written as Plain<V1Container>),
    restartPolicy: "Always",
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  });
}

/** An item of `more` takes the place of that of `items` with the same key. */
function mergeBy<Key extends string, Item extends Record<Key, string>>(
  key: Key,
  items: readonly Item[] = [],
  more: readonly Item[] = [],
): Item[] {
  const replaced = new Set(more.map((item) => item[key]));
  return [...items.filter((item) => !replaced.has(item[key])), ...more];
}
