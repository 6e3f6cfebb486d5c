/** What each reason of a condition means, in words for people. What to do is in src/control/explain/cures.ts. */
import type { CONDITIONS, ConditionType } from "../../src/api/conditions.ts";

type Conditions = typeof CONDITIONS;
type NotTrue<C> = C extends { notTrue: readonly (infer Reason extends string)[] } ? Reason : never;
type Words = {
  readonly [K in keyof Conditions]: {
    readonly [T in ConditionType<K>]: Readonly<
      Record<NotTrue<Conditions[K][T & keyof Conditions[K]]>, string>
    >;
  };
};

const SERVICES_NOT_FOUND =
  "The entry finds its tools by Services, and no Service of the namespace has these labels.";
const PODS_NOT_READY = "The Service of a tool is there, and no pod behind it is ready.";
const TOOL_SILENT =
  "A tool, or the server that offers it, cannot be connected to, or refuses the credential.";
const TOOL_INVALID =
  "An entry, or the Service that it finds, says something that no tool can be made of.";
const REFERENCES_MISSING =
  "Something that the AgentRuntime refers to is not there or cannot be used, and the agent has no replicas yet. Replicas that run already are left as they are, and the condition of the reference says what is wrong.";
const PODS_STARTING =
  "No replica takes connections yet: they are being started, or one runs and is not ready.";
const PODS_FAILING =
  "No replica takes connections, and Kubernetes or the program says that it will not go on by itself.";
const ROLLOUT_LATE = "The new replicas did not become ready within the time that a rollout has.";
const ROLLOUT_STUCK = "Replicas of the new spec fail, while those of the spec before still serve.";
const QUOTA_USED = "A ResourceQuota of the namespace lets no more pods in.";
const NO_NODE = "A pod is there, and no node of the cluster takes it.";
const NO_IMAGE = "The node cannot get the image of the container.";
const OTHER_OPERATOR =
  "Two operators are told to look after this AgentRuntime. The one that says this keeps off it; the agent itself may be Ready.";

