/** Explains from the status of a resource why it is not ready, and names the one thing to do. */
import type { OmniaKind } from "../../api/group.ts";
import { type Cure, CURES, type ReadField } from "./cures.ts";

/** A resource as it was read, of this version or a later one. */
export interface ExplainedResource {
  readonly kind: OmniaKind;
  readonly metadata: { readonly name: string; readonly generation?: number | undefined };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?:
    | {
        readonly phase?: string | undefined;
        readonly observedGeneration?: number | undefined;
        readonly conditions?: readonly ExplainedCondition[] | undefined;
      }
    | undefined;
}

export interface ExplainedCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export interface Explanation {
  /** The state of the resource in one line. */
  summary: string;
  cause: string;
  cure: string;
}

/** The condition to mend comes first: when a replica waits for its references, that is the condition of the reference. */
const CAUSES_FIRST: Readonly<Record<OmniaKind, readonly string[]>> = {
  AgentRuntime: [
    "PromptPackReady",
    "ProviderReady",
    "SessionStoreReady",
    "Available",
    "ToolRegistryReady",
  ],
  PromptPack: ["SourceValid", "AgentsNotified"],
  ToolRegistry: ["ToolsAvailable", "AllToolsReady"],
};
/** These reasons only say that something else is the cause. */
const WAITING: readonly string[] = ["WaitingForReferences", "WaitingForPods"];

export function explain(resource: ExplainedResource): Explanation {
  const { kind, metadata, status } = resource;
  const name = `${kind} "${metadata.name}"`;
  const conditions = status?.conditions ?? [];
  if (conditions.length === 0) {
    return {
      summary: `${name} has no status yet`,
      cause: "Nothing has looked at it so far",
      cure: "Start the operator, or omnia up on one machine; if it runs, read its log.",
    };
  }
  const state = `${name} is ${status?.phase ?? "of unknown phase"}`;
  const { generation = 0 } = metadata;
  if ((status?.observedGeneration ?? generation) < generation) {
    return {
      summary: `${state}, as it was before the last change`,
      cause: "The status is of an older spec: the last change has not been looked at yet",
      cure: "Wait a moment; if it stays so, read the log of the operator.",
    };
  }
  const broken = firstCause(kind, conditions);
  if (broken === undefined) {
    return {
      summary: `${state}, and all is well`,
      cause: "Every condition holds",
      cure: "Nothing to do.",
    };
  }
  return {
    summary: `${state}: ${broken.type} is ${broken.status}, ${broken.reason}`,
    cause: broken.message,
    cure: cureOf(resource, broken),
  };
}

function firstCause(
  kind: OmniaKind,
  conditions: readonly ExplainedCondition[],
): ExplainedCondition | undefined {
  const order = CAUSES_FIRST[kind];
  const rank = ({ type, reason }: ExplainedCondition): number =>
    order.includes(type) && !WAITING.includes(reason) ? order.indexOf(type) : order.length;
  return conditions
    .filter(({ status }) => status !== "True")
    .toSorted((a, b) => rank(a) - rank(b))[0];
}

function cureOf({ kind, spec }: ExplainedResource, { type, reason }: ExplainedCondition): string {
  const cures: Readonly<Record<string, Readonly<Record<string, Cure>>>> = CURES[kind];
  const cure = cures[type]?.[reason];
  if (cure === undefined) return "Do what the message says.";
  return typeof cure === "string" ? cure : cure(fieldReader(spec));
}

function fieldReader(spec: Readonly<Record<string, unknown>>): ReadField {
  return (...path) => {
    let value: unknown = spec;
    for (const name of path) {
      value =
        typeof value === "object" && value !== null
          ? (value as Record<string, unknown>)[name]
          : undefined;
    }
    return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : "…";
  };
}
