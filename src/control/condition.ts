/** Conditions: decided as type, reason and message; the rest follows from the table of reasons and from what was before. */
import {
  type Condition,
  CONDITIONS,
  type ConditionReason,
  type ConditionType,
} from "../api/conditions.ts";

/** Longer messages are cut: a status is read by people. */
const MAX_MESSAGE_LENGTH = 4096;

type Kind = keyof typeof CONDITIONS;

/** What a decision says about one condition. Whether it holds is in the table of reasons. */
export interface Finding<K extends Kind, T extends ConditionType<K> = ConditionType<K>> {
  readonly type: T;
  readonly reason: ConditionReason<K, T>;
  /** Names the object and the cure; holds no id and no time. */
  readonly message: string;
}

export function holds<K extends Kind>(kind: K, { type, reason }: Finding<K>): boolean {
  const reasons: Record<string, { true: readonly string[] }> = CONDITIONS[kind];
  return reasons[type]?.true.includes(reason) ?? false;
}

/** `lastTransitionTime` stays while the status of a condition does. */
export function toConditions<K extends Kind>(
  kind: K,
  findings: readonly Finding<K>[],
  {
    previous = [],
    generation,
    now,
  }: {
    previous: readonly Condition[] | undefined;
    generation: number;
    now: number;
  },
): Condition[] {
  return findings.map((finding) => {
    const { type, reason, message } = finding;
    const status = holds(kind, finding) ? "True" : "False";
    const before = previous.find((condition) => condition.type === type);
    const lastTransitionTime =
      before?.status === status ? before.lastTransitionTime : toTimestamp(now);
    return {
      type,
      status,
      reason,
      message: shorten(message),
      lastTransitionTime,
      observedGeneration: generation,
    };
  });
}

/** RFC 3339 to the second, as Kubernetes writes it. */
function toTimestamp(now: number): string {
  return new Date(now).toISOString().replace(/\.\d+Z$/, "Z");
}

function shorten(message: string): string {
  return message.length <= MAX_MESSAGE_LENGTH
    ? message
    : `${message.slice(0, MAX_MESSAGE_LENGTH - 1)}…`;
}