export const REASON_WORDS: Words = {
  AgentRuntime: {
    Available: {
      WaitingForReferences: REFERENCES_MISSING,
      WaitingForPods: PODS_STARTING,
      PodsFailing: PODS_FAILING,
      DeadlineExceeded: ROLLOUT_LATE,
      ScaledToZero: "The spec, or an autoscaler, wants no replica, so that nobody can connect.",
    },
    PromptPackReady: {
      NotFound: "The PromptPack that the AgentRuntime names is not there.",
      Invalid: "The PromptPack is there, and its content cannot be used.",
      PromptNotFound: "The pack has no prompt of the name that the AgentRuntime asks for.",
      VariablesMissing:
        "The prompt has variables without a default, and the AgentRuntime gives them no value that fits.",
    },
    ToolRegistryReady: {
      NotFound: "The ToolRegistry that the AgentRuntime names is not there.",
      NotAllowed:
        "The registry is in another namespace, and gives no credential of its own to agents of this one.",
      ToolsMissing: "The pack names tools that no ToolRegistry gives the agent.",
      Degraded: "Some of the tools cannot be used. The agent answers with the others.",
      Failed: "None of the tools can be used. The agent answers without tools.",
    },
    ProviderReady: {
      NotAllowed:
        "The administrator has said to which hosts agents may send keys, and this is none of them.",
      SecretNotFound: "The Secret with the API key of the provider is not there.",
      SecretKeyMissing:
        "The Secret is there, and has nothing under the key that the AgentRuntime names.",
      InvalidKey:
        "The API key holds a blank, a line break or another character that no HTTP header takes, or a replica has none.",
    },
    SessionStoreReady: {
      SecretNotFound: "The Secret with the URL of the session store is not there.",
      SecretKeyMissing:
        "The Secret is there, and has nothing under the key that the AgentRuntime names.",
      InvalidURL: "The URL of the session store is none that an agent can use.",
      Unreachable:
        "The session store does not answer, or refuses the user and password of its URL. Messages are answered with UNAVAILABLE until it does; turns that run wait for about eight seconds.",
    },
    Progressing: {
      WaitingForReferences: REFERENCES_MISSING,
      RolloutStuck: ROLLOUT_STUCK,
      Quota: QUOTA_USED,
      Unschedulable: NO_NODE,
      ImagePull: NO_IMAGE,
    },
    AutoscalingReady: {
      MetricsUnavailable:
        "The autoscaler is there, and does not know how much load there is. The replicas stay as many as they are.",
      KedaNotInstalled: 'The spec asks for type "keda", and KEDA is not in the cluster.',
      Refused: "The autoscaler could not be made as the spec wants it.",
      WaitingForAutoscaler:
        "The autoscaler was just made, or nothing in the cluster acts on it. The replicas stay as many as they are.",
      Paused:
        "Somebody has paused the ScaledObject by an annotation of KEDA. The replicas stay as many as they are, or as many as the annotation says.",
    },
    Managed: { ManagedByAnother: OTHER_OPERATOR },
    Ready: {
      RollingOut: "The newest spec is on its way: replicas of it are being started.",
      WaitingForReferences: REFERENCES_MISSING,
      WaitingForPods: "Fewer replicas take connections than are wanted.",
      PodsFailing: "A replica fails.",
      DeadlineExceeded: ROLLOUT_LATE,
      RolloutStuck: ROLLOUT_STUCK,
      Quota: QUOTA_USED,
      Unschedulable: NO_NODE,
      ImagePull: NO_IMAGE,
      NotFound: "A PromptPack or a ToolRegistry that the AgentRuntime names is not there.",
      NotAllowed:
        "An administrator, or the owner of another namespace, does not allow what the AgentRuntime asks for.",
      Invalid: "The content of the PromptPack cannot be used.",
      PromptNotFound: "The pack has no prompt of the name that the AgentRuntime asks for.",
      VariablesMissing: "Variables of the prompt have no value.",
      ToolsMissing: "The pack names tools that no ToolRegistry gives the agent.",
      Degraded: "Some of the tools cannot be used.",
      Failed: "None of the tools can be used.",
      SecretNotFound: "A Secret that the AgentRuntime names is not there.",
      SecretKeyMissing: "A Secret lacks the key that the AgentRuntime names.",
      InvalidKey: "The API key of the provider cannot be sent.",
      InvalidURL: "The URL of the session store is none that an agent can use.",
      Unreachable: "The session store does not answer.",
      ManagedByAnother: OTHER_OPERATOR,
    },
  },
  PromptPack: {
    SourceValid: {
      ConfigMapNotFound: "The ConfigMap that holds the pack is not there.",
      KeyNotFound:
        "The ConfigMap is there, and has nothing under the key that the PromptPack names.",
      InvalidJSON: "The text under the key is neither JSON nor YAML.",
      InvalidPack:
        "The text can be read, and is no PromptPack that an agent can run. Agents go on with the version before.",
      TooLarge: "The pack is larger than a ConfigMap may be.",
    },
    AgentsNotified: {
      Notifying: "A new version is on its way to the agents that refer to the pack.",
    },
  },
  ToolRegistry: {
    ToolsAvailable: {
      NoServices: `No tool can be used. ${SERVICES_NOT_FOUND}`,
      NoReadyEndpoints: `No tool can be used. ${PODS_NOT_READY}`,
      Unreachable: `No tool can be used. ${TOOL_SILENT}`,
      InvalidTool: `No tool can be used. ${TOOL_INVALID}`,
    },
    AllToolsReady: {
      NoServices: `Not every tool can be used. ${SERVICES_NOT_FOUND}`,
      NoReadyEndpoints: `Not every tool can be used. ${PODS_NOT_READY}`,
      Unreachable: `Not every tool can be used. ${TOOL_SILENT}`,
      InvalidTool: `Not every tool can be used. ${TOOL_INVALID}`,
    },
  },
};
