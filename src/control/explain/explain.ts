/** Explains from the status of a resource why it is not ready, and names the one thing to do. */
import type { OmniaKind } from "../../api/group.ts";
import { readNotRunRemark } from "../../promptpack/check/parts-not-run.ts";
import { DEFAULT_NAMESPACE } from "../../api/fields/names.ts";
import { cureCommand } from "./cure-command.ts";
import { firstCause } from "../first-cause.ts";
import { type Cure, CURES, type ReadField } from "./cures.ts";

/** A resource as it was read, of this version or a later one. */
export interface ExplainedResource {
  readonly kind: OmniaKind;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly generation?: number | undefined;
  };
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
  /** Does, or begins to do, what the cure says. Only in a cluster. */
  command?: string | undefined;
}

export interface ExplainOptions {
  /** Where the resource is. */
  readonly place: "cluster" | "local";
}

export function explain(
  resource: ExplainedResource,
  { place }: ExplainOptions = { place: "local" },
): Explanation {
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
  const broken = firstCause(
    kind,
    conditions.filter((condition) => condition.status !== "True"),
  );
  if (broken === undefined) {
    const notRun = conditions.flatMap(({ message }) => readNotRunRemark(message) ?? []);
    if (notRun.length > 0) {
      return {
        summary: `${state}, and every condition holds, but not all that the pack says is run`,
        cause: `Not run: ${[...new Set(notRun)].join(", ")}`,
        cure: "Remove from the pack what you rely on and is not run, or see docs/promptpacks.md for what to do instead.",
      };
    }
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
    command: place === "cluster" ? commandOf(resource, broken) : undefined,
  };
}

function cureOf(
  { kind, spec }: ExplainedResource,
  { type, reason, message }: ExplainedCondition,
): string {
  const cures: Readonly<Record<string, Readonly<Record<string, Cure>>>> = CURES[kind];
  const cure = cures[type]?.[reason];
  if (cure === undefined) return "Do what the message says.";
  return typeof cure === "string" ? cure : cure(fieldReader(spec), message);
}

function commandOf(
  { metadata, spec }: ExplainedResource,
  condition: ExplainedCondition,
): string | undefined {
  const { name, namespace = DEFAULT_NAMESPACE } = metadata;
  return cureCommand(condition, { name, namespace, field: fieldReader(spec) });
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
