/** The kinds of AltairaLabs' own Omnia that are not of Omnia's here, and what to do without them. */
import { PROVIDER_FIELDS } from "./provider-fields.ts";
import type { UpstreamField } from "./upstream-field.ts";

export const PROVIDER = "Provider";

export interface UpstreamKind {
  /** A whole sentence. */
  readonly instead: string;
  /** Its fields that have a place in another kind. */
  readonly fields?: readonly UpstreamField[] | undefined;
}

const NO_ARENA = "Packs are tried and compared outside of the cluster here.";
const NO_RETENTION = "session.ttl of the AgentRuntime says how long sessions are kept.";

export const UPSTREAM_KINDS: Readonly<Record<string, UpstreamKind>> = {
  [PROVIDER]: {
    instead: "Its fields stand in spec.provider of each AgentRuntime that uses it.",
    fields: PROVIDER_FIELDS,
  },
  Workspace: {
    instead: "A namespace of Kubernetes is enough, with its own roles, quotas and NetworkPolicies.",
  },
  AgentPolicy: {
    instead: "Which tools an agent has is said by its ToolRegistry and by its prompt.",
  },
  ToolPolicy: {
    instead: "Which tools an agent has is said by its ToolRegistry and by its prompt.",
  },
  SkillSource: { instead: "Skills are part of a pack's content." },
  PromptPackSource: { instead: "A PromptPack reads its content from a ConfigMap." },
  RolloutAnalysis: {
    instead: "A new version of a pack is tried by rollout.canary of the PromptPack.",
  },
  MemoryPolicy: { instead: "An agent remembers the session and nothing beyond it." },
  MemoryRetentionPolicy: { instead: "An agent remembers the session and nothing beyond it." },
  SessionRetentionPolicy: { instead: NO_RETENTION },
  SessionPrivacyPolicy: { instead: NO_RETENTION },
  SessionAnalyticsSync: { instead: "Sessions stay in the store of the AgentRuntime." },
  SessionStreamingConfig: { instead: "Sessions stay in the store of the AgentRuntime." },
  ArenaConfig: { instead: NO_ARENA },
  ArenaJob: { instead: NO_ARENA },
  ArenaSource: { instead: NO_ARENA },
  ArenaTemplateSource: { instead: NO_ARENA },
  ArenaDevSession: { instead: NO_ARENA },
};
