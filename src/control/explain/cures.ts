/** Names the one thing to do for every reason why a condition does not hold. */
import type { CONDITIONS, ConditionType } from "../../api/conditions.ts";
import {
  CONTAINER_NOT_STARTED,
  IMAGE_NOT_ALLOWED,
  IMAGE_NOT_PULLED,
  NAME_TAKEN,
  NO_PROMETHEUS,
  NO_REQUEST,
  NODE_SILENT,
  NUMBER_NOT_SET,
  POD_ENDED,
  PODS_NOT_MADE,
  RUNS_UNREADY,
  WRITE_REFUSED,
} from "../replica-words.ts";

type Conditions = typeof CONDITIONS;
type Kind = keyof Conditions;

/** Reads a field of the resource's spec, such as `field("provider", "name")`. The answer is "…" when the field is not set. */
export type ReadField = (...path: string[]) => string;
/** The message is that of the condition. */
export type Cure = string | ((field: ReadField, message: string) => string);

type ReasonsNotTrue<C> = C extends { notTrue: readonly (infer Reason extends string)[] }
  ? Reason
  : never;
type Cures = {
  readonly [K in Kind]: {
    readonly [T in ConditionType<K>]: Readonly<
      Record<ReasonsNotTrue<Conditions[K][T & keyof Conditions[K]]>, Cure>
    >;
  };
};

const CALL_THE_TOOL =
  "Start what is behind the URL of the tool, or correct the tool's url in the ToolRegistry.";
const RUN_THE_COMMAND =
  "Correct mcp.command of the entry that the message names, or mend what keeps the program from running.";
const START_THE_PODS =
  "See why the pods behind the Service are not ready, or run the tool and give the Service the annotation omnia.altairalabs.ai/local-url.";
const LABEL_THE_SERVICE =
  'Give the Service of the tool the label omnia.altairalabs.ai/tool: "true" and the labels of the entry\'s selector.matchLabels, in the namespace of the ToolRegistry.';
const CORRECT_THE_ENTRY =
  "Correct the entry or the Service that the message names: its annotations, its port, its name or its schema.";

const USE_AN_ALLOWED_IMAGE =
  "Set spec.image to one of those that the message lists, or have the operator's allowedImages list this one.";
const CORRECT_THE_IMAGE =
  "Correct the image that the message names (spec.image, or the operator's agent image where the spec names none). For a registry that asks for a login, name its Secret in spec.imagePullSecrets. No container has run, so there is no log.";
const FIND_A_NODE =
  "Give the cluster a node that takes the pod, or change what the message names: spec.resources, spec.nodeSelector, spec.tolerations or spec.affinity. The pod has not run, so it has no log.";

/** What to do about a server whose list cannot be read, or about a tool that cannot be connected to. */
function reachTheTool(_field: ReadField, message: string): string {
  if (/Correct its credential|Secret "/.test(message)) {
    return "Correct the credential of the tool: the key of the Secret that its authSecretRef names, and its authType.";
  }
  return message.includes("mcp.command") ? RUN_THE_COMMAND : CALL_THE_TOOL;
}

function correctTheTool(_field: ReadField, message: string): string {
  return message.includes("in allow")
    ? "Correct the names in allow of the entry that the message names, or have its server offer such tools."
    : CORRECT_THE_ENTRY;
}

function makeWhatIsNamed(_field: ReadField, message: string): string {
  return message.startsWith(IMAGE_NOT_ALLOWED)
    ? USE_AN_ALLOWED_IMAGE
    : "Make what the message names; the agent starts by itself then.";
}

/** What to do about replicas that fail. Only a container that has run has a log. */
function mendTheReplica(_field: ReadField, message: string): string {
  if (message.includes(IMAGE_NOT_ALLOWED)) return USE_AN_ALLOWED_IMAGE;
  if (message.includes(NAME_TAKEN)) {
    return "Remove the object that the message names, or give the AgentRuntime another name.";
  }
  if (message.includes(WRITE_REFUSED)) {
    return "Change in the spec what the message names, or allow it in the quota or the policy that refuses it.";
  }
  if (message.includes(IMAGE_NOT_PULLED)) return CORRECT_THE_IMAGE;
  if (message.includes(PODS_NOT_MADE)) {
    return "Mend what the message names: a limit range, a policy, an admission webhook or a service account of the namespace, or the field of the spec that it refuses. There is no pod, so there is no log.";
  }
  if (message.includes(CONTAINER_NOT_STARTED)) {
    return "Correct what the message names, in spec.env, in the spec's image or in the Secret or ConfigMap. The container has not run, so it has no log.";
  }
  if (message.includes("(OOMKilled)")) {
    return "Raise spec.resources.limits.memory, or have the agent hold less.";
  }
  return "Read the message of the replica and its log, and mend what they name.";
}

