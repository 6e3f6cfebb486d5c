/** The values that a variable may be bound to: what the platform knows of a session when its prompt is rendered. */
import type { PackVariable } from "./variables.ts";

/** Known before a session begins, and so rendered once for all of them. */
export type AgentBinding = "agent" | "namespace";
/** Known in a turn only. */
export const TURN_BINDINGS = ["session_id", "user_id", "date", "time", "time_zone"] as const;
export type TurnBinding = (typeof TURN_BINDINGS)[number];
export type BindingSource = AgentBinding | TurnBinding;

/** The kinds of sources that are read. They share one set of fields, since packs name the same field with several of them. */
const KINDS: ReadonlySet<string> = new Set([
  "session",
  "context",
  "agent",
  "namespace",
  "date",
  "time",
  "workspace",
]);

/** Other spellings of a source. A kind with one value needs no field. */
const SPELLINGS: Readonly<Record<string, BindingSource>> = {
  session_id: "session_id",
  "session.id": "session_id",
  user_id: "user_id",
  user: "user_id",
  subject: "user_id",
  agent: "agent",
  agent_name: "agent",
  "agent.name": "agent",
  namespace: "namespace",
  "namespace.name": "namespace",
  "workspace.name": "namespace",
  date: "date",
  today: "date",
  current_date: "date",
  time: "time",
  now: "time",
  current_time: "time",
  timezone: "time_zone",
  time_zone: "time_zone",
};

/** What fills the variable. `undefined`: only a value of the agent's spec does, or its default. */
export function bindingSource({ binding, type }: PackVariable): BindingSource | undefined {
  if (binding?.auto_populate !== true || type !== "string") return undefined;
  const { kind = "context", field = "" } = binding;
  if (!KINDS.has(kind)) return undefined;
  const name = field.toLowerCase();
  const written = name === "" ? kind : name;
  return own(`${kind}.${name}`) ?? own(written);
}

/** Why a binding is not run, as a sentence without its end. `undefined`: it is, or it asks for nothing. */
export function bindingProblem(variable: PackVariable): string | undefined {
  const { binding, type } = variable;
  if (binding?.auto_populate !== true) return undefined;
  const { kind = "context", field, filter } = binding;
  const instead = "the value comes from promptPackRef.variables or from the default";
  if (type !== "string") return `is not run: only a variable of type string is filled; ${instead}`;
  if (bindingSource(variable) === undefined) {
    const named = field === undefined ? kind : `${kind}, field ${field}`;
    return `is not run: ${named} is not known here; ${instead}`;
  }
  return filter === undefined || isKnownFilter(filter)
    ? undefined
    : `is run without its filter, which is not known here; known are ${FILTERS.join(", ")}`;
}

const FILTERS = ["lowercase", "uppercase", "trim"] as const;

function isKnownFilter(filter: string): filter is (typeof FILTERS)[number] {
  return (FILTERS as readonly string[]).includes(filter);
}

/** Applies the filter of a binding to its value. */
export function filtered(value: string, filter: string | undefined): string {
  if (filter === undefined || !isKnownFilter(filter)) return value;
  if (filter === "trim") return value.trim();
  return filter === "lowercase" ? value.toLowerCase() : value.toUpperCase();
}

function own(name: string): BindingSource | undefined {
  return Object.hasOwn(SPELLINGS, name) ? SPELLINGS[name] : undefined;
}
