/**
 * A decision finds the type, the reason and the message of a condition. The rest follows from the table of reasons and from the
 * condition before.
 */
import {
  type Condition,
  CONDITIONS,
  type ConditionReason,
  type ConditionType,
} from "../api/conditions.ts";

/** A longer message is cut, because people read a status. */
const MAX_MESSAGE_LENGTH = 4096;

type Kind = keyof typeof CONDITIONS;

/** What a decision says about one condition. The table of reasons says whether the condition holds. */
export interface Finding<K extends Kind, T extends ConditionType<K> = ConditionType<K>> {
  readonly type: T;
  readonly reason: ConditionReason<K, T>;
  /** It names the object and the cure, and holds no id and no time. */
  readonly message: string;
}

export function holds<K extends Kind>(kind: K, { type, reason }: Finding<K>): boolean {
  const reasons: Record<string, { true: readonly string[] }> = CONDITIONS[kind];
  return reasons[type]?.true.includes(reason) ?? false;
}

/** `lastTransitionTime` stays as it was while the status of a condition stays the same. */
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
  let time: string | undefined;
  return findings.map((finding) => {
    const { type, reason, message } = finding;
    const status = holds(kind, finding) ? "True" : "False";
    const before = previous.find((condition) => condition.type === type);
    const lastTransitionTime =
      before?.status === status ? before.lastTransitionTime : (time ??= toTimestamp(now));
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