/** The API server names the quota, whatever it counts. */
function raiseTheQuota(_field: ReadField, message: string): string {
  const [, quota] = /(?:exceeded|failed) quota: ([^,:\s]+)/.exec(message) ?? [];
  const which =
    quota === undefined ? "the quota that the message names" : `ResourceQuota "${quota}"`;
  return message.includes("must specify")
    ? `Set in spec.resources what ${which} counts and the message names.`
    : `Raise ${which}, or ask for less in spec.resources or spec.replicas. The pods that are missing do not exist, so they have no log.`;
}

function waitOrMend(_field: ReadField, message: string): string {
  if (message.includes(NODE_SILENT)) {
    return "Bring the node back. If it stays away, Kubernetes starts the pod on another one after some minutes.";
  }
  if (message.includes(POD_ENDED)) {
    return "Mend what the message or the events of the pod name: mostly a node that lacks memory or disk, or a limit in spec.resources. Another pod is being started.";
  }
  return message.includes(RUNS_UNREADY)
    ? "Mend what the replica names; it becomes ready by itself then. Its log may say more."
    : "Wait a moment; if it stays so, look at the log of a replica.";
}

function bringTheMetrics(field: ReadField, message: string): string {
  if (message.includes(NO_REQUEST)) {
    return "Set spec.resources.requests.cpu and spec.resources.requests.memory: a utilisation is a percentage of them.";
  }
  if (message.includes(NO_PROMETHEUS)) {
    return "Name a trigger in spec.autoscaling.keda.triggers, or give the operator the address of a Prometheus (autoscaling.prometheusAddress of the chart).";
  }
  return field("autoscaling", "type") === "keda"
    ? "Mend what the message names: a trigger in spec.autoscaling.keda.triggers, or the server that it asks. The replicas stay as they are until then."
    : "Install metrics-server in the cluster, or mend it; new replicas have no metrics in their first minute. The replicas stay as they are until then.";
}

const ONE_OPERATOR =
  "Limit watchNamespaces of one of the two operators, or uninstall one. To hand the AgentRuntime over to the other one, remove its annotation omnia.altairalabs.ai/managed-by.";

const SEE_THE_CAUSE =
  "Mend what the message names; the condition that has the same reason says more.";

