/** Recognises resources in the form of AltairaLabs' own Omnia, and says in one message where each of their fields stands here. */
import type { FieldPath } from "../fields/problems.ts";
import { AGENT_RUNTIME, API_VERSION, PROMPT_PACK, TOOL_REGISTRY } from "../group.ts";
import { AGENT_RUNTIME_FIELDS } from "./agent-runtime-fields.ts";
import { PROMPT_PACK_FIELDS } from "./prompt-pack-fields.ts";
import { TOOL_REGISTRY_FIELDS } from "./tool-registry-fields.ts";
import type { UpstreamField, UpstreamForm } from "./upstream-field.ts";
import { UPSTREAM_KINDS } from "./upstream-kinds.ts";

export const UPSTREAM_FIELDS: Readonly<Record<string, readonly UpstreamField[]>> = {
  [AGENT_RUNTIME]: AGENT_RUNTIME_FIELDS,
  [PROMPT_PACK]: PROMPT_PACK_FIELDS,
  [TOOL_REGISTRY]: TOOL_REGISTRY_FIELDS,
};

/** Fields of a resource that are looked at. No resource that anybody writes has so many. */
const MAX_LEAVES = 5_000;
const MAX_DEPTH = 16;
/** More fields are counted, not listed. */
const MAX_LISTED = 40;

export interface RecognisedForm {
  readonly kind: string;
  readonly form: UpstreamForm;
  /** The first field that tells the form, from the resource. */
  readonly path: FieldPath;
  /** The fields of the form that it has, in their order. */
  readonly fields: readonly UpstreamField[];
}

/** Returns `undefined` for a resource that shows no sign of another form, whatever else is wrong with it. */
export function recogniseForm(resource: unknown): RecognisedForm | undefined {
  if (!isMapping(resource) || resource["apiVersion"] !== API_VERSION) return undefined;
  const { kind } = resource;
  if (typeof kind !== "string") return undefined;
  if (Object.hasOwn(UPSTREAM_KINDS, kind)) {
    const { fields = [] } = UPSTREAM_KINDS[kind] ?? {};
    const present = presentFields(resource["spec"], fields).map(({ field }) => field);
    return { kind, form: "2026", path: ["kind"], fields: [...new Set(present)] };
  }
  if (!Object.hasOwn(UPSTREAM_FIELDS, kind)) return undefined;
  const present = presentFields(resource["spec"], UPSTREAM_FIELDS[kind] ?? []);
  const signs = present.filter(({ field }) => field.isShared !== true);
  const [first] = signs;
  if (first === undefined) return undefined;
  return {
    kind,
    form: signs.some(({ field }) => field.since === "2026") ? "2026" : "2025-12",
    path: ["spec", ...first.path],
    fields: [...new Set(present.map(({ field }) => field))],
  };
}

/** The message of the one problem that such a resource is. */
export function describeForm({ kind, form, fields }: RecognisedForm): string {
  const origin = `of AltairaLabs' Omnia (${form})`;
  const told = fields.filter(({ isShared, note }) => isShared !== true || note !== undefined);
  const listed = told.slice(0, MAX_LISTED).map(describeField);
  const more = told.length - listed.length;
  const places = `${listed.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
  if (Object.hasOwn(UPSTREAM_KINDS, kind)) {
    const { instead = "" } = UPSTREAM_KINDS[kind] ?? {};
    const where = places === "" ? "" : ` Where its fields stand there: ${places}.`;
    return `${kind} is a kind ${origin}, and there is none of that name here. ${instead}${where} "omnia migrate" takes it out`;
  }
  return `this ${kind} has the form ${origin}, which is not the one that is read here; "omnia migrate" translates it. Where its fields stand here: ${places}`;
}

function describeField({ from, to, note }: UpstreamField): string {
  const why = note === undefined ? "" : ` (${note})`;
  if (to === from) return `${from}${why}`;
  return `${from} → ${to ?? "left out"}${why}`;
}

/** A field that the spec has, with its path from the spec. */
export interface PresentField {
  readonly field: UpstreamField;
  readonly path: FieldPath;
}

/** Finds for each value in the spec the field of the table that names it most closely. */
export function presentFields(spec: unknown, fields: readonly UpstreamField[]): PresentField[] {
  const byPath = new Map(fields.map((field) => [field.from, field]));
  const present = new Map<string, PresentField>();
  for (const leaf of leavesOf(spec)) {
    for (let length = leaf.length; length > 0; length--) {
      const path = leaf.slice(0, length);
      const field = byPath.get(patternOf(path));
      if (field === undefined) continue;
      const key = JSON.stringify(path);
      if (!present.has(key)) present.set(key, { field, path });
      break;
    }
  }
  return [...present.values()];
}

function patternOf(path: FieldPath): string {
  let pattern = "";
  for (const step of path) {
    if (typeof step === "number") pattern += "[]";
    else pattern += pattern === "" ? step : `.${step}`;
  }
  return pattern;
}

function leavesOf(spec: unknown): FieldPath[] {
  const leaves: FieldPath[] = [];
  visit(spec, []);
  return leaves;

  function visit(value: unknown, path: FieldPath): void {
    if (leaves.length >= MAX_LEAVES) return;
    const entries = path.length >= MAX_DEPTH ? [] : entriesOf(value);
    if (entries.length === 0) leaves.push(path);
    for (const [step, inner] of entries) visit(inner, [...path, step]);
  }
}

function entriesOf(value: unknown): [string | number, unknown][] {
  if (Array.isArray(value)) return value.map((item, index) => [index, item]);
  return isMapping(value) ? Object.entries(value) : [];
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
