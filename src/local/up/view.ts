/** What `omnia up` shows, in the table of a terminal as in the lines of a log. */
import { DEFAULT_NAMESPACE } from "../../api/fields/names.ts";
import type { Problem } from "../../api/manifest/manifest.ts";
import type { LocalAgent } from "../agent.ts";
import type { LocalControl, LocalResource } from "../control.ts";

export interface UpView {
  /** Where people and programs find it. */
  readonly url: string;
  readonly agents: readonly AgentView[];
  /** The problems of the manifests. */
  readonly problems: readonly Problem[];
  /** Everything that is not as it should be, of every resource. */
  readonly complaints: readonly Complaint[];
  readonly ending: boolean;
}

export interface AgentView {
  readonly name: string;
  readonly namespace: string;
  readonly phase: string;
  readonly ready: string;
  readonly handler: string;
  readonly model: string;
  /** Why it is not as its spec wants it. */
  readonly reason: string;
}

export interface Complaint {
  /** The kind and the name, such as `AgentRuntime agents/support`. */
  readonly about: string;
  readonly condition: string;
  readonly reason: string;
  readonly message: string;
}

export function upView(
  control: Pick<LocalControl, "agents" | "resources">,
  {
    url,
    problems,
    isExposed,
    ending,
  }: Pick<UpView, "url" | "problems" | "ending"> & {
    /** Whether others than the user of this machine may reach it. */
    readonly isExposed: boolean;
  },
): UpView {
  return {
    url,
    problems,
    ending,
    agents: control.agents().map(agentView).toSorted(byName),
    complaints: [
      ...control.resources().flatMap(complaintsOf),
      ...control.agents().flatMap(replicaComplaints),
      ...(isExposed ? control.agents().flatMap(openToAll) : []),
    ],
  };
}

function agentView({ resource: { metadata, spec }, status }: LocalAgent): AgentView {
  const { handler } = spec.facade;
  const broken = (status.conditions ?? []).filter((condition) => condition.status !== "True");
  const cause = broken.find(({ type }) => type === SUMMARY) ?? broken[0];
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    phase: status.phase ?? "Pending",
    ready: status.ready ?? "0/0",
    handler,
    model: handler === "runtime" ? (spec.provider?.model ?? "") : "",
    reason: cause?.reason ?? "",
  };
}

/** Reasons that are true for a moment at every start and change. The phase says as much. */
const PASSING_REASONS = new Set(["WaitingForPods", "Notifying", "RollingOut"]);
/** The condition that follows from all others. */
const SUMMARY = "Ready";

function complaintsOf({ kind, metadata, status }: LocalResource): Complaint[] {
  const broken = (status.conditions ?? []).filter(
    ({ type, status: holds, reason }) =>
      holds !== "True" && type !== SUMMARY && !PASSING_REASONS.has(reason),
  );
  // What two conditions say in the same words is said once, by the one that says more.
  const isSaid = ({ type, message }: (typeof broken)[number]): boolean =>
    type === "Progressing" &&
    broken.some((other) => other.type !== type && other.message.includes(message));
  return broken
    .filter((condition) => !isSaid(condition))
    .map(({ type, reason, message }) => ({
      about: `${kind} ${metadata.namespace}/${metadata.name}`,
      condition: type,
      reason,
      message,
    }));
}

function replicaComplaints(agent: LocalAgent): Complaint[] {
  const { name, namespace } = agent.resource.metadata;
  return agent.complaints().map(({ replica, message }) => ({
    about: `AgentRuntime ${namespace}/${name}`,
    condition: `replica ${replica}`,
    reason: "not ready",
    message,
  }));
}

function openToAll({ resource: { metadata, spec } }: LocalAgent): Complaint[] {
  if (spec.facade.auth !== undefined) return [];
  return [
    {
      about: `AgentRuntime ${metadata.namespace}/${metadata.name}`,
      condition: "Authentication",
      reason: "OpenToNetwork",
      message: "others can reach this address and talk to the agent; set spec.facade.auth",
    },
  ];
}

function byName(a: AgentView, b: AgentView): number {
  return a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name);
}

/** The command that talks to an agent, such as `omnia chat support -n agents`. */
export function chatCommand(
  program: string,
  { name, namespace }: { name: string; namespace: string },
): string {
  return `${program} chat ${name}${namespace === DEFAULT_NAMESPACE ? "" : ` -n ${namespace}`}`;
}

export function problemLine({ file, line, column, severity, message }: Problem): string {
  return `${file}:${line}:${column}: ${severity === "warning" ? "warning: " : ""}${message}`;
}

export function complaintLine({ about, condition, reason, message }: Complaint): string {
  return `${about}: ${condition}: ${reason}: ${message}`;
}