export const CURES: Cures = {
  AgentRuntime: {
    Available: {
      WaitingForReferences: makeWhatIsNamed,
      WaitingForPods: waitOrMend,
      PodsFailing: mendTheReplica,
      DeadlineExceeded:
        "See in the log and the events of the new replicas why they do not become ready, then change the spec.",
      ScaledToZero: (field) =>
        field("autoscaling", "enabled") === "true"
          ? "Nothing, if that is meant: load starts replicas. Else set spec.autoscaling.minReplicas to 1."
          : "Set spec.replicas to 1 or more.",
    },
    PromptPackReady: {
      NotFound: (field) =>
        `Make the PromptPack "${field("promptPackRef", "name")}", or correct spec.promptPackRef.`,
      Invalid: (field) =>
        `Correct the content of PromptPack "${field("promptPackRef", "name")}" as the message says.`,
      PromptNotFound: "Set spec.promptPackRef.prompt to one of the prompts that the message lists.",
      VariablesMissing:
        "Give the variables that the message lists a value in spec.promptPackRef.variables.",
    },
    ToolRegistryReady: {
      NotFound: (field) =>
        `Make the ToolRegistry "${field("toolRegistryRef", "name")}", or remove spec.toolRegistryRef.`,
      NotAllowed:
        "Give the credential of the tool that the message names in spec.toolRegistryRef.credentials, from a Secret of the agent's namespace.",
      ToolsMissing: (field) =>
        field("toolRegistryRef", "name") === "…"
          ? "Make a ToolRegistry with the tools that the message lists, and name it in spec.toolRegistryRef; or remove them from the pack."
          : `Add the tools that the message lists to ToolRegistry "${field("toolRegistryRef", "name")}", or remove them from the pack.`,
      Degraded: (field) =>
        `Mend the tool that the message names: see ToolRegistry "${field("toolRegistryRef", "name")}". The other tools work.`,
      Failed: (field) =>
        `Mend the tools that the message names: see ToolRegistry "${field("toolRegistryRef", "name")}".`,
    },
    ProviderReady: {
      NotAllowed:
        "Set spec.provider.baseURL to one of the hosts that the message lists, or have the operator's allowedBaseURLHosts list this one.",
      SecretNotFound: (field) =>
        `Make the Secret that the message names, with the API key for ${field("provider", "name")} under the key it names.`,
      SecretKeyMissing:
        "Add the key that the message names to the Secret, or correct spec.provider.apiKeySecretRef.key.",
      InvalidKey: (field) => {
        const given = field("provider", "apiKeySecretRef", "name");
        const secret = given === "…" ? field("providerSecretRef", "name") : given;
        return `Write the key without line break or blank into Secret "${secret}", or where else the message says that it comes from.`;
      },
    },
    SessionStoreReady: {
      SecretNotFound:
        "Make the Secret that the message names, with the redis:// URL of the session store under the key it names.",
      SecretKeyMissing:
        "Add the key that the message names to the Secret, or correct spec.session.storeRef.key.",
      InvalidURL:
        "Put a URL like redis://:password@host:6379/0 into the Secret, redis+sentinel://host:26379/mymaster or redis+cluster://host:6379 where there are several servers, rediss for TLS, with the password percent-encoded.",
      Unreachable:
        "Start the session store, or let the replicas connect to it. If it answers and refuses, correct the URL in the Secret that the message names. The agent becomes ready by itself then.",
    },
    Progressing: {
      WaitingForReferences: makeWhatIsNamed,
      RolloutStuck: (field, message) =>
        `${mendTheReplica(field, message)} Or set the spec back: the replicas of before serve until then.`,
      Quota: raiseTheQuota,
      Unschedulable: FIND_A_NODE,
      ImagePull: CORRECT_THE_IMAGE,
    },
    AutoscalingReady: {
      MetricsUnavailable: bringTheMetrics,
      KedaNotInstalled:
        'Install KEDA in the cluster, which is noticed without a restart, or set spec.autoscaling.type to "hpa".',
      Refused: (_field, message) =>
        message.includes(NUMBER_NOT_SET)
          ? "Let KEDA's operator update agentruntimes/scale (rbac.scaledRefKinds of KEDA's chart)."
          : "Remove the object that the message names, or change in spec.autoscaling what it names.",
      WaitingForAutoscaler: (field) =>
        field("autoscaling", "type") === "keda"
          ? "Wait a moment; if it stays so, read the log of KEDA's operator."
          : "Wait a moment; if it stays so, see whether the cluster runs its HorizontalPodAutoscaler controller.",
      Paused:
        "Nothing, if that is meant. Else take the annotations autoscaling.keda.sh/paused and autoscaling.keda.sh/paused-replicas off the ScaledObject.",
    },
    Managed: { ManagedByAnother: ONE_OPERATOR },
    Ready: {
      RollingOut: "Wait a moment: the replicas are being brought to the newest spec.",
      WaitingForReferences: SEE_THE_CAUSE,
      WaitingForPods: SEE_THE_CAUSE,
      PodsFailing: mendTheReplica,
      DeadlineExceeded: SEE_THE_CAUSE,
      RolloutStuck: mendTheReplica,
      Quota: raiseTheQuota,
      Unschedulable: FIND_A_NODE,
      ImagePull: CORRECT_THE_IMAGE,
      NotFound: SEE_THE_CAUSE,
      NotAllowed: SEE_THE_CAUSE,
      Invalid: SEE_THE_CAUSE,
      PromptNotFound: SEE_THE_CAUSE,
      VariablesMissing: SEE_THE_CAUSE,
      ToolsMissing: SEE_THE_CAUSE,
      Degraded: SEE_THE_CAUSE,
      Failed: SEE_THE_CAUSE,
      SecretNotFound: SEE_THE_CAUSE,
      SecretKeyMissing: SEE_THE_CAUSE,
      InvalidKey: SEE_THE_CAUSE,
      InvalidURL: SEE_THE_CAUSE,
      Unreachable: SEE_THE_CAUSE,
      ManagedByAnother: ONE_OPERATOR,
    },
  },
  PromptPack: {
    SourceValid: {
      ConfigMapNotFound: (field) =>
        `Make the ConfigMap "${field("source", "configMapRef", "name")}" with the pack, or correct spec.source.configMapRef.name.`,
      KeyNotFound: (field) =>
        `Put the pack under the key "${field("source", "configMapRef", "key")}" of the ConfigMap, or correct spec.source.configMapRef.key.`,
      InvalidJSON: "Correct the text of the pack at the line and column of the message.",
      InvalidPack: "Correct the fields of the pack that the message lists.",
      TooLarge: "Split the pack in two PromptPacks: a ConfigMap holds 1 MiB.",
    },
    AgentsNotified: {
      Notifying: "Wait a moment: the agents get the new version one after the other.",
    },
  },
  ToolRegistry: {
    ToolsAvailable: {
      NoServices: LABEL_THE_SERVICE,
      NoReadyEndpoints: START_THE_PODS,
      Unreachable: reachTheTool,
      InvalidTool: correctTheTool,
    },
    AllToolsReady: {
      NoServices: LABEL_THE_SERVICE,
      NoReadyEndpoints: START_THE_PODS,
      Unreachable: reachTheTool,
      InvalidTool: correctTheTool,
    },
  },
};
