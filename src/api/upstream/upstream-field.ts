/**
 * One field of the resources that AltairaLabs' own Omnia reads, under the same group and version, in another form. Only names and
 * meanings are taken from there: the tables of this folder say where each field stands here.
 */

/** The first form is that of December 2025. The second one is every form since, which share most fields. */
export type UpstreamForm = "2025-12" | "2026";

export interface UpstreamField {
  /** From the spec, like `facades[].port`. `[]` stands for every item of a list. */
  readonly from: string;
  /** The form that has it first. */
  readonly since: UpstreamForm;
  /** Where it stands here, from the spec. `undefined`: it has no counterpart. */
  readonly to?: string | undefined;
  /** What to know of it, or why it has no counterpart. */
  readonly note?: string | undefined;
  /** With one of these values nothing is lost when it goes: what it says is so here anyway. */
  readonly impliedValues?: readonly string[] | undefined;
  /** It stands at the same place here, with another value, or beside other fields; so it does not tell the form. */
  readonly isShared?: boolean | undefined;
}

export function moved(since: UpstreamForm, from: string, to: string, note?: string): UpstreamField {
  return { from, since, to, note };
}

/** `why` completes a sentence that begins with the field. */
export function gone(since: UpstreamForm, from: string, why: string): UpstreamField {
  return { from, since, note: why };
}

/** A field that says, with one of these values, what is so here without it. */
export function implied(
  since: UpstreamForm,
  from: string,
  impliedValues: readonly string[],
  why: string,
): UpstreamField {
  return { from, since, note: why, impliedValues };
}

/** The same fields under another path. */
export function under(prefix: string, fields: readonly UpstreamField[], to = ""): UpstreamField[] {
  return fields.map((field) => ({
    ...field,
    from: `${prefix}${field.from}`,
    to: field.to === undefined ? undefined : `${to}${field.to}`,
  }));
}
