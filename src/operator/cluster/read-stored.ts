import type { z } from "zod";
import { formatPath, validate } from "../../api/fields/problems.ts";
import { API_VERSION, type OmniaKind } from "../../api/group.ts";
import { BoundedMemory } from "../../control/bounded-memory.ts";
import { TerminalError } from "../../kube/controller/controller.ts";
import type { KubernetesObject, ResourceType } from "../../kube/client/object.ts";
import type { OperatorContext } from "./operator-context.ts";

/** So many problems are named. The others are counted. */
const MAX_LISTED = 5;

export type StoredSpec<Spec> =
  | { readonly ok: true; readonly spec: Spec }
  | { readonly ok: false; readonly problem: string };

/** So many texts of specs are known. */
const MAX_TEXTS = 32;
/** A longer text is not remembered. */
const MAX_TEXT_LENGTH = 32 * 1024;

interface Known {
  readonly schema: z.ZodType;
  readonly read: StoredSpec<unknown>;
}

/** A cache keeps an object as it is until it changes, while many passes read its spec. */
const known = new WeakMap<object, Known>();
/** By the text of a spec, since thousands of resources may differ in nothing but their names. */
const knownTexts = new BoundedMemory<Known>(MAX_TEXTS);

/**
 * Reads the spec of a stored object, which may follow an older or a newer schema than that of this operator. What was read is shared by
 * all that have the same spec, and nobody may change it.
 */
export function readSpec<Spec>(schema: z.ZodType<Spec>, spec: unknown): StoredSpec<Spec> {
  if (typeof spec !== "object" || spec === null) return readAnew(schema, spec);
  let reading = known.get(spec);
  if (reading?.schema !== schema) {
    reading = readText(schema, spec);
    known.set(spec, reading);
  }
  return reading.read as StoredSpec<Spec>;
}

function readText<Spec>(schema: z.ZodType<Spec>, spec: object): Known {
  const text = JSON.stringify(spec);
  const before = knownTexts.get(text);
  if (before?.schema === schema) return before;
  const reading = { schema, read: readAnew(schema, spec) };
  if (text.length <= MAX_TEXT_LENGTH) knownTexts.set(text, reading);
  return reading;
}

function readAnew<Spec>(schema: z.ZodType<Spec>, spec: unknown): StoredSpec<Spec> {
  const read = validate(schema, spec);
  if (read.ok) return { ok: true, spec: read.value };
  const listed = read.problems
    .slice(0, MAX_LISTED)
    .map(({ path, message }) => `${formatPath(["spec", ...path])}: ${message}`);
  const more = read.problems.length - listed.length;
  return { ok: false, problem: listed.join("; ") + (more > 0 ? `; and ${more} more` : "") };
}

/** Gives a stored object the form that decisions take, with its spec as it was read and the status that was written last. */
export function toResource<Kind extends OmniaKind, Spec, Status>(
  kind: Kind,
  { metadata: { name, namespace = "", generation } }: KubernetesObject,
  spec: Spec,
  status: Status | undefined,
): {
  apiVersion: typeof API_VERSION;
  kind: Kind;
  metadata: { name: string; namespace: string; generation: number | undefined };
  spec: Spec;
  status: Status | undefined;
} {
  return {
    apiVersion: API_VERSION,
    kind,
    metadata: { name, namespace, generation },
    spec,
    status,
  };
}

/** Reports each spec that this operator cannot read, once. */
export class UnreadableSpecs {
  readonly #context: Pick<OperatorContext, "events">;
  readonly #type: ResourceType;
  /** uid → the generation that was reported. */
  readonly #told = new Map<string, number>();

  constructor(context: Pick<OperatorContext, "events">, type: ResourceType) {
    this.#context = context;
    this.#type = type;
  }

  /** Always rejects, because another try fails too until the spec changes. */
  async refuse(stored: KubernetesObject, problem: string, signal: AbortSignal): Promise<never> {
    const { uid = "", generation = 0 } = stored.metadata;
    const note = `This version of the operator cannot read it: ${problem}`;
    if (this.#told.get(uid) !== generation) {
      const event = { type: "Warning", reason: "InvalidSpec", action: "Reconcile", note } as const;
      await this.#context.events.report(this.#type, stored, event, signal);
      this.#told.set(uid, generation);
    }
    throw new TerminalError(note);
  }
}
